"""Arrays of counts give back every score to the last bit, or refuse to stand for it."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from tests.tracking.made_up import fold_results, trial_info, trial_record
from tracking.image_scores import FoldScore, ImageScores, compact, dice_by_image
from trainer.results import Score


def drawn(seed: int, images: int = 60) -> tuple[FoldScore, ...]:
    """Scores of random images of one random size, from 1 to 4,000,000 pixels; some truths are empty."""
    rng = np.random.default_rng(seed)
    pixels = int(10 ** rng.uniform(0, 6.6))
    counts = [np.diff([0, *sorted(rng.integers(0, pixels + 1, 3)), pixels]).tolist() for _ in range(images)]
    counts += [[0, fp, 0, pixels - fp] for fp in (0, pixels // 2, pixels)]
    return tuple(
        (at % 5 + 1, Score.of_counts(f"scan {at}", "benign" * (at % 2), *four)) for at, four in enumerate(counts)
    )


def arrays(scores: tuple[FoldScore, ...]) -> ImageScores:
    made = compact(scores)
    assert made is not None
    return made


@pytest.mark.parametrize("seed", range(40))
def test_every_score_comes_back_to_the_bit(seed: int) -> None:
    scores = drawn(seed)
    made = arrays(scores)
    assert repr(made) == repr(scores) and len(made) == len(scores)
    assert made.dice.tobytes() == np.array([score.dice for _, score in scores]).tobytes()
    assert repr(dice_by_image(made)) == repr(dice_by_image(scores))


def test_they_are_read_like_the_tuple_that_they_stand_for() -> None:
    scores = tuple((result.fold, score) for result in fold_results(trial_info("", 0)) for score in result.scores)
    made = arrays(scores)
    assert (made[3], made[-1]) == (scores[3], scores[-1]) and made[2:9:3] == scores[2:9:3]
    assert made.counts.dtype == np.uint16


@pytest.mark.parametrize(
    "changed",
    [{"dice": 0.5}, {"ari": 0.25}, {"pixel_error": math.nan}, {"tn": 7}],
    ids=["a Dice of several seeds", "another adjusted Rand", "no pixel error", "another size"],
)
def test_scores_that_do_not_follow_from_counts_stay_as_they_are(changed: dict[str, float]) -> None:
    (fold, first), *rest = drawn(1)
    assert compact([(fold, replace(first, **changed)), *rest]) is None  # type: ignore[arg-type]


def test_no_scores_are_no_arrays() -> None:
    assert compact(()) is None and dice_by_image(()) == {}


def test_a_trial_knows_the_dice_of_its_images() -> None:
    trial = trial_record(trial_info("shallow-first", 5))
    expected = {score.image: score.dice for _, score in trial.scores}
    assert repr(trial.dice_by_image) == repr(expected)
    assert repr(replace(trial, scores=arrays(tuple(trial.scores))).dice_by_image) == repr(expected)

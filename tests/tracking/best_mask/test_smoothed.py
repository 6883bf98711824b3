from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.tracking.best_mask.made_up_answers import SETTING, answer
from tests.tracking.best_mask.test_answer import sample
from tests.tracking.made_up import subset_record
from tracking.analysis.formatting import mask_name
from tracking.best_mask.answer import BestMask
from tracking.best_mask.fanova import FEWEST
from tracking.best_mask.smoothed import Smoothed, setting_places
from tracking.record import SweepRecord
from trainer.candidate import TrainValue


def additive(blocks: tuple[int, ...]) -> float:
    """Odd blocks help, even ones harm."""
    return 0.5 + 0.02 * sum(1 if block % 2 else -1 for block in blocks)


def searched(noise: float = 0.05, seed: int = 0, count: int = 38, **more: Any) -> SweepRecord:
    return subset_record(sample(count), additive, noise=noise, seed=seed, **more)


def smoothed(record: SweepRecord) -> tuple[BestMask, Smoothed]:
    """The answer, and what smoothing adds to it."""
    found = answer(record)
    assert found.smoothed is not None
    return found, found.smoothed


@pytest.mark.slow
def test_with_noisy_scores_it_is_truly_better_than_the_highest_score() -> None:
    highest, taken = [], []
    for seed in range(10):
        found, told = smoothed(searched(seed=seed))
        highest.append(additive(found.best.blocks))
        taken.append(additive(told.candidate.blocks))
    assert np.mean(taken) > np.mean(highest) + 0.01


def test_without_noise_it_is_the_best_and_says_so() -> None:
    found, told = smoothed(searched(noise=0.0001))
    assert told.candidate == found.best
    assert told.dice == told.best == pytest.approx(found.best.dice, abs=0.005)
    assert told.sentence.endswith(f"all 41 scores together speak for {found.best.mask}, too.")


def test_another_one_is_named_with_what_both_are_predicted() -> None:
    both = (smoothed(searched(seed=seed)) for seed in range(10))
    found, told = next(pair for pair in both if pair[1].candidate != pair[0].best)
    assert told.dice > told.best
    assert f" together speak for {mask_name(told.candidate)}: " in told.sentence
    assert f" for {mask_name(found.best)}. That is less prone" in told.sentence


def test_a_setting_is_named_where_it_was_searched() -> None:
    _, told = smoothed(searched(settings=((6, 1e-3), (12, 1e-3))))
    assert f"{told.candidate.mask} at {told.candidate.epochs} epochs, lr 0.001" in told.sentence


def test_settings_are_axes_in_their_order() -> None:
    trains: list[dict[str, TrainValue]] = [{}, {"batch": 8}, {"batch": 16}, {"batch": 32, "loss": "dice"}]
    known = [replace(SETTING, learning_rate=1e-3 / number, train=train) for number, train in enumerate(trains, 1)]
    assert setting_places(known, {"batch": 4, "loss": "bce"}).tolist() == [[3, 0, 0], [2, 1, 0], [1, 2, 0], [0, 3, 1]]
    assert setting_places(known[:1], {}).shape == (1, 0)


@pytest.mark.parametrize(
    "record",
    [
        searched(count=FEWEST - 4),
        subset_record(sample(38), lambda _: 0.05, zero_shot=0.01),
        subset_record(sample(38), lambda _: 0.5, zero_shot=0.9),
    ],
    ids=["few", "nothing learned", "no training is best"],
)
def test_it_says_nothing_where_there_is_nothing_to_say(record: SweepRecord) -> None:
    assert answer(record).smoothed is None

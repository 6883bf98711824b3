from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.tracking.best_mask.test_answer import sample
from tests.tracking.made_up import subset_record
from tracking.analysis.formatting import mask_name
from tracking.best_mask.answer import answer_object
from tracking.best_mask.fanova import FEWEST
from tracking.best_mask.smoothed import places, smoothed_object
from tracking.record import Json, SweepRecord


def additive(blocks: tuple[int, ...]) -> float:
    """Odd blocks help, even ones harm."""
    return 0.5 + 0.02 * sum(1 if block % 2 else -1 for block in blocks)


def searched(noise: float = 0.05, seed: int = 0, count: int = 38, **more: Any) -> SweepRecord:
    return subset_record(sample(count), additive, noise=noise, seed=seed, **more)


def smoothed(record: SweepRecord) -> tuple[Json, Json]:
    """The answer, and what smoothing adds to it."""
    answer = answer_object(record)
    found = smoothed_object(answer, record.info)
    assert found is not None
    return answer, found


def test_with_noisy_scores_it_is_truly_better_than_the_highest_score() -> None:
    highest, taken = [], []
    for seed in range(10):
        answer, found = smoothed(searched(seed=seed))
        highest.append(additive(tuple(answer["best"]["blocks"])))
        taken.append(additive(tuple(found["candidate"]["blocks"])))
    assert np.mean(taken) > np.mean(highest) + 0.01


def test_without_noise_it_is_the_best_and_says_so() -> None:
    answer, found = smoothed(searched(noise=0.0001))
    assert found["candidate"] == answer["best"]
    assert found["dice"] == found["best"] == pytest.approx(answer["best"]["dice"], abs=0.005)
    assert found["sentence"].endswith(f"all 41 scores together speak for {answer['best']['mask']}, too.")


def test_another_one_is_named_with_what_both_are_predicted() -> None:
    both = (smoothed(searched(seed=seed)) for seed in range(10))
    answer, found = next(one for one in both if one[1]["candidate"] != one[0]["best"])
    assert found["dice"] > found["best"] and found["candidate"].keys() == answer["best"].keys()
    assert f" together speak for {mask_name(found['candidate'])}: " in found["sentence"]
    assert f" for {mask_name(answer['best'])}. That is less prone" in found["sentence"]


def test_a_setting_is_named_where_it_was_searched() -> None:
    _, found = smoothed(searched(settings=((6, 1e-3), (12, 1e-3))))
    assert f"{found['candidate']['mask']} at {found['candidate']['epochs']} epochs, lr 0.001" in found["sentence"]


def test_settings_are_axes_in_their_order() -> None:
    trains: list[Json] = [{}, {"batch": 8}, {"batch": 16}, {"batch": 32, "loss": "dice"}]
    known = [{"epochs": 12, "learning_rate": 1e-3 / place, "train": one} for place, one in enumerate(trains, 1)]
    assert places(known, {"batch": 4, "loss": "bce"}).tolist() == [[3, 0, 0], [2, 1, 0], [1, 2, 0], [0, 3, 1]]
    assert places(known[:1], {}).shape == (1, 0)


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
    assert smoothed_object(answer_object(record), record.info) is None

from __future__ import annotations

import numpy as np
import pytest

from sweeps.importance import FEWEST
from sweeps.smoothed import smoothed_object
from tests.tracking.made_up import subset_record
from tests.tracking.test_answer import sample
from tracking.answer import answer_object
from tracking.contrasts import Json


def additive(blocks: tuple[int, ...]) -> float:
    """Odd blocks help, even ones harm."""
    return 0.5 + 0.02 * sum(1 if block % 2 else -1 for block in blocks)


def answer(noise: float = 0.05, seed: int = 0, count: int = 38, **more: object) -> Json:
    return answer_object(subset_record(sample(count), additive, noise=noise, seed=seed, **more))  # type: ignore[arg-type]


def test_with_noisy_scores_it_is_truly_better_than_the_highest_score() -> None:
    highest, smoothed = [], []
    for seed in range(10):
        given = answer(seed=seed)
        found = smoothed_object(given, 9)
        assert found is not None
        highest.append(additive(tuple(given["best"]["blocks"])))
        smoothed.append(additive(tuple(found["candidate"]["blocks"])))
    assert np.mean(smoothed) > np.mean(highest) + 0.01


def test_without_noise_it_is_the_best_and_says_so() -> None:
    given = answer(noise=0.0001)
    found = smoothed_object(given, 9)
    assert found is not None and found["candidate"] == given["best"]
    assert found["dice"] == found["best"] == pytest.approx(given["best"]["dice"], abs=0.005)
    assert found["sentence"].endswith("all 41 scores together speak for the same one.")


def test_another_one_is_named_with_what_both_are_predicted() -> None:
    given = next(one for seed in range(10) if _differ(one := answer(seed=seed)))
    found = smoothed_object(given, 9)
    assert found is not None and found["dice"] > found["best"]
    assert f"speak for {found['candidate']['mask']}" in found["sentence"] and "set above" in found["sentence"]
    assert found["candidate"].keys() == given["best"].keys()
    assert found == smoothed_object(given, 9)


def _differ(given: Json) -> bool:
    found = smoothed_object(given, 9)
    return found is not None and found["candidate"] != given["best"] and not found["candidate"]["aliases"]


def test_settings_are_axes_and_named() -> None:
    given = answer(settings=((6, 1e-3), (12, 1e-3)), noise=0.1)
    found = smoothed_object(given, 9)
    assert found is not None and ("epochs, lr 0.001" in found["sentence"] or "the same one" in found["sentence"])


def test_of_few_and_of_nothing_learned_it_says_nothing() -> None:
    assert smoothed_object(answer(count=FEWEST - 4), 9) is None
    assert smoothed_object(answer_object(subset_record(sample(38), lambda _: 0.05, zero_shot=0.01)), 9) is None

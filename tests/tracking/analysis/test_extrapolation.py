"""What more images would bring: laws found again, refusals in words, and how often the interval holds the truth."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.tracking.made_up import sweep_info
from tracking.analysis.extrapolation import FAMILIES, gain, predicted

SIZES = [20.0, 40.0, 80.0, 160.0]
INFO = sweep_info()
Law = Callable[[float], float]
LAWS: dict[str, Law] = {
    "a square root": lambda n: 0.75 - 0.9 * n**-0.5,
    "a logarithm": lambda n: 0.2 + 0.09 * float(np.log(n)),
    "quick": lambda n: 0.7 - 3 / n,
    "flat": lambda n: 0.6,
    "an exponential": lambda n: 0.65 - 0.3 * float(np.exp(-n / 40)),
}


def drawn(law: Law, rng: np.random.Generator, noise: float = 0.03) -> NDArray[np.float64]:
    """(5, sizes): folds differ in how hard they are, and by noise that falls with the images, a part of it shared."""
    spread = noise * np.sqrt(0.3 + 0.7 * 20 / np.array(SIZES))
    dice: NDArray[np.float64] = (
        np.array([law(size) for size in SIZES])
        + rng.normal(0, 0.03, (5, 1))
        + spread * (rng.normal(0, 1, (5, 4)) + np.sqrt(0.15) * rng.normal(0, 1, 4))
    )
    return dice


@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS)
def test_a_law_without_noise_is_found_again_by_its_family(law: Law) -> None:
    dice = np.array([[law(size) + fold for size in SIZES] for fold in (0.0, 0.05)])
    values, _ = min((predicted(family, SIZES, dice, [200, 240]) for family in FAMILIES), key=lambda one: one[1])
    assert values == pytest.approx(np.array([[law(n), law(n) + 0.05] for n in (200, 240)]), abs=3e-3)


@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS)
def test_the_interval_holds_the_truth_about_as_often_as_it_says(law: Law) -> None:
    rng = np.random.default_rng(1)
    found = [gain(SIZES, drawn(law, rng), 40, INFO) for _ in range(150)]
    said = [one for one in found if not one.refusal]
    held = [one.low <= law(200) - law(160) <= one.high for one in said]
    assert len(said) > 140 and np.mean(held) > 0.87


@pytest.mark.parametrize(
    ("law", "more", "sizes", "words"),
    [
        (LAWS["quick"], 40, SIZES[1:], "it takes 4 numbers of images, all of them included, not 3"),
        (LAWS["quick"], 81, SIZES, "81 more than 160 images is too far beyond what was measured"),
        (lambda n: 0.9 - 0.1 * float(np.log(n)), 40, SIZES, "the Dice falls with the number of images"),
        (
            lambda n: 0.65 / (1 + np.exp((60 - n) / 12)),
            40,
            SIZES,
            "curves through fewer images miss what all gave by -",
        ),
    ],
    ids=["too few", "too far", "falls", "no such law"],
)
def test_what_cannot_be_said_is_said(law: Law, more: int, sizes: list[float], words: str) -> None:
    dice = drawn(law, np.random.default_rng(2), 0.01)[:, -len(sizes) :]
    found = gain(sizes, dice, more, INFO)
    assert words in found.refusal and np.isnan(found.mean) and found.folds == ()


def test_a_fold_without_a_dice_is_left_out_and_one_fold_is_no_interval() -> None:
    dice = drawn(LAWS["quick"], np.random.default_rng(3))
    dice[1, 2] = np.nan
    found = gain(SIZES, dice, 40, INFO)
    assert not found.refusal and np.isnan(found.folds[1]) and found.low < found.mean < found.high
    dice[:4, 0] = np.nan
    assert "fewer than two folds" in gain(SIZES, dice, 40, INFO).refusal

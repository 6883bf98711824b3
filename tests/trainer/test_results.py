"""The scores of an image by hand, at the edges, and against the paper's own tables."""

from __future__ import annotations

import pytest

from trainer.results import Score, adjusted_rand, dice, pixel_error


@pytest.mark.parametrize(
    ("four", "expected"),
    [
        ((0, 0, 0, 100), 1.0),
        ((100, 0, 0, 0), 1.0),
        ((0, 40, 60, 0), 1.0),  # inverted: never an objective
        ((0, 0, 5, 95), 0.0),
        ((2**20, 2**20, 2**20, 2**20), 0.0),  # overflows int64
    ],
)
def test_adjusted_rand_at_the_edges(four: tuple[int, int, int, int], expected: float) -> None:
    assert adjusted_rand(*four) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("dice_", "error", "expected"),
    [(0.80, 1.4, 0.781), (0.72, 1.9, 0.696), (0.98, 1.1, 0.955), (0.98, 1.3, 0.948)],
)
def test_the_study_s_adjusted_rand_follows_from_its_dice_and_pixel_error(
    dice_: float, error: float, expected: float
) -> None:
    pixels = 10**7
    wrong = error / 100 * pixels
    foreground = wrong / (2 * (1 - dice_))
    tp = round(dice_ * foreground)
    fp = fn = round(foreground) - tp
    assert adjusted_rand(tp, fp, fn, pixels - tp - fp - fn) == pytest.approx(expected, abs=0.0006)


@pytest.mark.parametrize("counts", [(8, 2, 2, 88), (0, 5, 0, 95), (0, 0, 0, 4), (3, 1, 0, 0)])
def test_a_score_is_made_of_its_counts_alone(counts: tuple[int, int, int, int]) -> None:
    made = Score.of_counts("scan", "benign", *counts)
    rates = dice(*counts[:3]), pixel_error(*counts), adjusted_rand(*counts)
    assert repr(made) == repr(Score("scan", "benign", *counts, *rates))  # repr: NaN is not equal to itself

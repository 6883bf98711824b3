"""Distances between boundaries against other ways to compute them: by hand, brute force, scikit-image, DeepMind's."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import binary_erosion
from scipy.spatial.distance import cdist
from skimage.metrics import hausdorff_distance

from trainer.results import IGNORED, FoldResult, Score
from trainer.training import distances as module
from trainer.training.distances import boundary, diagonal, distances, unit_of, with_distances

Mask = NDArray[np.bool_]


def blob(seed: int, rows: int = 40, columns: int = 52) -> Mask:
    """A wavy blob somewhere in the image, or speckle."""
    draw = np.random.default_rng(seed)
    if seed % 5 == 4:
        return draw.random((rows, columns)) < 0.3
    y, x = np.mgrid[:rows, :columns]
    y, x = y - draw.uniform(5, rows - 5), x - draw.uniform(5, columns - 5)
    wave = 1 + 0.3 * np.sin(draw.integers(1, 6) * np.arctan2(y, x))
    return np.asarray(np.hypot(y, x) < draw.uniform(4, 16) * wave)


def rectangle(top: int, left: int, bottom: int, right: int, shape: tuple[int, int] = (20, 20)) -> Mask:
    """A filled rectangle, bounds included."""
    mask = np.zeros(shape, bool)
    mask[top : bottom + 1, left : right + 1] = True
    return mask


def brute_force(truth: Mask, predicted: Mask, tolerance: float, spacing: tuple[float, float]) -> tuple[float, float]:
    """The formulas of docs/protocol.md written down: all pairs of boundary pixels."""
    points = [np.argwhere(mask & ~binary_erosion(mask)) * spacing for mask in (truth, predicted)]
    pairs = cdist(*points)
    missed, wrong = pairs.min(axis=1), pairs.min(axis=0)
    hd95 = max(np.quantile(missed, 0.95), np.quantile(wrong, 0.95))
    within = (missed <= tolerance).sum() + (wrong <= tolerance).sum()
    return hd95, within / (len(missed) + len(wrong))


@pytest.mark.parametrize("spacing", [(1.0, 1.0), (0.31, 0.31), (0.2, 1.7), (3.0, 0.45)])
@pytest.mark.parametrize("seed", range(10))
def test_they_are_what_all_pairs_of_boundary_pixels_give(seed: int, spacing: tuple[float, float]) -> None:
    truth, predicted = blob(seed), blob(seed + 100)
    for tolerance in (0.0, 1.05, 4.123):
        expected = brute_force(truth, predicted, tolerance, spacing)
        assert distances(truth, predicted, tolerance, spacing) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("seed", range(10))
def test_the_largest_distance_is_scikit_image_s_hausdorff(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    truth, predicted = blob(seed), blob(seed + 100)
    monkeypatch.setattr(module, "PERCENTILE", 100.0)
    theirs = hausdorff_distance(boundary(truth), boundary(predicted))  # type: ignore[no-untyped-call]
    found = distances(truth, predicted, 1.0).hd95
    assert found == pytest.approx(theirs, rel=1e-6)


LEFT, RIGHT = rectangle(5, 2, 14, 11), rectangle(5, 5, 14, 14)  # the same square of 10 pixels, three columns apart


@pytest.mark.parametrize(
    ("truth", "predicted", "spacing", "tolerance", "hd95", "surface_dice"),
    [
        pytest.param(LEFT, LEFT, (1, 1), 0, 0, 1, id="equal"),
        # Of 36 boundary pixels each, 7 in the upper and 7 in the lower row coincide; the outer columns are 3 away.
        pytest.param(LEFT, RIGHT, (1, 1), 0, 3, 14 / 36, id="three columns apart"),
        pytest.param(LEFT, RIGHT, (1, 1), 3, 3, 1, id="within a tolerance of three"),
        pytest.param(LEFT, RIGHT, (9, 0.1), 0.3, 0.3, 1, id="0.3 mm is three steps of 0.1 mm"),
        pytest.param(LEFT.T, RIGHT.T, (0.1, 9), 0.3, 0.3, 1, id="the same in rows"),
        pytest.param(rectangle(3, 3, 3, 3), rectangle(6, 7, 6, 7), (1, 1), 4, 5, 0, id="two pixels"),
        pytest.param(rectangle(3, 3, 3, 3), rectangle(6, 7, 6, 7), (4, 3), 17, math.hypot(12, 12), 1, id="anisotropic"),
        pytest.param(rectangle(0, 0, 19, 19), rectangle(0, 0, 19, 19), (1, 1), 0, 0, 1, id="the whole image"),
    ],
)
def test_by_hand(
    truth: Mask, predicted: Mask, spacing: tuple[float, float], tolerance: float, hd95: float, surface_dice: float
) -> None:
    assert distances(truth, predicted, tolerance, spacing) == pytest.approx((hd95, surface_dice), rel=1e-6)
    assert distances(predicted, truth, tolerance, spacing) == pytest.approx((hd95, surface_dice), rel=1e-6)


NOTHING = np.zeros((20, 20), bool)


def test_what_empty_masks_give() -> None:
    """No truth: nothing, as with Dice. No prediction: the worst that there is, so that it never looks good."""
    worst = diagonal((20, 20), (2.0, 0.5))
    assert distances(LEFT, NOTHING, 1, (2.0, 0.5)) == pytest.approx((worst, 0)) and worst == math.hypot(38, 9.5)
    assert np.isnan(distances(NOTHING, LEFT, 1)).all() and np.isnan(distances(NOTHING, NOTHING, 1)).all()
    corners = rectangle(0, 0, 0, 0), rectangle(19, 19, 19, 19)
    assert distances(*corners, 1, (2.0, 0.5)).hd95 == pytest.approx(worst), "no distance is larger"


def test_pixels_that_do_not_count_are_background_in_both() -> None:
    counted = ~rectangle(0, 12, 19, 19)
    assert distances(LEFT, LEFT | rectangle(0, 15, 19, 19), 1, counted=counted) == (0, 1)
    assert np.isnan(distances(LEFT, LEFT, 1, counted=~LEFT)).all()


# Made once with surface-distance 0.1 of DeepMind (Apache-2.0): compute_robust_hausdorff(..., 95) and
# compute_surface_dice_at_tolerance of these masks. It weighs pieces of the contour by their length and takes a distance
# that occurs instead of interpolating, so values are close and not equal.
DEEPMIND = {
    (1, (1.0, 1.0)): (27.586, 0.1331),
    (2, (0.6, 1.5)): (21.137, 0.1482),
    (5, (1.0, 1.0)): (12.042, 0.3047),
    (7, (0.6, 1.5)): (36.0, 0.2259),
    (8, (3.0, 0.45)): (54.604, 0.2845),
    (17, (1.0, 1.0)): (6.0, 0.5999),
    (17, (0.6, 1.5)): (3.6, 0.8372),
}


@pytest.mark.parametrize(("case", "theirs"), DEEPMIND.items())
def test_they_are_within_a_pixel_of_deepmind_s(
    case: tuple[int, tuple[float, float]], theirs: tuple[float, float]
) -> None:
    seed, spacing = case
    found = distances(blob(seed), blob(seed + 100), 1.5 * max(spacing), spacing)
    assert found.hd95 == pytest.approx(theirs[0], abs=max(spacing))
    assert found.surface_dice == pytest.approx(theirs[1], abs=0.12)


@pytest.mark.parametrize("spacing", [None, np.array([[0.5, 0.5], [2.0, 1.0], [1.0, 1.0]])])
def test_a_result_gets_those_of_every_image(spacing: NDArray[np.float64] | None) -> None:
    truths = np.stack([LEFT, LEFT, NOTHING]).astype(np.uint8)
    truths[1, :, 12:] = IGNORED  # so the last columns of RIGHT are not wrong
    scores = tuple(Score.of_counts(name, "", 1, 1, 1, 397) for name in "abc")
    result = FoldResult(1, 2, scores, (0.5,), 3, 1.0, 1, np.stack([RIGHT, RIGHT, RIGHT]).astype(np.uint8))
    first, second, third = with_distances(result, truths, 1.0, spacing).scores
    steps = [(1.0, 1.0), (1.0, 1.0)] if spacing is None else [tuple(step) for step in spacing[:2]]
    assert (first.hd95, first.surface_dice) == distances(LEFT, RIGHT, 1.0, steps[0])
    assert (second.hd95, second.surface_dice) == distances(LEFT, RIGHT & ~rectangle(0, 12, 19, 19), 1.0, steps[1])
    assert math.isnan(third.hd95) and replace(first, hd95=math.nan, surface_dice=math.nan).dice == scores[0].dice
    assert unit_of(spacing) == ("px" if spacing is None else "mm")

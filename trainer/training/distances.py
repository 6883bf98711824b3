"""How far a predicted boundary is from the true one: an image's 95 % Hausdorff distance and normalised surface Dice.

Both follow from a predicted mask and its truth, so neither stands in the ledger: another tolerance trains nothing.
Sources: Maier-Hein et al., Metrics reloaded (Nature Methods, 2024), for both and for what empty masks give; Nikolov et
al., Clinically applicable segmentation of head and neck anatomy (JMIR, 2021), for the surface Dice. The formulas stand
in docs/protocol.md.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from trainer.config import DistanceUnit
from trainer.results import IGNORED, OBJECT, FoldResult

PERCENTILE = 95.0
ROUNDING = 1e-9  # 3 steps of 0.1 mm are 0.3 mm, though not in floating point


def unit_of(spacing: NDArray[np.float64] | None) -> DistanceUnit:
    """In what distances are: millimetres where the spacing of the images is known, else pixels of the working size."""
    return "px" if spacing is None else "mm"


def with_distances(
    result: FoldResult,
    truths: NDArray[np.uint8],
    tolerance: float,
    spacing: NDArray[np.float64] | None = None,
) -> FoldResult:
    """The result with the distances of all its images.

    `truths` (n, H, W) of 0, `OBJECT` and `IGNORED`, whose pixels do not count. `spacing` (n, 2) in mm; None measures in
    pixels.
    """
    steps = np.ones((len(truths), 2)) if spacing is None else spacing
    measured = [
        distances(truth == OBJECT, predicted == OBJECT, tolerance, step, truth != IGNORED)
        for truth, predicted, step in zip(truths, result.predictions, steps, strict=True)
    ]
    pairs = zip(result.scores, measured, strict=True)
    return replace(result, scores=tuple(replace(score, **found._asdict()) for score, found in pairs))


class Distances(NamedTuple):
    """`hd95` in the unit of the spacing; `surface_dice` a fraction of 1. Both NaN where the truth is empty."""

    hd95: float
    surface_dice: float


def distances(
    truth: NDArray[np.bool_],
    predicted: NDArray[np.bool_],
    tolerance: float,
    spacing: Sequence[float] = (1.0, 1.0),
    counted: NDArray[np.bool_] | None = None,
) -> Distances:
    """Measure a predicted mask against its truth, both (H, W).

    `spacing`: the distance from a pixel to the next one down and to the right; `tolerance` is in the same unit.
    `counted` (H, W): the pixels that count; all others are background in both masks. An empty truth has no distance,
    as it has no Dice. A prediction without a pixel where there is a truth gets the worst: the image's diagonal, and 0.

    >>> square = np.zeros((6, 8), bool)
    >>> square[1:4, 1:4] = True
    >>> distances(square, np.roll(square, 2, axis=1), tolerance=1)
    Distances(hd95=2.0, surface_dice=0.625)
    >>> distances(square, np.roll(square, 2, axis=1), tolerance=1, spacing=(0.5, 0.5))
    Distances(hd95=1.0, surface_dice=1.0)
    """
    if counted is not None:
        truth, predicted = truth & counted, predicted & counted
    if not truth.any():
        return Distances(math.nan, math.nan)
    if not predicted.any():
        return Distances(diagonal(truth.shape, spacing), 0.0)
    missed, wrong = _between(_points(truth, spacing), _points(predicted, spacing))
    hd95 = max(float(np.percentile(directed, PERCENTILE)) for directed in (missed, wrong))
    near = sum(np.count_nonzero(found <= tolerance + ROUNDING) for found in (missed, wrong))
    return Distances(hd95, float(near / (len(missed) + len(wrong))))


def boundary(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The pixels of a mask (H, W) that have background above, below, left or right; beyond the image is background.

    >>> boundary(np.ones((3, 4), bool)).astype(int).tolist()
    [[1, 1, 1, 1], [1, 0, 0, 1], [1, 1, 1, 1]]
    """
    padded = np.pad(mask, 1)
    inside = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return mask & ~inside


def diagonal(shape: Sequence[int], spacing: Sequence[float]) -> float:
    """The largest distance in an image: between two opposite corner pixels.

    >>> diagonal((4, 5), (1.0, 1.0))
    5.0
    """
    return math.hypot(*((side - 1) * step for side, step in zip(shape, spacing, strict=True)))


def _points(mask: NDArray[np.bool_], spacing: Sequence[float]) -> NDArray[np.float64]:
    """Where the boundary pixels are, (n, 2)."""
    return np.asarray(np.argwhere(boundary(mask)) * np.asarray(spacing, np.float64), np.float64)


def _between(left: NDArray[np.float64], right: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """From each point of one boundary to the nearest of the other, and the other way round."""
    return KDTree(right).query(left)[0], KDTree(left).query(right)[0]

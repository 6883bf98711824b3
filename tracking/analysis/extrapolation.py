"""What more labelled images would bring: learning curves through the scores of each fold, followed a short way on.

Two families (Viering and Loog 2022, The shape of learning curves: a review, IEEE TPAMI): the inverse power law
a - b n^-c that most curves follow (Figueroa et al. 2012, BMC Medical Informatics and Decision Making 12:8), in the
limit c = 0 a + b ln n, and a - b e^(-n/t), which levels off sooner. For every c and t of a grid a and b follow by
linear regression; each fold takes the curve of the least squares in a family, so that the folds differ by all that is
uncertain in it. Four sizes cannot tell the families apart, so the interval spans those of both. In simulated sweeps it
held the truth in 91 to 100 %, whichever family that was from; with the power law alone, in less than one of ten where
the truth was an exponential with little noise (docs/protocol.md, `tests/tracking/analysis/test_extrapolation.py`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracking.analysis.contrasts import contrast
from tracking.record import SweepInfo
from tracking.statistics import Comparison

Array = NDArray[np.float64]
Family = Callable[[Array, float], Array]  # counts (s,), the most that are fitted -> how each curve rises (curves, s)

EXPONENTS = np.linspace(0, 2, 41)  # c
SCALES = np.geomspace(0.1, 2, 25)  # t, as shares of the most images that are fitted
FEWEST_SIZES = 4  # three numbers are fitted, and one more size has to agree
FARTHEST = 1.5  # times as many images as there are: no curve is followed beyond


@dataclass(frozen=True)
class Gain:
    """What `more` labelled images beyond all that there are would add to the mean Dice. `mean` over the `folds`, each
    with its own curve of the family that fits better; `low`..`high`: from the lowest to the highest end of the
    corrected 95 % intervals of both families. Where it cannot be said, `refusal` says why, and the numbers are NaN.
    """

    more: int
    mean: float = math.nan
    low: float = math.nan
    high: float = math.nan
    folds: tuple[float, ...] = ()
    refusal: str = ""


def gain(sizes: Sequence[float], dice: Array, more: int, info: SweepInfo) -> Gain:
    """What `more` images would add. `sizes` (s,), rising: labelled images, the last being all; `dice` (folds, s).

    Cannot be said: with fewer than four sizes or two folds, beyond one and a half times the images that there are, of a
    curve that falls, and where curves of neither family through the smaller sizes meet what was measured with all.
    """
    everything = sizes[-1] if len(sizes) else 0
    if len(sizes) < FEWEST_SIZES:
        return Gain(more, refusal=f"it takes {FEWEST_SIZES} numbers of images, all of them included, not {len(sizes)}")
    if more > (FARTHEST - 1) * everything:
        return Gain(more, refusal=f"{more} more than {everything:.0f} images is too far beyond what was measured")
    if np.isnan(dice).any(axis=1).sum() > len(dice) - 2:
        return Gain(more, refusal="fewer than two folds have a Dice at every number of images")
    if contrast(dice[:, -1] - dice[:, 0], info).high < 0:
        return Gain(more, refusal="the Dice falls with the number of images, which no learning curve does")
    missed = {family: _missed(family, sizes, dice, info) for family in FAMILIES}
    met = [family for family, one in missed.items() if not (one.low > 0 or one.high < 0)]
    if not met:
        nearest = min(missed.values(), key=lambda one: abs(one.mean))
        return Gain(
            more,
            refusal=f"curves through fewer images miss what all gave by {nearest.mean:+.3f} [{nearest.low:+.3f} to "
            f"{nearest.high:+.3f}]",
        )
    gains = [np.subtract(*predicted(family, sizes, dice, [everything + more, everything])[0]) for family in met]
    found = [contrast(folds, info) for folds in gains]
    if not all(one.df for one in found):
        return Gain(more, refusal=next(one.note for one in found if not one.df))
    best = min(range(len(met)), key=lambda index: predicted(met[index], sizes, dice, [everything])[1])
    low, high = min(one.low for one in found), max(one.high for one in found)
    return Gain(more, found[best].mean, low, high, tuple(map(float, gains[best])))


def predicted(family: Family, sizes: Sequence[float], dice: Array, images: Sequence[float]) -> tuple[Array, float]:
    """(images, folds): each fold's curve of a family at numbers of images, NaN for a fold without a Dice at some size;
    and the sum of squares that the curves leave.
    """
    rises = family(np.array([*sizes, *images], np.float64), sizes[-1])
    design = np.stack([np.ones_like(rises), rises], axis=2)  # (curves, s + images, 2)
    measured, asked = design[:, : len(sizes)], design[:, len(sizes) :]
    known = np.nan_to_num(dice)
    coefficients = np.einsum("cks,fs->cfk", np.linalg.pinv(measured), known)
    squares = ((np.einsum("csk,cfk->cfs", measured, coefficients) - known) ** 2).sum(axis=2)
    best, folds = squares.argmin(axis=0), np.arange(len(dice))
    missing = np.isnan(dice).any(axis=1)
    values: Array = np.einsum("fik,fk->if", asked[best], coefficients[best, folds])
    return np.where(missing, np.nan, values), float(squares.min(axis=0)[~missing].sum())


def _missed(family: Family, sizes: Sequence[float], dice: Array, info: SweepInfo) -> Comparison:
    """What was measured with all images, minus what the curves through the smaller sizes say of it."""
    return contrast(dice[:, -1] - predicted(family, sizes[:-1], dice[:, :-1], sizes[-1:])[0][0], info)


def _power_law(counts: Array, most: float) -> Array:
    return np.stack([np.log(counts) if c == 0 else (1 - counts**-c) / c for c in EXPONENTS])


def _exponential(counts: Array, most: float) -> Array:
    return np.stack([-np.exp(-counts / (share * most)) for share in SCALES])


FAMILIES: tuple[Family, ...] = (_power_law, _exponential)

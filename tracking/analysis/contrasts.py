"""Comparisons inside one sweep: fold differences tested with the sweep's own fold sizes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tracking.analysis.seed_noise import SeedNoise
from tracking.record import SweepInfo
from tracking.statistics import (
    Comparison,
    corrected_t,
    detectable,
    significance_threshold,
    variance_factor,
    with_repeats,
)


def contrast(differences: ArrayLike, info: SweepInfo) -> Comparison:
    """`corrected_t` of differences (folds,), or (pre-trainings, folds), with the sweep's fold sizes.

    All folds begin with the same weights, so they do not show how another pre-training would have turned out: where
    it was repeated, the variance of the mean over pre-trainings is added (`with_repeats`).
    """
    values = np.atleast_2d(np.asarray(differences, np.float64))
    train, tested = zip(*info.fold_sizes, strict=True)
    by_fold = corrected_t([float(value) for value in values.mean(axis=0)], train, tested)
    scored = values[:, ~np.isnan(values).any(axis=0)]
    return with_repeats(by_fold, list(scored.mean(axis=1))) if scored.size else by_fold


@dataclass(frozen=True, kw_only=True)
class Difference(Comparison):
    """A comparison as a report prints it: `threshold` is the smallest mean difference that would be significant with
    this spread, `detectable` the true one that would be found with 80 % power (Dice; NaN for fewer than two folds);
    `noise` says how far another training seed moves the mean, None with one seed.
    """

    threshold: float
    detectable: float
    noise: SeedNoise | None = None


def difference(comparison: Comparison, info: SweepInfo, noise: SeedNoise | None = None) -> Difference:
    """A comparison with what its spread could have shown, and its noise over seeds."""
    se, df = _spread_of(comparison, info)
    return Difference(
        **vars(comparison), threshold=significance_threshold(se, df), detectable=detectable(se, df), noise=noise
    )


def _spread_of(comparison: Comparison, info: SweepInfo) -> tuple[float, int]:
    """Standard error and degrees of freedom, of folds that all gave the same difference, too."""
    if comparison.df:
        return comparison.se, comparison.df
    sizes = [size for size, value in zip(info.fold_sizes, comparison.folds, strict=True) if not math.isnan(value)]
    if len(sizes) < 2:
        return math.nan, 0
    return comparison.sd * math.sqrt(variance_factor(*zip(*sizes, strict=True))), len(sizes) - 1

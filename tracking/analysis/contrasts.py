"""Comparisons inside one sweep: fold differences tested with the sweep's own fold sizes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from tracking.analysis.seed_noise import SeedNoise
from tracking.record import SweepInfo
from tracking.statistics import Comparison, corrected_t, detectable, significance_threshold, variance_factor


def contrast(differences: Iterable[float], info: SweepInfo) -> Comparison:
    """`corrected_t` with the sweep's fold sizes."""
    train, tested = zip(*info.fold_sizes, strict=True)
    return corrected_t([float(value) for value in differences], train, tested)


def _with_sizes(function: Callable[[float, float, int], float], sd: float, sizes: Sequence[tuple[int, int]]) -> float:
    """What this spread could have shown with the folds that have a score on both sides; NaN for fewer than two."""
    if len(sizes) < 2:
        return math.nan
    train, tested = zip(*sizes, strict=True)
    return function(sd, variance_factor(train, tested), len(sizes))


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
    sizes = [size for size, value in zip(info.fold_sizes, comparison.folds, strict=True) if not math.isnan(value)]
    return Difference(
        **vars(comparison),
        threshold=_with_sizes(significance_threshold, comparison.sd, sizes),
        detectable=_with_sizes(detectable, comparison.sd, sizes),
        noise=noise,
    )

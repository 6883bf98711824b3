"""Comparisons inside one sweep: fold differences tested with the sweep's own fold sizes, and their JSON."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from tracking.record import SweepInfo
from tracking.statistics import Comparison, corrected_t, detectable, significance_threshold, variance_factor

Json = dict[str, Any]


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


def comparison_object(comparison: Comparison | None, info: SweepInfo, noise: Json | None = None) -> Json | None:
    """A comparison of the JSON report, with what this spread could have shown, and how far another seed moves it."""
    if comparison is None:
        return None
    kept = [size for size, value in zip(info.fold_sizes, comparison.folds, strict=True) if not math.isnan(value)]
    found = {name: getattr(comparison, name) for name in comparison.__dataclass_fields__}
    return found | {
        "folds": list(comparison.folds),
        "threshold": _with_sizes(significance_threshold, comparison.sd, kept),
        "detectable": _with_sizes(detectable, comparison.sd, kept),
        "noise": noise,
    }

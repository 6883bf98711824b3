"""Comparisons inside one sweep: fold differences tested with the sweep's own fold sizes, and their JSON."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tracking.record import SweepInfo
from tracking.statistics import Comparison, corrected_t, detectable, significance_threshold, variance_factor

Json = dict[str, Any]


def contrast(differences: Iterable[float], info: SweepInfo) -> Comparison:
    """`corrected_t` with the sweep's fold sizes."""
    train, tested = zip(*info.fold_sizes, strict=True)
    return corrected_t([float(value) for value in differences], train, tested)


def comparison_object(comparison: Comparison | None, info: SweepInfo, noise: Json | None = None) -> Json | None:
    """A comparison of the JSON report, with what this spread could have shown, and how far another seed moves it."""
    if comparison is None:
        return None
    train, tested = zip(*info.fold_sizes, strict=True)
    factor = variance_factor(train, tested)
    found = {name: getattr(comparison, name) for name in comparison.__dataclass_fields__}
    return found | {
        "folds": list(comparison.folds),
        "threshold": significance_threshold(comparison.sd, factor, len(train)),
        "detectable": detectable(comparison.sd, factor, len(train)),
        "noise": noise,
    }

"""What training costs that was not asked for in so many words, said before it begins."""

from __future__ import annotations

import math

from sweeps.environment.machine import duration
from tracking.analysis.formatting import counted
from trainer.candidate import Candidate


def price(candidate: Candidate, folds: int, fold_seconds: float) -> str:
    """A sentence; `fold_seconds`: how long a fold took when it was trained, NaN where that is not known."""
    took = "" if math.isnan(fold_seconds) else f", about {duration(fold_seconds * folds)} by what its folds took"
    return f"To train: {counted(folds, 'fold')} of {candidate.name}{took}."

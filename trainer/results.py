"""What a training gave: plain frozen data that crosses from the trainer to whoever listens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

COPY_MARK = "//"  # `name//2`: the second augmented copy of the image `name`; no name of a file holds two slashes


@dataclass(frozen=True)
class Score:
    """One image's scores from its four pixel counts at threshold 0.5 (`trainer.training.metrics`); dice is NaN without
    truth."""

    image: str
    label: str
    tp: int
    fp: int
    fn: int
    tn: int
    dice: float
    pixel_error: float
    ari: float


@dataclass(frozen=True)
class FoldResult:
    """One fold of one candidate at one epoch budget.

    `fold` counts from 1; `losses` holds the mean training loss of every epoch up to `epochs`; `predictions` uint8
    (n, H, W) in {0, 1} the predicted mask of every image in `scores`; `weights` the trained variables by path (only
    what the mask thaws: the delta on the starting weights); `traces` how often the training function was traced for
    this mask in this worker so far, 0 when the result came from the ledger.
    """

    fold: int
    epochs: int
    scores: tuple[Score, ...]
    losses: tuple[float, ...]
    train_images: int
    seconds: float
    traces: int
    predictions: NDArray[np.uint8] = field(default_factory=lambda: np.zeros((0, 0, 0), np.uint8))
    weights: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    from_ledger: bool = False

    def mean(self, metric: str) -> float:
        """Mean of `metric` over the fold's images, NaN (empty truths) left out; NaN if nothing is left."""
        values = np.array([getattr(score, metric) for score in self.scores], float)
        kept = values[~np.isnan(values)]
        return float(kept.mean()) if kept.size else float("nan")


def original_of(image: str) -> str:
    """The image that a scored version stands for: itself, or what it was copied from.

    >>> original_of("scan 7//2"), original_of("scan 7"), original_of("benign/scan#1")
    ('scan 7', 'scan 7', 'benign/scan#1')
    """
    name, _, number = image.rpartition(COPY_MARK)
    return name if name and number.isdecimal() else image

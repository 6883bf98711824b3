"""What a training gave: plain frozen data that crosses from the trainer to whoever listens, and the formulas that make
an image's scores out of its four pixel counts (docs/protocol.md, Metrics).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import NDArray

DISTANCES = ("hd95", "surface_dice")  # of a `Score`: measured on the masks, not made from the counts
OBJECT, IGNORED = 1, 255  # of a pixel's truth; 0 is the background
COPY_MARK = "//"  # `name//2`: the second augmented copy of the image `name`; no name of a file holds two slashes


@dataclass(frozen=True, order=True)
class Reached:
    """How far a trial is, so far as it is kept: fold `fold` (from 1; 0: nothing yet), after `epochs` whole epochs and
    `steps` steps of the next one. The later is the greater, for folds are trained one after the other.
    """

    fold: int = 0
    epochs: int = 0
    steps: int = 0


@dataclass(frozen=True)
class Score:
    """One image's scores from its four pixel counts, foreground being probability > 0.5 (`trainer.training.metrics`).

    `dice` and `ari` are fractions of 1, `pixel_error` is in %; `dice` is NaN where the truth is empty. The distances
    between the boundaries (`trainer.training.distances`) are `hd95`, in mm or pixels, and `surface_dice`, a fraction of
    1; both are NaN where the truth is empty or nothing was measured.
    """

    image: str
    label: str
    tp: int
    fp: int
    fn: int
    tn: int
    dice: float
    pixel_error: float
    ari: float
    hd95: float = math.nan
    surface_dice: float = math.nan

    @classmethod
    def of_counts(cls, image: str, label: str, tp: int, fp: int, fn: int, tn: int, *distances: float) -> Self:
        """The scores that follow from the counts: the same counts, the same bits; `distances` as they were measured."""
        rates = dice(tp, fp, fn), pixel_error(tp, fp, fn, tn), adjusted_rand(tp, fp, fn, tn)
        return cls(image, label, tp, fp, fn, tn, *rates, *distances)


@dataclass(frozen=True)
class FoldResult:
    """One fold of one candidate at one epoch budget.

    `fold` counts from 1; `losses` holds the mean training loss of every epoch up to `epochs`; `predictions` uint8
    (n, H, W) in {0, 1} the predicted mask of every image in `scores`; `weights` the trained variables by path (only
    what training changes: the delta on the starting weights); `traces` how often the training functions, one for each
    phase, were traced for this mask in this worker so far, 0 when the result came from the ledger. `weights_lost`: it
    trained some, but the ledger no longer keeps them, so that `weights` is empty (docs/disk.md). `processor`: what it
    was trained on
    (`trainer.training.device`), "" for a result of before that was kept. `external`: what the fold's network scores on
    each external test set, name -> one score per image; they have no distances.
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
    weights_lost: bool = False
    processor: str = ""
    external: Mapping[str, tuple[Score, ...]] = field(default_factory=dict)

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


def dice(tp: int, fp: int, fn: int) -> float:
    """2 TP / (2 TP + FP + FN), no smoothing; NaN where the truth is empty.

    >>> dice(8, 2, 2), dice(0, 5, 0)
    (0.8, nan)
    """
    return 2 * tp / (2 * tp + fp + fn) if tp + fn else float("nan")


def pixel_error(tp: int, fp: int, fn: int, tn: int) -> float:
    """Share of wrong pixels in percent; NaN where no pixel counts."""
    pixels = tp + fp + fn + tn
    return 100 * (fp + fn) / pixels if pixels else float("nan")


def adjusted_rand(tp: int, fp: int, fn: int, tn: int) -> float:
    """Hubert and Arabie's adjusted Rand index of the two-cluster labelling, from pair counts; 1 when no pair differs.

    Equals scikit-learn's `adjusted_rand_score`. An inverted mask also scores 1, so it is reported, never optimised.
    """
    total = tp + fp + fn + tn
    n10 = tp * fn + fp * tn
    n01 = tp * fp + fn * tn
    n00 = tp * tn + fp * fn
    n11 = total * (total - 1) // 2 - n10 - n01 - n00
    if n10 == 0 and n01 == 0:
        return 1.0
    return 2 * (n11 * n00 - n10 * n01) / ((n11 + n10) * (n10 + n00) + (n11 + n01) * (n01 + n00))

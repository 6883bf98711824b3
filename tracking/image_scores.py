"""The out-of-fold scores of a trial as arrays: ten thousand trials of hundreds of images fit into memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
from numpy.typing import NDArray

from trainer.results import DISTANCES, Score

FoldScore = tuple[int, Score]


@dataclass(frozen=True)
class ImageOrder:
    """Which n images a trial scored, in which order, each with its fold (from 1) and its label ("": unknown).

    All trials of a sweep share one, so that a trial costs its counts only.
    """

    folds: tuple[int, ...]
    images: tuple[str, ...]
    labels: tuple[str, ...]


@dataclass(frozen=True, eq=False, repr=False)
class ImageScores(Sequence[FoldScore]):
    """The scores of n images; read as a sequence, (fold, score) of each image, made whenever it is asked for.

    `counts` unsigned integers (3, n): TP, FP and FN in pixels; `pixels`: how many each image has, so TN is the rest.
    `distances` float64 (2, n) in the order of `DISTANCES`; None where none were measured.
    Its `repr` is that of the tuple of these pairs.
    """

    order: ImageOrder
    counts: NDArray[np.unsignedinteger]
    pixels: int
    distances: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.order.images)

    def __iter__(self) -> Iterator[FoldScore]:
        order = self.order
        measured = [()] * len(self) if self.distances is None else self.distances.T.tolist()
        for fold, image, label, tp, fp, fn, distances in zip(
            order.folds, order.images, order.labels, *self.counts.tolist(), measured, strict=True
        ):
            yield fold, Score.of_counts(image, label, tp, fp, fn, self.pixels - tp - fp - fn, *distances)

    @overload
    def __getitem__(self, index: int) -> FoldScore: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[FoldScore, ...]: ...
    def __getitem__(self, index: int | slice) -> FoldScore | tuple[FoldScore, ...]:
        return tuple(self)[index]

    def __repr__(self) -> str:
        return repr(tuple(self))

    @property
    def dice(self) -> NDArray[np.float64]:
        """The Dice (n,) of every image, to the bit that of `Score.of_counts`; NaN where the truth is empty."""
        tp, fp, fn = self.counts.astype(np.int64)
        dice = np.full(len(self), np.nan)
        np.divide(2 * tp, 2 * tp + fp + fn, out=dice, where=tp + fn > 0)
        return dice


def compact(scores: Sequence[FoldScore]) -> ImageScores | None:
    """The same scores as arrays, or None where arrays of counts cannot give them back to the last bit: images of
    several sizes, or rates that do not follow from the counts (means over seeds).
    """
    pixels = {score.tp + score.fp + score.fn + score.tn for _, score in scores}
    if len(pixels) != 1:
        return None
    order = ImageOrder(
        tuple(fold for fold, _ in scores),
        tuple(score.image for _, score in scores),
        tuple(score.label for _, score in scores),
    )
    counts = np.array([(score.tp, score.fp, score.fn) for _, score in scores], np.int64).T
    kind = np.uint16 if counts.max() < 2**16 else np.uint32
    arrays = ImageScores(order, counts.astype(kind), pixels.pop(), _distances(scores))
    return arrays if all(map(_same, scores, arrays)) else None


def _distances(scores: Sequence[FoldScore]) -> NDArray[np.float64] | None:
    distances = np.array([[getattr(score, name) for _, score in scores] for name in DISTANCES], np.float64)
    return None if np.isnan(distances).all() else distances


def dice_by_image(scores: Sequence[FoldScore]) -> dict[str, float]:
    """image -> Dice, NaN where the truth is empty; without making a `Score` where the counts are at hand."""
    if isinstance(scores, ImageScores):
        return dict(zip(scores.order.images, scores.dice.tolist(), strict=True))
    return {score.image: score.dice for _, score in scores}


def _same(left: FoldScore, right: FoldScore) -> bool:
    """Whether both are the same fold and the same score; NaN, and only NaN, differs from itself."""
    pairs = zip(vars(left[1]).values(), vars(right[1]).values(), strict=True)
    return left[0] == right[0] and all(
        left_value == right_value or (left_value != left_value and right_value != right_value)
        for left_value, right_value in pairs
    )

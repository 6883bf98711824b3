"""Sweeps of masks that are equally good, with errors of the sizes that were measured on real trainings.

A mask's Dice is off by three errors, here as SDs in the mean of a fold: what its images add, what the networks of that
fold err beyond that, and what all folds of one data set share, because their training sets overlap and because it is
this data set. One sweep cannot see the last. `MEASURED` and `CHANGE` are rows of tests/benchmarks/shared_error.json:
tests/benchmarks/shared_error.py measured them on sets that have no image in common.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tests.tracking.made_up import FOLDS, PER_FOLD, record_of
from tracking.record import SweepRecord


@dataclass(frozen=True)
class Errors:
    """SDs of the errors in a difference of two masks, in Dice."""

    image: float
    fold: float
    shared: float

    @property
    def over_folds(self) -> float:
        """The SD of the difference over the folds of one sweep, which is all that the sweep sees."""
        return math.hypot(self.image, self.fold)

    @property
    def extra(self) -> float:
        """c: the variance of the mean over K folds is (1/K + c) of that over folds; 0.25 in the test of five folds."""
        return (self.shared / self.over_folds) ** 2

    def with_extra(self, extra: float) -> Errors:
        """The same with as much shared error as `extra` says."""
        return replace(self, shared=math.sqrt(extra) * self.over_folds)

    def of_one(self) -> Errors:
        """Of one mask, where these are those of a difference."""
        return Errors(*(value / math.sqrt(2) for value in (self.image, self.fold, self.shared)))

    def draw(self, rng: np.random.Generator, count: int) -> NDArray[np.float64]:
        """(count, folds, images): independent draws of all three together."""
        shared, fold = rng.normal(0, self.shared, (count, 1, 1)), rng.normal(0, self.fold, (count, FOLDS, 1))
        image = rng.normal(0, self.image * math.sqrt(PER_FOLD), (count, FOLDS, PER_FOLD))
        return np.asarray(shared + fold + image, np.float64)

    def draw_again(
        self, rng: np.random.Generator, count: int, pretrainings: int, between: float
    ) -> NDArray[np.float64]:
        """(count, pre-trainings, folds): means over images, the same images with each pre-training. The networks of a
        fold err anew each time; `between`: SD of what a pre-training adds to all folds alike.
        """
        same = replace(self, fold=0.0).draw(rng, count).mean(axis=2)[:, None]
        fold = rng.normal(0, self.fold, (count, pretrainings, FOLDS))
        return np.asarray(same + fold + rng.normal(0, between, (count, pretrainings, 1)), np.float64)

    def record(
        self, rng: np.random.Generator, masks: Sequence[tuple[int, ...]], level: Callable[[tuple[int, ...]], float]
    ) -> SweepRecord:
        """A search over sets of blocks, each with a true Dice of `level`; zero-shot far below."""
        drawn = dict(zip([*masks, ()], self.of_one().draw(rng, len(masks) + 1), strict=True))
        return record_of(lambda _, blocks: (level(blocks) if blocks else 0.3) + drawn[blocks], masks)


# BUSI, ten disjoint sets of 65 images: "all pairs of masks", and "longer - shorter training".
MEASURED = Errors(image=0.0496, fold=0.0316, shared=0.0227)
CHANGE = Errors(image=0.0337, fold=0.0304, shared=0.0175)
MOST_SHARED = 0.67  # c of all pairs at the upper end of its interval

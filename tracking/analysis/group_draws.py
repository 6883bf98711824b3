"""A bootstrap of the groups of images that took no part in training: patients, or near-duplicates, drawn whole."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DRAWS = 2000
FEWEST = 10  # groups below which a bootstrap of them says nothing


@dataclass(frozen=True)
class Range:
    """A number, its `value`, with the 95 % range `low`..`high` of its bootstrap; NaN where there are too few groups
    for one.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class GroupDraws:
    """How often each image is drawn in each draw, whole groups at a time; `usable`: whether there are groups enough."""

    counts: NDArray[np.float64]  # (draws, images)
    usable: bool

    def range_of(self, values: NDArray[np.float64]) -> Range:
        """The mean of a value per image, and the range of its draws."""
        if not self.usable:
            return Range(float(values.mean()), math.nan, math.nan)
        means = self.counts @ values / self.counts.sum(axis=1)
        low, high = np.percentile(means, [2.5, 97.5])
        return Range(float(values.mean()), float(low), float(high))


def draw_groups(groups: NDArray[np.int64]) -> GroupDraws:
    """The draws for images of these groups, seeded."""
    _, group_of = np.unique(groups, return_inverse=True)
    count = int(group_of.max(initial=-1)) + 1
    if count < FEWEST:
        return GroupDraws(np.ones((1, len(groups))), usable=False)
    drawn = np.random.default_rng(0).multinomial(count, np.full(count, 1 / count), size=DRAWS)
    return GroupDraws(drawn[:, group_of].astype(np.float64), usable=True)


def external_dice(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """(networks, images): the Dice of each image; NaN where the truth is empty. `counts` (networks, 4, images)."""
    tp, fp, fn, _ = counts.transpose(1, 0, 2).astype(np.float64)
    dice = np.full(tp.shape, np.nan)
    np.divide(2 * tp, 2 * tp + fp + fn, out=dice, where=tp + fn > 0)
    return dice

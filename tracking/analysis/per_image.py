"""One mask image by image: how far its mean could move with other images, its worst tenth, its outright failures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

FAILURE = 0.1  # Dice: below this the lesion was missed
DRAWS = 1000


@dataclass(frozen=True)
class PerImage:
    """The Dice of a mask image by image, fractions of 1. `n`: images with a Dice; `mean`: of them. `low`..`high`:
    percentile bootstrap of the images at 95 %, which describes these trained networks only (the networks are not
    trained anew). `worst_decile`: mean of the lowest tenth; `failures`: images below 0.1.
    """

    n: int
    mean: float
    low: float
    high: float
    worst_decile: float
    failures: int


def per_image(dice: Sequence[float], seed: int = 0) -> PerImage:
    """Summary of the images' Dice, NaN (empty truths) left out.

    >>> scores = per_image([0.05, 0.5, 0.9, float("nan")])
    >>> scores.n, scores.worst_decile, scores.failures
    (3, 0.05, 1)
    """
    values = np.asarray(dice, np.float64)
    values = np.sort(values[~np.isnan(values)])
    if not values.size:
        return PerImage(0, math.nan, math.nan, math.nan, math.nan, 0)
    means = _counts(values.size, seed) @ values / values.size
    low, high = np.percentile(means, [2.5, 97.5])
    tenth = values[: math.ceil(values.size / 10)]
    failures = int((values < FAILURE).sum())
    return PerImage(values.size, float(values.mean()), float(low), float(high), float(tenth.mean()), failures)


@lru_cache(maxsize=4)
def _counts(images: int, seed: int) -> NDArray[np.float32]:
    """How often each image is drawn, (DRAWS, images): the same draws for every mask, so that the masks compare."""
    return np.random.default_rng(seed).multinomial(images, [1 / images] * images, size=DRAWS).astype(np.float32)


def cases_by_rule(left: Mapping[str, float], right: Mapping[str, float]) -> list[tuple[str, str]]:
    """(rule, image) of the images to look at, chosen by rule and never by eye: best, median and worst of the mean Dice
    of both sides, and the largest disagreement either way. Images without a Dice on both sides are left out.
    """
    names = sorted(name for name in left.keys() & right.keys() if not math.isnan(left[name] + right[name]))
    if not names:
        return []
    by_mean = sorted(names, key=lambda name: (left[name] + right[name], name))
    by_difference = sorted(names, key=lambda name: (left[name] - right[name], name))
    around_median = sorted(by_mean, key=lambda name: abs(by_mean.index(name) - len(by_mean) // 2))
    orders = {
        "best": by_mean[::-1],
        "median": around_median,
        "worst": by_mean,
        "contracting most ahead": by_difference[::-1],
        "expanding most ahead": by_difference,
    }
    chosen: dict[str, str] = {}  # an image that one rule has taken is passed over by the next
    for rule, candidates in orders.items():
        chosen[rule] = next((name for name in candidates if name not in chosen.values()), candidates[0])
    return list(chosen.items())

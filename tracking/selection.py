"""The best of many masks: what is left of its lead once the choice itself is allowed for, and who ties with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracking.statistics import Comparison, corrected_t, holm, spread

DRAWS = 2000
FEWEST = 10  # images below which a bootstrap of images says nothing


@dataclass(frozen=True)
class Selection:
    """The winner's curse, measured. `apparent`: the highest column mean; `corrected`: what choosing the best brings on
    images that had no part in the choice, with its 95 % range `low`..`high`; `frequencies`: how often each column wins.
    """

    best: int
    apparent: float
    corrected: float
    low: float
    high: float
    frequencies: tuple[float, ...]
    draws: int

    @property
    def optimism(self) -> float:
        """By how much the winner looks better than it is."""
        return self.apparent - self.corrected


def bbc_cv(scores: NDArray[np.float64], draws: int = DRAWS, seed: int = 0) -> Selection:
    """Bootstrap the (images, masks) matrix of out-of-fold scores: choose in-bag, score out-of-bag.

    Of equal columns the first wins, so put the cheapest first. It allows for the luck of the images, not for that of
    one training. No NaN. Raises `ValueError` for fewer than ten images or two masks.
    Source: Tsamardinos, Greasidou and Borboudakis, Machine Learning 107 (2018), algorithm BBC-CV.
    """
    images, masks = scores.shape
    if images < FEWEST or masks < 2:
        raise ValueError(f"BBC-CV needs at least {FEWEST} images and 2 masks, but got {images} and {masks}.")
    rng = np.random.default_rng(seed)
    outside = np.empty(draws)
    chosen = np.empty(draws, np.intp)
    for draw in range(draws):
        counts = np.bincount(rng.integers(images, size=images), minlength=images)
        chosen[draw] = np.argmax(counts @ scores)
        outside[draw] = scores[counts == 0, chosen[draw]].mean()
    means = scores.mean(axis=0)
    low, high = np.percentile(outside, [2.5, 97.5])
    wins = np.bincount(chosen, minlength=masks) / draws
    best = int(np.argmax(means))
    return Selection(best, float(means[best]), float(outside.mean()), float(low), float(high),
                     tuple(float(share) for share in wins), draws)  # fmt: skip


def against_best(
    folds: NDArray[np.float64], n_train: Sequence[int], n_test: Sequence[int]
) -> tuple[int, tuple[Comparison, ...]]:
    """The best row of the (masks, folds) matrix, and best minus each row, Holm over all but the best itself.

    A row ties with the best when its `p_holm` is above 0.05 or there is no test (the best against itself).
    """
    best = int(np.nanargmax([spread(row).mean for row in folds]))
    return best, holm([corrected_t(list(folds[best] - row), n_train, n_test) for row in folds])


def ties(comparison: Comparison) -> bool:
    """Whether a row of `against_best` cannot be told from the best."""
    return not comparison.p_holm <= 0.05


def one_standard_error(folds: NDArray[np.float64], costs: Sequence[int]) -> tuple[int, float]:
    """The cheapest row within one SEM (SD / sqrt(n)) of the best row, and that floor.

    Source: Breiman, Friedman, Olshen and Stone, Classification and Regression Trees (1984), the 1 SE rule.
    """
    found = [spread(row) for row in folds]
    best = max((one for one in found if one.n), key=lambda one: one.mean)
    floor = best.mean - (best.sem if best.n > 1 else 0.0)
    return min((cost, -one.mean, row) for row, (one, cost) in enumerate(zip(found, costs, strict=True))
               if one.mean >= floor)[2], floor  # fmt: skip

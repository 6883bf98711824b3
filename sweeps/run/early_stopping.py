"""Stopping early: a proposed candidate is dropped between two folds once it is clearly worse than the best so far.

Both are compared on the same images, so how hard an image is cancels out. What does not: the images of one fold share
one training, and how well a training went by chance moves all of them together (0.01 to 0.02 Dice here), which no
statistic of images sees; and the best so far is the highest of many, partly by luck. So the difference has to exceed
a standard error of both kinds of chance, and a margin. The constants were chosen on a table of all 511 sets of blocks
(`tests/benchmarks/early_stopping.py`; synthetic phantoms, three seeds, two epoch counts), on the safe side: in 1,200
searches in random order the true best was never dropped, nor any of the true best five, and 41 % of the trainings of
all sets were saved, 38 % of the first 41. On a table of real ultrasound, which had no part in that choice, the best was
never dropped in 800 searches, 2 % of the best five were, and 16 % were saved (11 % of the first 41). A search that
proposes good candidates has less to drop (`guided`: 4 % and 1 %).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sweeps.spec.search_section import Search
from sweeps.spec.strategy_names import LISTS
from trainer.candidate import Candidate
from trainer.errors import StoreAway
from trainer.results import FoldResult

if TYPE_CHECKING:  # the rule itself needs none of these, which take seconds
    from sweeps.run.objective import Drop
    from sweeps.spec.space import Space
    from tracking.store.writer import Tracker

STANDARD_ERRORS = 2.0
FOLD_NOISE = 0.02  # Dice: SD of the difference of two trainings of one fold that only chance makes differ
MARGIN = 0.01  # Dice: by how much the highest of many looks better than it is

# Strategies that need every score whole: lists are compared as wholes, and what is worse in Dice may be a cheap mask of
# the Pareto front.
NEED_WHOLE_SCORES = (*LISTS, "nsga2")


def clearly_worse(
    mean: NDArray[np.float64],
    variance: NDArray[np.float64],
    images: int,
    folds: int,
    standard_errors: float = STANDARD_ERRORS,
    fold_noise: float = FOLD_NOISE,
    margin: float = MARGIN,
) -> NDArray[np.bool_]:
    """Whether to drop, from the `mean` and `variance` (n - 1) of paired differences in Dice (candidate minus best).

    Of any shape; `images` were compared in the first `folds` folds.
    """
    error = np.sqrt(variance / images + fold_noise**2 / folds)
    return np.asarray(mean + margin < -standard_errors * error)


def estimate(own: Mapping[str, float], best: Mapping[str, float], best_mean: float, folds: int) -> float | None:
    """The estimated mean Dice of a candidate that is to be dropped, None to go on.

    `own` and `best`: image -> Dice (NaN: empty truth, left out), `own` of its first `folds` folds; `best_mean`: the
    best's over all folds. Where an image of `own` is missing in `best`, nothing is dropped.
    """
    scored_images = {image for image, dice in own.items() if not math.isnan(dice)}
    if len(scored_images) < 2 or not scored_images <= best.keys():
        return None
    pairs = np.array([own[image] - best[image] for image in sorted(scored_images)])
    mean, variance = pairs.mean(), pairs.var(ddof=1)
    if not clearly_worse(mean, variance, len(pairs), folds):
        return None
    return float(best_mean + mean)


def make_drop_rule(
    search: Search, space: Space, spared: Collection[Candidate], tracker: Tracker, sweep_run: str
) -> Drop:
    """Make the rule that a sweep's objective asks: it compares a candidate with the best trial finished so far.

    Best: the highest mean Dice at the same epochs inside `space`. A baseline that constraints forbid is no measure for
    what they allow; while there is no other trial, nothing is dropped. Candidates in `spared` (what a search starts
    from) are never dropped, and none is without `stop_early` or under a strategy that needs every score. Other workers
    may finish a better trial at any moment; a decision before that is only more careful. So is one while the server
    that holds the record is away: then nothing is dropped.
    """
    from sweeps.run.objective import never_drop

    if not search.stop_early or search.strategy in NEED_WHOLE_SCORES:
        return never_drop
    never_dropped = frozenset(spared)
    dice_of = lru_cache(maxsize=8)(tracker.dice_by_image)

    def drop(candidate: Candidate, results: Sequence[FoldResult]) -> float | None:
        try:
            best = None if candidate in never_dropped else tracker.highest(sweep_run, candidate, space)
            if best is None or best.dice is None:
                return None
            own = {score.image: score.dice for result in results for score in result.scores}
            return estimate(own, dice_of(best.run_id), best.dice, len(results))
        except StoreAway:
            return None

    return drop

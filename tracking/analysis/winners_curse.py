"""The best of many masks: its score and lead corrected for the choice of the best, and which masks tie with it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracking.record import TrialRecord
from tracking.statistics import added, critical, spread, tail, variance_factor

DRAWS = 2000
FEWEST = 10  # images below which a bootstrap of images says nothing


@dataclass(frozen=True)
class Selection:
    """The winner's curse, measured. `apparent`: the highest column mean; `corrected`: what choosing the best brings on
    images that had no part in the choice, with its 95 % range `low`..`high`; `frequencies`: how often each column wins;
    `ahead`: by how much the choice lies above each reference on those same images.
    """

    best: int
    apparent: float
    corrected: float
    low: float
    high: float
    frequencies: tuple[float, ...]
    draws: int
    ahead: tuple[float, ...] = ()

    @property
    def optimism(self) -> float:
        """By how much the winner looks better than it is."""
        return self.apparent - self.corrected


def bbc_cv(
    scores: NDArray[np.float64], draws: int = DRAWS, seed: int = 0, references: Sequence[NDArray[np.float64]] = ()
) -> Selection:
    """Bootstrap the (images, masks) matrix of out-of-fold scores: choose in-bag, score out-of-bag.

    Of equal columns the first wins, so put the cheapest first. It accounts for the choice of images, not for
    the randomness of one training. No NaN. Raises `ValueError` for fewer than ten images or two masks.
    A reference is an (images, columns) matrix of its own, such as one mask at all its settings: its best column is
    chosen in-bag too, so that neither side of a difference is favoured.
    Source: Tsamardinos, Greasidou and Borboudakis, Machine Learning 107 (2018), algorithm BBC-CV.
    """
    images, masks = scores.shape
    if images < FEWEST or masks < 2:
        raise ValueError(f"BBC-CV needs at least {FEWEST} images and 2 masks, but got {images} and {masks}.")
    rng = np.random.default_rng(seed)
    outside = np.empty(draws)
    chosen = np.empty(draws, np.intp)
    ahead = np.zeros(len(references))
    for draw in range(draws):
        counts = _draw_counts(rng, images)
        chosen[draw] = np.argmax(counts @ scores)
        outside[draw] = scores[counts == 0, chosen[draw]].mean()
        for index, reference in enumerate(references):
            ahead[index] += outside[draw] - reference[counts == 0, np.argmax(counts @ reference)].mean()
    means = scores.mean(axis=0)
    low, high = np.percentile(outside, [2.5, 97.5])
    wins = np.bincount(chosen, minlength=masks) / draws
    best = int(np.argmax(means))
    leads = tuple(float(lead) for lead in ahead / draws)
    shares = tuple(float(share) for share in wins)
    return Selection(best, float(means[best]), float(outside.mean()), float(low), float(high), shares, draws, leads)


def image_scores(trials: Sequence[TrialRecord]) -> tuple[list[str], NDArray[np.float64]]:
    """Names and the (images, trials) out-of-fold Dice of the images that all trials scored; empty truths left out."""
    columns = [dice_by_image(trial) for trial in trials]
    names = sorted(set.intersection(*(set(column) for column in columns)))
    return names, np.array([[column[name] for column in columns] for name in names]).reshape(-1, len(columns))


def dice_by_image(trial: TrialRecord) -> dict[str, float]:
    """image -> out-of-fold Dice, where there is one."""
    return {score.image: score.dice for _, score in trial.scores if not math.isnan(score.dice)}


def _draw_counts(rng: np.random.Generator, images: int) -> NDArray[np.float64]:
    """How often each image is drawn; never a draw that leaves none out, which happens with ten images."""
    while True:
        counts = np.bincount(rng.integers(images, size=images), minlength=images)
        if not counts.all():
            return counts.astype(np.float64)


@dataclass(frozen=True)
class Behind:
    """How far a mask's mean lies behind the best one's; `p` two-sided, `p_adjusted` for all pairs of masks (the best is
    known only afterwards, so any pair could have been looked at); `margin`: half the width of the 95 % interval of the
    distance, without an allowance for the number of masks. NaN where there is no test.
    """

    mean: float
    p: float
    p_adjusted: float
    margin: float


@dataclass(frozen=True)
class FurtherVariance:
    """A variance of each row's distance from the best that folds do not show, known with `df` degrees of freedom."""

    of_rows: Sequence[float]
    df: int


def against_best(
    folds: NDArray[np.float64],
    n_train: Sequence[int],
    n_test: Sequence[int],
    *,
    further: FurtherVariance | None = None,
) -> tuple[int, tuple[Behind, ...]]:
    """The best row of the (masks, folds) matrix, and every row's distance from it.

    Corrected t with one spread for all masks: the residual of masks x folds, (masks - 1)(folds - 1) degrees of freedom
    instead of folds - 1. For two masks it is `corrected_t`. With each mask's own spread and four degrees of freedom,
    no difference of this size could be detected, and equal masks were excluded more often
    (tests/tracking/false_positives.py). Folds where a mask has no score are left out; rows without
    any score never win. `further`: what is added to the variance of each distance.
    """
    means = np.array([spread(row).mean for row in folds])
    best = int(np.nanargmax(means))
    scored = ~np.isnan(means)
    complete = ~np.isnan(folds[scored]).any(axis=0)
    table = folds[np.ix_(scored, complete)]
    masks, count = table.shape
    untested = tuple(Behind(float(means[best] - mean), math.nan, math.nan, math.nan) for mean in means)
    if masks < 2 or count < 2:
        return best, untested
    pooled, pooled_df = _pooled(table, variance_factor(*_complete_sizes(complete, n_train, n_test)))
    if pooled <= 1e-12:
        return best, untested
    pairs = masks * (masks - 1) // 2
    tested = []
    for row, plain in enumerate(untested):
        if not scored[row]:
            tested.append(plain)
            continue
        behind = float((folds[best] - folds[row])[complete].mean())
        se, df = (
            added(pooled, pooled_df, further.of_rows[row], further.df)
            if further and further.of_rows[row] > 0
            else (pooled, pooled_df)
        )
        p = math.nan if row == best else 2 * tail(abs(behind) / se, df)
        tested.append(Behind(behind, p, min(1.0, pairs * p), critical(df) * se))
    return best, tuple(tested)


def _complete_sizes(complete: NDArray[np.bool_], *sides: Sequence[int]) -> Iterator[list[int]]:
    """Each side's fold sizes, those of the kept folds."""
    for sizes in sides:
        yield [size for size, is_complete in zip(sizes, complete, strict=True) if is_complete]


def _pooled(table: NDArray[np.float64], factor: float) -> tuple[float, int]:
    """Corrected standard error of the difference of two rows from the residual of masks x folds; its df."""
    residuals = table - table.mean(axis=1, keepdims=True) - table.mean(axis=0) + table.mean()
    df = (table.shape[0] - 1) * (table.shape[1] - 1)
    return math.sqrt(2 * factor * float((residuals**2).sum()) / df), df


def one_standard_error(folds: NDArray[np.float64], costs: Sequence[int]) -> tuple[int, float]:
    """The cheapest row within one SEM (SD / sqrt(n)) of the best row, and that floor.

    Source: Breiman, Friedman, Olshen and Stone, Classification and Regression Trees (1984), the 1 SE rule.
    """
    spreads = [spread(row) for row in folds]
    best = max((row for row in spreads if row.n), key=lambda row: row.mean)
    floor = best.mean - (best.sem if best.n > 1 else 0.0)
    rows = enumerate(zip(spreads, costs, strict=True))
    return min((cost, -row.mean, index) for index, (row, cost) in rows if row.mean >= floor)[2], floor

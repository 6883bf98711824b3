"""Comparisons paired by fold and corrected for folds that share training data (docs/protocol.md)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import nctdtrinc, stdtr, stdtrit

from trainer.results import Score

EQUIVALENCE = 0.01  # Dice: a smaller difference than this is of no practical use (docs/protocol.md)
SURE = 0.95  # from this probability on a difference counts as practically equal to 0
LEVEL = 0.95
NAN = float("nan")


@dataclass(frozen=True)
class Spread:
    """Mean over folds with its two usual spreads: `sd` with n - 1, `sem` = sd / sqrt(n). NaN folds are left out."""

    mean: float
    sd: float
    sem: float
    n: int


def spread(values: Sequence[float]) -> Spread:
    """Mean, SD and SEM of the values that are not NaN.

    >>> scores = spread([0.7, 0.8, 0.9])
    >>> round(scores.mean, 3), round(scores.sd, 3), scores.n
    (0.8, 0.1, 3)
    """
    numbers = _without_nan(values)
    mean = math.fsum(numbers) / numbers.size if numbers.size else NAN
    sd = float(numbers.std(ddof=1)) if numbers.size > 1 else NAN
    return Spread(mean, sd, sd / math.sqrt(numbers.size) if numbers.size else NAN, int(numbers.size))


@dataclass(frozen=True)
class Comparison:
    """A corrected resampled t-test of fold differences; everything in the metric's own unit.

    `mean` of the difference in each of the `folds` (NaN: no score on both sides) with its `sd` (n - 1); `se`: corrected
    standard error; `t` with `df` degrees of freedom. `low`..`high`: 95 % interval; `p` two-sided, `p_holm` after Holm
    (NaN before `holm`); `p_above`, `p_within`, `p_below`: probability that the true difference is above +0.01, within
    ±0.01, below -0.01, read off the same t distribution (a flat prior). `note` is empty, or says why there is no test.
    """

    mean: float
    sd: float
    se: float
    t: float
    df: int
    p: float
    low: float
    high: float
    p_above: float
    p_within: float
    p_below: float
    folds: tuple[float, ...] = ()
    p_holm: float = NAN
    note: str = ""


def variance_factor(n_train: Sequence[int], n_test: Sequence[int]) -> float:
    """1/n + n_test/n_train, the Nadeau-Bengio factor that replaces the plain 1/n; 0.45 for five equal folds.

    Counts are original images per fold. Source: Nadeau and Bengio, Inference for the Generalization Error (2003).
    """
    ratios = [test / train for train, test in zip(n_train, n_test, strict=True)]
    return 1 / len(ratios) + sum(ratios) / len(ratios)


def corrected_t(differences: Sequence[float], n_train: Sequence[int], n_test: Sequence[int]) -> Comparison:
    """Test paired fold differences against zero. A fold whose difference is NaN is left out with its counts."""
    if not len(differences) == len(n_train) == len(n_test):
        raise ValueError(f"One count per fold: {len(differences)} differences, {len(n_train)} and {len(n_test)} counts")
    scored = [i for i, value in enumerate(differences) if not math.isnan(value)]
    over_folds = spread([differences[i] for i in scored])
    untested = _untested(over_folds.mean, over_folds.sd, tuple(differences))
    if reason := _why_untested(over_folds):
        return replace(untested, note=reason)
    factor = variance_factor([n_train[i] for i in scored], [n_test[i] for i in scored])
    se, df = over_folds.sd * math.sqrt(factor), over_folds.n - 1
    return replace(
        untested,
        **_test(over_folds.mean, se, df),
        note=""
        if over_folds.n == len(differences)
        else f"{len(differences) - over_folds.n} fold(s) without a score left out",
    )


def critical(df: float, comparisons: int = 1) -> float:
    """The t value that a two-sided 95 % interval ends at: 2.776 for four degrees of freedom. `comparisons`: how many
    intervals are to hold together (Bonferroni).
    """
    return float(stdtrit(df, 1 - (1 - LEVEL) / 2 / comparisons))


def tail(statistic: float, df: float) -> float:
    """P(T > statistic) of Student's t; scipy.special is fifty times faster than scipy.stats on single numbers."""
    return float(stdtr(df, -statistic))


def _why_untested(over_folds: Spread) -> str:
    """Why there is no test; empty where there is one."""
    if over_folds.n == 0:
        return "no fold has a score for both sides"
    if over_folds.n == 1:
        return "only one fold has a score for both sides; an interval needs two or more"
    # Equal differences need not have an SD of exactly 0 in floating point.
    if over_folds.sd <= 1e-12 * max(1.0, abs(over_folds.mean)):
        return "every fold gave the same difference, which leaves no spread to judge by"
    return ""


def _untested(mean: float, sd: float, folds: tuple[float, ...]) -> Comparison:
    return Comparison(mean, sd, NAN, NAN, 0, NAN, NAN, NAN, NAN, NAN, NAN, folds)


def holm(comparisons: Sequence[Comparison]) -> tuple[Comparison, ...]:
    """The same comparisons with `p_holm` set: step-down Bonferroni over those that have a p value."""
    tested = sorted(
        (i for i, comparison in enumerate(comparisons) if not math.isnan(comparison.p)),
        key=lambda i: comparisons[i].p,
    )
    adjusted, running = list(comparisons), 0.0
    for rank, i in enumerate(tested):
        running = max(running, min(1.0, (len(tested) - rank) * comparisons[i].p))
        adjusted[i] = replace(comparisons[i], p_holm=running)
    return tuple(adjusted)


def area_between_curves(shallow: NDArray[np.float64], deep: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean over k of (shallow_k - deep_k) for every fold; both are (depths, ..., folds), k = 1 .. n_blocks - 1."""
    return np.asarray((shallow - deep).mean(axis=0), np.float64)


def significance_threshold(se: float, df: int) -> float:
    """The smallest mean difference whose 95 % interval excludes 0: 1.86 SD for five equal folds."""
    return critical(df) * se if df > 0 else NAN


def detectable(se: float, df: int, power: float = 0.8) -> float:
    """The true difference that the test finds with probability `power`: about 2.5 SD for five equal folds."""
    if df < 1 or not se > 0:
        return NAN
    # Non-centrality at which 1 - power of the noncentral t lies below the critical value; the chance of a significant
    # result in the wrong direction is below 1e-4 here and left out.
    shift = float(nctdtrinc(df, 1 - power, critical(df)))
    return shift * se


def finding(comparison: Comparison) -> str:
    """The verdict's first words: the interval decides, then the probability of a practically equal result.

    "shallow" is the positive side: contracting - expanding, or the area shallow-first - deep-first.
    """
    return finding_of(comparison.low, comparison.high, comparison.p_within)


def finding_of(low: float, high: float, within: float) -> str:
    """The same for any 95 % interval; `within`: the probability of a practically equal result.

    >>> finding_of(0.01, 0.05, 0.1), finding_of(-0.02, 0.03, 0.4)
    ('shallow better', 'no difference shown')
    """
    if low > 0:
        return "shallow better"
    if high < 0:
        return "deep better"
    if within > SURE:
        return "practically equal"
    return "no difference shown"


def _without_nan(values: Sequence[float]) -> NDArray[np.float64]:
    array = np.asarray(values, np.float64)
    return array[~np.isnan(array)]


def pooled_dice(scores: Sequence[Score]) -> float:
    """Dice of all pixels of all images taken as one image; NaN when there is neither truth nor prediction."""
    tp, wrong = sum(score.tp for score in scores), sum(score.fp + score.fn for score in scores)
    return 2 * tp / (2 * tp + wrong) if tp + wrong else math.nan


def false_positive_percent(scores: Sequence[Score]) -> float:
    """Mean share of each image wrongly called lesion, in %."""
    shares = [100 * score.fp / (score.tp + score.fp + score.fn + score.tn) for score in scores]
    return sum(shares) / len(shares) if shares else math.nan


def with_repeats(comparison: Comparison, means: Sequence[float]) -> Comparison:
    """The comparison when its mean is that of repeats, of `means`, which differ in what folds do not show: the variance
    of their mean is added, and t is read with the degrees of freedom of Satterthwaite (1946), rounded down. One repeat
    shows nothing, and where nothing could be tested it stays as it is.
    """
    count = len(means)
    variance = float(np.var(means, ddof=1)) / count if count > 1 else 0.0
    if math.isnan(comparison.se) or not variance > 0:
        return comparison
    return replace(comparison, **_test(comparison.mean, *added(comparison.se, comparison.df, variance, count - 1)))


def added(se: float, own_df: int, variance: float, df: int) -> tuple[float, int]:
    """Standard error and degrees of freedom of a mean with a further, independent `variance` (Satterthwaite 1946)."""
    own = se**2
    both = int((own + variance) ** 2 / (own**2 / own_df + variance**2 / df))
    return math.sqrt(own + variance), max(1, both)


def _test(mean: float, se: float, df: int) -> dict[str, Any]:
    """The fields of a `Comparison` that follow from mean, standard error and degrees of freedom."""
    margin = critical(df) * se
    above, below = tail((EQUIVALENCE - mean) / se, df), tail((EQUIVALENCE + mean) / se, df)
    return {
        "se": se,
        "t": mean / se,
        "df": df,
        "p": 2 * tail(abs(mean / se), df),
        "low": mean - margin,
        "high": mean + margin,
        "p_above": above,
        "p_within": max(0.0, 1 - above - below),
        "p_below": below,
    }

"""Two sweeps side by side: does the direction depend on the data? Numbers only; `page_two_sweeps` shows them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from tracking.analysis.comparisons import AREA, HALVES
from tracking.analysis.contrasts import Difference
from tracking.analysis.seeds import read
from tracking.best_mask.candidates import candidates_of
from tracking.record import SweepRecord
from tracking.spec_view import view_spec
from tracking.statistics import EQUIVALENCE, Comparison, critical, holm, tail
from tracking.summary.comparable import check_comparable
from tracking.summary.many_sweeps import ManySweeps, are_paired, compare_many
from tracking.summary.sweep import SCHEMA, SweepSummary, summarise
from tracking.summary.sweep_notes import Sweeps, notes_on, units_of


@dataclass(frozen=True)
class PooledNoise:
    """How far other seeds would move a difference between sweeps: the `sd` and `se` of both added in squares, because
    their seeds do not pair.
    """

    sd: float
    se: float


@dataclass(frozen=True)
class SweepDifference(Comparison):
    """A co-primary comparison of the first sweep minus that of the second, in Dice; Holm over both. `folds` is empty
    and `sd` NaN, because folds of different data do not pair. `noise`: None unless both sweeps were repeated.
    """

    noise: PooledNoise | None = None


@dataclass(frozen=True)
class SweepDifferences:
    """The first sweep's `contracting_vs_expanding` and `area_between_curves` minus the second's; None where one of them
    has none.
    """

    contracting_vs_expanding: SweepDifference | None = None
    area_between_curves: SweepDifference | None = None


@dataclass(frozen=True)
class Pair:
    """One co-primary comparison under its `title`: in the `first` sweep, in the `second`, and how they differ
    (`apart`); None for what could not be made.
    """

    title: str
    first: Difference | None
    second: Difference | None
    apart: SweepDifference | None


@dataclass(frozen=True)
class TwoSweeps:
    """Two sweeps set side by side. `schema`: version of these fields. `sweeps`: the summary of each. `difference`:
    between their co-primary comparisons. `finding`: whether the direction depends on the data, or on what masks count
    where that differs, None where there is nothing to judge; `sentence`: that with its numbers; `notes`: what else
    differs. `best`: whose best mask is better, of sweeps that have the same images in the same folds, which pair; None
    of others.
    """

    schema: int
    sweeps: tuple[SweepSummary, SweepSummary]
    difference: SweepDifferences
    finding: str | None
    sentence: str
    notes: tuple[str, ...]
    best: ManySweeps | None

    @property
    def pairs(self) -> tuple[Pair, Pair]:
        """The co-primary comparisons of both sweeps beside their differences."""
        first, second = (sweep.comparison for sweep in self.sweeps)
        apart = self.difference
        return (
            Pair(
                HALVES,
                first.contracting_vs_expanding,
                second.contracting_vs_expanding,
                apart.contracting_vs_expanding,
            ),
            Pair(AREA, first.area_between_curves, second.area_between_curves, apart.area_between_curves),
        )

    @property
    def synthetic(self) -> bool:
        """Whether any of the two used synthetic images."""
        return any(sweep.data.synthetic for sweep in self.sweeps)


def subtract(first: Comparison, second: Comparison) -> SweepDifference:
    """`first` - `second`, two comparisons of different sweeps: standard errors add in squares, degrees of freedom after
    Welch and Satterthwaite.
    """
    mean, nan = first.mean - second.mean, math.nan
    without_error = next((comparison.note for comparison in (first, second) if math.isnan(comparison.se)), "")
    if without_error:
        return SweepDifference(mean, nan, nan, nan, 0, nan, nan, nan, nan, nan, nan, note=without_error)
    variances = [comparison.se**2 for comparison in (first, second)]
    se = math.sqrt(sum(variances))
    df = sum(variances) ** 2 / sum(
        variance**2 / comparison.df for variance, comparison in zip(variances, (first, second), strict=True)
    )
    margin = critical(df) * se
    above, below = tail((EQUIVALENCE - mean) / se, df), tail((EQUIVALENCE + mean) / se, df)
    return SweepDifference(
        mean=mean,
        sd=nan,
        se=se,
        t=mean / se,
        df=round(df),
        p=2 * tail(abs(mean) / se, df),
        low=mean - margin,
        high=mean + margin,
        p_above=above,
        p_within=max(0.0, 1 - above - below),
        p_below=below,
    )


def compare_sweeps(first: SweepRecord, second: SweepRecord) -> TwoSweeps:
    """Both summaries, and what differs between them. Raises `UserError` when the two cannot be compared.

    Sweeps of one data set whose masks count different units share contracting - expanding only: the steps of their
    curves are not the same, so the areas between them are not subtracted.
    """
    check_comparable(first, second)
    sweeps = (summarise(first), summarise(second))
    difference = _subtract_shared(sweeps)
    measured = all(candidates_of(read(record)).trials for record in (first, second))
    best = compare_many((first, second)) if measured and are_paired(first, second) else None
    undecided = TwoSweeps(SCHEMA, sweeps, difference, None, "", tuple(notes_on(sweeps)), best)
    finding, sentence = _judge(undecided)
    return replace(undecided, finding=finding, sentence=sentence)


def _subtract_shared(sweeps: Sweeps) -> SweepDifferences:
    """The differences of what both sweeps have, Holm over them."""
    first, second = (sweep.comparison for sweep in sweeps)
    halves = _apart(first.contracting_vs_expanding, second.contracting_vs_expanding)
    area = _apart(first.area_between_curves, second.area_between_curves) if len(units_of(sweeps)) == 1 else None
    differences = [difference for difference in (halves, area) if difference is not None]
    adjusted = iter(
        [
            replace(difference, p_holm=tested.p_holm)
            for difference, tested in zip(differences, holm(differences), strict=True)
        ]
    )
    return SweepDifferences(next(adjusted) if halves else None, next(adjusted) if area else None)


def _apart(first: Difference | None, second: Difference | None) -> SweepDifference | None:
    if first is None or second is None:
        return None
    return replace(subtract(first, second), noise=_noise(first, second))


def _noise(first: Difference, second: Difference) -> PooledNoise | None:
    """How far other seeds would move the difference; None unless both sweeps were repeated."""
    if first.noise is None or second.noise is None:
        return None
    return PooledNoise(math.hypot(first.noise.sd, second.noise.sd), math.hypot(first.noise.se, second.noise.se))


def _judge(two: TwoSweeps) -> tuple[str | None, str]:
    """Opposite findings, a gain that differs, or neither shown; the last is no evidence that both are equal."""
    for pair in two.pairs:
        if pair.first is not None and pair.second is not None and pair.apart is not None:
            finding = _finding(pair.first, pair.second, pair.apart, _cause(two.sweeps))
            return (
                finding,
                f"{finding.capitalize()}: {_numbers(pair.title, pair.first, pair.second, pair.apart, two.sweeps)}",
            )
    return None, "No verdict yet: the two sweeps have no finished comparison in common."


def _finding(first: Comparison, second: Comparison, apart: Comparison, cause: str) -> str:
    signs = [(comparison.low > 0) - (comparison.high < 0) for comparison in (first, second)]
    differ = apart.low > 0 or apart.high < 0
    if signs[0] * signs[1] < 0 and differ:
        return f"the direction depends on {cause}"
    return f"the size of the difference depends on {cause}" if differ else f"no dependence on {cause} shown"


def _numbers(title: str, first: Comparison, second: Comparison, apart: Comparison, sweeps: Sweeps) -> str:
    size = f"95 % interval {apart.low:+.3f} to {apart.high:+.3f}"
    if math.isnan(apart.low):
        size = f"no interval: {apart.note}"
    return (
        f"{title.partition(' (')[0]} is {first.mean:+.3f} Dice in {sweeps[0].sweep} and "
        f"{second.mean:+.3f} in {sweeps[1].sweep}, {apart.mean:+.3f} apart [{size}]."
    )


def _cause(sweeps: Sweeps) -> str:
    """What differs between the sweeps first of all; of the same images whatever else they were given."""
    if len(units_of(sweeps)) > 1:
        return "what masks count"
    first, second = sweeps
    if first.data.digest != second.data.digest:
        return "the data"
    return "the network" if view_spec(first.settings).network != view_spec(second.settings).network else "the settings"

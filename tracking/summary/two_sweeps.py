"""Two sweeps side by side: does the direction depend on the data? Numbers only; `page_two_sweeps` shows them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tracking.analysis.comparisons import AREA, HALVES
from tracking.analysis.contrasts import Difference
from tracking.analysis.seeds import read
from tracking.data_view import view_data
from tracking.record import METRICS, SweepInfo, SweepRecord
from tracking.statistics import EQUIVALENCE, Comparison, critical, holm, tail
from tracking.summary.sweep import SCHEMA, SweepSummary, summarise
from tracking.summary.wording import setting
from tracking.units import WORDS, head_of, unit_of
from trainer.errors import UserError


@dataclass(frozen=True)
class PooledNoise:
    """How far other seeds would move a difference between sweeps: the `sd` and `se` of both added in squares, for their
    seeds do not pair.
    """

    sd: float
    se: float


@dataclass(frozen=True)
class SweepDifference(Comparison):
    """A co-primary comparison of the first sweep minus that of the second, in Dice; Holm over both. `folds` is empty
    and `sd` NaN, for folds of different data do not pair. `noise`: None unless both sweeps were repeated.
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
    differs.
    """

    schema: int
    sweeps: tuple[SweepSummary, SweepSummary]
    difference: SweepDifferences
    finding: str | None
    sentence: str
    notes: tuple[str, ...]

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
    without_error = next((one.note for one in (first, second) if math.isnan(one.se)), "")
    if without_error:
        return SweepDifference(mean, nan, nan, nan, 0, nan, nan, nan, nan, nan, nan, note=without_error)
    parts = [one.se**2 for one in (first, second)]
    se = math.sqrt(sum(parts))
    df = sum(parts) ** 2 / sum(part**2 / one.df for part, one in zip(parts, (first, second), strict=True))
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
    check(first, second)
    sweeps = (summarise(first), summarise(second))
    difference = _subtract_shared(sweeps)
    undecided = TwoSweeps(SCHEMA, sweeps, difference, None, "", tuple(_notes(sweeps)))
    finding, sentence = _judge(undecided)
    return replace(undecided, finding=finding, sentence=sentence)


def check(first: SweepRecord, second: SweepRecord) -> None:
    """Raises `UserError` unless two different sweeps have the same metrics, as many folds and as many blocks.

    Masks may count blocks in one and convolutions in the other, but only on the same images: else two things differ at
    once. Other budgets, rates, seeds, folds and heads are no reason to refuse; they are said in the notes.
    """
    infos = first.info, second.info
    if first.run_id == second.run_id:
        raise UserError(f"Two sweeps can be set side by side, but both are {first.info.name!r}. Name another one.")
    _check_metrics(first, second)
    _check_units(*infos)
    _check_counts(*infos)


def measured(record: SweepRecord) -> tuple[str, ...]:
    """The metrics that any finished trial has a value of; leaky trials and unfinished repeats do not count."""
    finished = read(record).honest.finished
    return tuple(
        metric
        for metric in METRICS
        if any(not math.isnan(value) for trial in finished for value in trial.folds[metric])
    )


def _check_metrics(first: SweepRecord, second: SweepRecord) -> None:
    metrics = [measured(one) for one in (first, second)]
    if metrics[0] != metrics[1]:
        names = (first.info.name, second.info.name)
        words = [f"{name!r} has {', '.join(has) or 'none yet'}" for name, has in zip(names, metrics, strict=True)]
        raise UserError(
            "Sweeps can be set side by side only when they measured the same metrics, but "
            f"{' and '.join(words)}. Let both finish, or compare sweeps that were recorded alike."
        )


def _check_units(first: SweepInfo, second: SweepInfo) -> None:
    units = [unit_of(one.spec) for one in (first, second)]
    if units[0] != units[1] and view_data(first.data).digest != view_data(second.data).digest:
        raise UserError(
            "Sweeps whose masks count different units can be set side by side only on the same images, else two things "
            f"differ at once, but {first.name!r} counts {WORDS[units[0]]}s, {second.name!r} counts {WORDS[units[1]]}s, "
            f"and their images differ. Run one of them again with --set partition.unit={units[0]} under another --name."
        )


def _check_counts(first: SweepInfo, second: SweepInfo) -> None:
    """As many folds, and where masks count the same unit as many of these."""
    if len(first.folds) != len(second.folds):
        raise UserError(
            f"{_unequal('folds', first, len(first.folds), second, len(second.folds))}, for instance with --set folds=N "
            "under another --name."
        )
    if unit_of(first.spec) == unit_of(second.spec) and first.n_blocks != second.n_blocks:
        what = f"{WORDS[unit_of(first.spec)]}s"
        raise UserError(f"{_unequal(what, first, first.n_blocks, second, second.n_blocks)}{_head_hint(first, second)}")


def _unequal(what: str, first: SweepInfo, one: int, second: SweepInfo, other: int) -> str:
    return (
        f"Sweeps can be set side by side only with equal numbers of {what}, but {first.name!r} has {one} "
        f"and {second.name!r} has {other}. Run one of them again to match"
    )


def _head_hint(first: SweepInfo, second: SweepInfo) -> str:
    """A head that is a unit of its own is one more to count."""
    if head_of(first.spec) == head_of(second.spec):
        return "."
    return f", with --set partition.head={head_of(first.spec)} under another --name."


Sweeps = tuple[SweepSummary, SweepSummary]


def _subtract_shared(sweeps: Sweeps) -> SweepDifferences:
    """The differences of what both sweeps have, Holm over them."""
    first, second = (sweep.comparison for sweep in sweeps)
    halves = _apart(first.contracting_vs_expanding, second.contracting_vs_expanding)
    area = _apart(first.area_between_curves, second.area_between_curves) if len(_units(sweeps)) == 1 else None
    given = [one for one in (halves, area) if one is not None]
    adjusted = iter([replace(one, p_holm=tested.p_holm) for one, tested in zip(given, holm(given), strict=True)])
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
    """Opposite findings, a gain that differs, or neither shown; the last is not evidence of sameness."""
    for pair in two.pairs:
        if pair.first is not None and pair.second is not None and pair.apart is not None:
            word = _word(pair.first, pair.second, pair.apart, _cause(two.sweeps))
            return word, f"{word.capitalize()}: {_numbers(pair.title, pair.first, pair.second, pair.apart, two.sweeps)}"
    return None, "No verdict yet: the two sweeps have no finished comparison in common."


def _word(first: Comparison, second: Comparison, apart: Comparison, cause: str) -> str:
    signs = [(one.low > 0) - (one.high < 0) for one in (first, second)]
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
    return "the data" if len(_units(sweeps)) == 1 else "what masks count"


def _units(sweeps: Sequence[SweepSummary]) -> set[str]:
    return {sweep.model.unit for sweep in sweeps}


def _notes(sweeps: Sweeps) -> list[str]:
    """What else differs between the two, or ties them together."""
    first, second = sweeps
    notes = []
    if first.data.digest == second.data.digest:
        notes.append(
            "Both sweeps measure the same images, so they are not independent samples: read this as two settings on "
            "one data set, and the interval as approximate."
        )
    if setting(first) != setting(second):
        notes.append(f"The settings differ: {setting(first)} against {setting(second)}.")
    notes += [*_unit_notes(sweeps), *_head_notes(sweeps), *_seed_notes(sweeps), *_fold_notes(sweeps)]
    if len(_units(sweeps)) == 1 and first.model.block_params != second.model.block_params:
        notes.append("The networks differ in size.")
    if first.weights.digest != second.weights.digest:
        notes.append("The starting weights differ.")
    synthetic = [sweep.sweep for sweep in sweeps if sweep.data.synthetic]
    if synthetic:
        notes.append(f"Synthetic data ({', '.join(synthetic)}): no claim about real images.")
    return [*notes, *(f"{sweep.sweep} is not finished." for sweep in sweeps if not sweep.finished)]


def _unit_notes(sweeps: Sweeps) -> list[str]:
    """What the names of the two masks mean where the sweeps count different units."""
    if len(_units(sweeps)) == 1:
        return []
    meant = [
        f"in {sweep.sweep} contracting is {WORDS[sweep.model.unit]}s {sweep.model.named_masks.get('contracting')}, "
        f"expanding {sweep.model.named_masks.get('expanding')}"
        for sweep in sweeps
    ]
    return [
        f"The names are the same, the layers are not: {'; '.join(meant)}. Single steps of the curves differ too, "
        "so only contracting − expanding is compared."
    ]


def _head_notes(sweeps: Sweeps) -> list[str]:
    if sweeps[0].model.head == sweeps[1].model.head:
        return []
    return [f"{sweep.sweep}: {sweep.model.head_sentence}" for sweep in sweeps]


def _seed_notes(sweeps: Sweeps) -> list[str]:
    if sweeps[0].noise.seeds == sweeps[1].noise.seeds:
        return []
    words = [f"{sweep.sweep} with {', '.join(map(str, sweep.noise.seeds))}" for sweep in sweeps]
    return [f"The training seeds differ: {'; '.join(words)}."]


def _fold_notes(sweeps: Sweeps) -> list[str]:
    folds = [{frozenset(fold.cases) for fold in sweep.folds} for sweep in sweeps]
    if sweeps[0].data.digest == sweeps[1].data.digest and folds[0] != folds[1]:
        return ["The same images are cut into other folds."]
    return []

"""Whether two sweeps can be set side by side at all; every refusal says which rule is broken and what to do."""

from __future__ import annotations

import math

from tracking.analysis.seeds import read
from tracking.data_view import view_data
from tracking.record import COUNTED, SweepInfo, SweepRecord
from tracking.units import WORDS, head_of, unit_of
from trainer.errors import UserError


def check_comparable(first: SweepRecord, second: SweepRecord) -> None:
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
    """The metrics from pixel counts that any finished trial has a value of; leaky trials and unfinished repeats do not
    count. Distances decide nothing, and sweeps of before have none.
    """
    finished = read(record).honest.finished
    return tuple(
        metric
        for metric in COUNTED
        if any(not math.isnan(value) for trial in finished for value in trial.folds[metric])
    )


def _check_metrics(first: SweepRecord, second: SweepRecord) -> None:
    metrics = [measured(record) for record in (first, second)]
    if metrics[0] != metrics[1]:
        names = (first.info.name, second.info.name)
        parts = [
            f"{name!r} has {', '.join(measured_metrics) or 'none yet'}"
            for name, measured_metrics in zip(names, metrics, strict=True)
        ]
        raise UserError(
            "Sweeps can be set side by side only when they measured the same metrics, but "
            f"{' and '.join(parts)}. Let both finish, or compare sweeps that were recorded alike."
        )


def _check_units(first: SweepInfo, second: SweepInfo) -> None:
    units = [unit_of(info.spec) for info in (first, second)]
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
        unit = f"{WORDS[unit_of(first.spec)]}s"
        raise UserError(f"{_unequal(unit, first, first.n_blocks, second, second.n_blocks)}{_head_hint(first, second)}")


def _unequal(what: str, first: SweepInfo, first_count: int, second: SweepInfo, second_count: int) -> str:
    return (
        f"Sweeps can be set side by side only with equal numbers of {what}, but {first.name!r} has {first_count} "
        f"and {second.name!r} has {second_count}. Run one of them again to match"
    )


def _head_hint(first: SweepInfo, second: SweepInfo) -> str:
    """A head that is a unit of its own is one more to count."""
    if head_of(first.spec) == head_of(second.spec):
        return "."
    return f", with --set partition.head={head_of(first.spec)} under another --name."

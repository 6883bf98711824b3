"""Trials that were stopped between folds: what a report says of them, and what stopping them saved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from tracking.analysis.formatting import counted
from tracking.record import SweepRecord, TrialRecord


@dataclass(frozen=True)
class DroppedTrial:
    """One trial that was stopped: its `name`, the number of `folds_done` before that, and the `reason`."""

    name: str
    folds_done: int
    reason: str


@dataclass(frozen=True)
class EarlyStopped:
    """The `trials` stopped early as clearly worse; they are in no other field of a report. Trainings of one fold
    `saved` out of the `trainings` that all trials would have taken that were finished or dropped; `sentence` says it.
    """

    trials: tuple[DroppedTrial, ...]
    saved: int
    trainings: int
    sentence: str


def early_stopped(record: SweepRecord) -> EarlyStopped | None:
    """The trials stopped early and what that saved; None where none was."""
    dropped = sorted(
        (trial for trial in record.trials if trial.status == "DROPPED"), key=lambda trial: trial.info.candidate.name
    )
    if not dropped:
        return None
    saved, trainings = _saved(dropped, record)
    return EarlyStopped(
        tuple(DroppedTrial(trial.info.candidate.name, trial.folds_done, trial.reason) for trial in dropped),
        saved,
        trainings,
        _sentence(dropped, saved, trainings),
    )


def without_dropped(record: SweepRecord) -> SweepRecord:
    """The record of all that counts: a dropped trial is no score, no failure and nothing that is still to be done."""
    return replace(record, trials=tuple(trial for trial in record.trials if trial.status != "DROPPED"))


def _saved(dropped: Sequence[TrialRecord], record: SweepRecord) -> tuple[int, int]:
    """Trainings of one fold saved, and all that there would have been.

    A training passes through smaller epoch counts on its way, so a fold that a longer trial of the same training went
    through counts once.
    """
    folds, saved, trainings = len(record.info.folds), 0, 0
    folds_trained: dict[str, int] = {}  # folds that a longer trial of the same training went through
    for trial in sorted((*dropped, *record.finished), key=lambda trial: -trial.info.candidate.epochs):
        candidate = trial.info.candidate
        if candidate.epochs:
            before = folds_trained.get(candidate.training, 0)
            folds_trained[candidate.training] = max(before, trial.folds_done)
            trainings += folds - before
            saved += folds - folds_trained[candidate.training]
    return saved, trainings


def _sentence(dropped: Iterable[TrialRecord], saved: int, trainings: int) -> str:
    counts = Counter(trial.folds_done for trial in dropped)
    count = sum(counts.values())
    times = ", ".join(f"{number:,} after {counted(folds, 'fold')}" for folds, number in sorted(counts.items()))
    they = "it has" if count == 1 else "they have"
    return (
        f"{counted(count, 'trial')} {'was' if count == 1 else 'were'} dropped early ({times}): {they} no score; "
        f"{saved:,} of {trainings:,} trainings saved."
    )

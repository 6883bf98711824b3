"""What is not in the numbers of a sweep: trials that failed, are unfinished, or were never begun."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tracking.analysis.seeds import DONE, Reading, Repeats, lucks_of
from tracking.analysis.trial import report_order
from tracking.record import SweepRecord, TrialRecord


@dataclass(frozen=True)
class FailedTrial:
    """A trial that ended without a score: its `name` and the `reason`."""

    name: str
    reason: str


@dataclass(frozen=True)
class UnfinishedTrial:
    """A trial that was begun and is not done: its `name` (of a repeated one with the seeds that are missing), and how
    many folds every seed has done (`folds_done`).
    """

    name: str
    folds_done: int


@dataclass(frozen=True)
class Gaps:
    """The trials without a score: `failed`, `unfinished`, and the names `missing` of those planned but never begun."""

    failed: tuple[FailedTrial, ...]
    unfinished: tuple[UnfinishedTrial, ...]
    missing: tuple[str, ...]


def find_gaps(record: SweepRecord, reading: Reading) -> Gaps:
    """What of a sweep has no score; `reading` is the record read for comparing (`tracking.analysis.seeds.read`)."""
    trials = (*reading.honest.trials, *reading.aside, *_trials_of_waiting_seeds(record, reading.repeats))
    began = {trial.info.candidate.key for trial in record.trials}
    return Gaps(
        tuple(
            FailedTrial(trial.info.candidate.name, trial.reason)
            for trial in sorted(record.trials, key=report_order)
            if trial.status == "FAILED"
        ),
        tuple(
            UnfinishedTrial(_name(trial, reading.repeats), trial.folds_done)
            for trial in sorted(trials, key=report_order)
            if trial.status not in DONE
        ),
        tuple(sorted(name for key, name in record.info.planned.items() if key not in began)),
    )


def _trials_of_waiting_seeds(record: SweepRecord, repeats: Repeats) -> list[TrialRecord]:
    """Trials of planned seeds that are compared only once every trial has them."""
    waiting = set(lucks_of(record.info)) - set(repeats.lucks)
    return [trial for trial in record.trials if trial.info.seeded and trial.info.candidate.luck in waiting]


def _name(trial: TrialRecord, repeats: Repeats) -> str:
    """A repeated trial is named without a seed, with those that are missing."""
    candidate = trial.info.candidate
    if len(repeats.lucks) < 2 or candidate.luck not in repeats.lucks or not candidate.epochs:
        return candidate.name
    return f"{replace(candidate, seed=0, start_seed=None).name} ({trial.reason})"

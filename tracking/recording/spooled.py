"""A recorder for a store on a server, which may be away: everything passes through a spool on disk.

What a worker asks of MLflow while it is away is decided so that training goes on, but nothing that was recorded is
trained twice. A trial that nobody has begun, at the largest epoch count of its training, has nothing recorded that
could help: it begins at once. Any other waits, for what an attempt before has recorded, or a larger budget of the same
training, is worth more than the wait.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from tracking.attempt import Attempt
from tracking.image_archive import PREDICTIONS
from tracking.record import TrialInfo, TrialState
from tracking.recording.apply import apply, find_kept
from tracking.recording.contract import Ending, OpenTrial, Tell
from tracking.recording.delivery import PROBE_SECONDS, Delivery
from tracking.recording.operations import Kind, Operation
from tracking.recording.spool import MOST_BYTES, Spool
from tracking.store import changes
from tracking.store.attempts import KeptFold, path_of
from tracking.store.changes import Change, Files
from tracking.store.connection import now, telling
from tracking.store.writer import Tracker
from trainer.candidate import Candidate
from trainer.errors import StoreAway
from trainer.results import FoldResult

T = TypeVar("T")


@dataclass(frozen=True)
class _Sweep:
    """What all trials of a worker share."""

    tracker: Tracker
    sweep_run: str
    delivery: Delivery
    synthetic: bool


class SpooledRecorder:
    """Records the trials of the sweep in `sweep_run` through a spool below `home`."""

    def __init__(
        self,
        tracker: Tracker,
        sweep_run: str,
        spool: Path,
        tell: Tell,
        budgets: Collection[int],
        *,
        patience: float,
        most_bytes: float = MOST_BYTES,
        pause: float = PROBE_SECONDS,
    ) -> None:
        """Takes what dead workers left in the folder `spool`. `budgets`: all epoch counts of the sweep.

        Raises `UserError` where the sweep's run cannot be read.
        """
        synthetic = tracker.is_synthetic(sweep_run)  # while the server is known to be there

        def deliver(operation: Operation, files: Files) -> str:
            with telling(tracker.uri, "record a trial"):
                return apply(tracker, operation, files)

        delivery = Delivery(
            *(Spool(spool, sweep_run), deliver, tracker.check_not_away, tell),
            patience=patience,
            most_bytes=most_bytes,
            pause=pause,
        )
        self._sweep = _Sweep(tracker, sweep_run, delivery, synthetic)
        self._largest = max(budgets, default=0)

    def look(self, candidate: Candidate, attempt: Attempt) -> TrialState | None:
        """The state of the candidate's run; None, too, where nothing recorded could help and MLflow is away."""
        tracker, sweep_run = self._sweep.tracker, self._sweep.sweep_run
        try:
            return tracker.trial(sweep_run, candidate)
        except StoreAway:
            if not self._may_be_begun(candidate, attempt):
                return _asked(self._sweep, candidate, attempt, lambda: tracker.trial(sweep_run, candidate))
            return None

    def _may_be_begun(self, candidate: Candidate, attempt: Attempt) -> bool:
        alone = attempt.number is None  # then this home's ledger has everything
        return alone or (attempt.first and candidate.epochs in (0, self._largest))

    def page(self, run_id: str) -> str:
        """Where the trial of a run is shown."""
        return self._sweep.tracker.trial_page(self._sweep.sweep_run, run_id)

    def open(self, info: TrialInfo, attempt: Attempt) -> OpenTrial:
        """Begin the trial. What others recorded of its folds is looked up once, here."""
        attempt.still_mine()
        trial = SpooledTrial(self._sweep, info, attempt)
        there = trial.tell("open", Change())
        others = attempt.number is not None and info.candidate.epochs
        if others and (there or not self._may_be_begun(info.candidate, attempt)):
            trial.find_kept()
        return trial

    def close(self, patience: float | None = None) -> None:
        """Wait until everything is recorded, at most `patience` seconds (None: the recorder's). Raises `UserError`."""
        try:
            self._sweep.delivery.wait_for_all(patience)
        finally:
            self._sweep.delivery.close()


@dataclass(frozen=True)
class SpooledTrial:
    """One attempt at a trial."""

    sweep: _Sweep
    info: TrialInfo
    attempt: Attempt
    _kept: dict[int, list[KeptFold]] = field(default_factory=dict)

    @property
    def page(self) -> str:
        """Where the trial is shown; empty while MLflow has no run of it."""
        run = self.sweep.delivery.run_of(self._trial)
        return self.sweep.tracker.trial_page(self.sweep.sweep_run, run) if run else ""

    @property
    def recorded(self) -> bool:
        """Whether MLflow has all that was recorded, or another attempt counts. Raises `UserError` where it refuses."""
        return self.sweep.delivery.has_all(self._trial)

    @property
    def _trial(self) -> tuple[str, int | None]:
        return self.info.candidate.key, self.attempt.number

    def find_kept(self) -> None:
        """Look up what all runs of this training name of finished folds."""
        candidate = self.info.candidate
        runs = _asked(
            self.sweep,
            candidate,
            self.attempt,
            lambda: self.sweep.tracker.runs_of_training(self.sweep.sweep_run, candidate),
        )
        for kept in find_kept(runs):
            if kept.epochs <= candidate.epochs:
                self._kept.setdefault(kept.fold, []).append(kept)

    def kept(self, fold: int) -> Iterator[bytes]:
        """The files that were recorded of a fold, those at the candidate's own epochs first; damaged ones left out."""
        for kept in sorted(self._kept.get(fold, ()), key=lambda one: -one.epochs):
            fetch = partial(self.sweep.tracker.fetch_kept, kept)
            content = _asked(self.sweep, self.info.candidate, self.attempt, fetch)
            if content is not None:
                yield content

    def fold(self, result: FoldResult, kept: Callable[[], bytes | None]) -> None:
        """Record a fold, and its file where others may need it; MLflow has it when this returns, unless it is away."""
        own = result.epochs == self.info.candidate.epochs
        content = kept() if self.attempt.number is not None and result.epochs else None
        if content is not None:
            kept_at = result.fold, result.epochs
            change = changes.fold_scored(result) if own else Change()
            self.tell("fold", change, [(path_of(*kept_at), content)], kept_at)
        elif own:
            self.tell("fold", changes.fold_scored(result))

    def finish(self, ending: Ending) -> None:
        """Record the whole trial, and close it."""
        kept, checkpoints = changes.peeked(ending.checkpoints)
        change = changes.finished(self.info, ending.results, weights=kept, synthetic=self.sweep.synthetic)
        self.tell("finish", change, _files(replace(ending, checkpoints=checkpoints), now()))

    def fail(self, reason: str) -> None:
        """Close the trial as one that cannot score."""
        self.tell("fail", changes.failed(reason))

    def drop(self, reason: str, estimate: float) -> None:
        """Close the trial as dropped between folds; `estimate` is only a guess at its Dice."""
        self.tell("drop", changes.dropped(reason, estimate))

    def tell(self, kind: Kind, change: Change, files: Files = (), keeps: tuple[int, int] = (0, 0)) -> bool:
        """Spool an operation; whether MLflow has it, or is away."""
        operation = Operation(kind, self.sweep.sweep_run, self.info, self.attempt.number, now(), change, keeps)
        ticket = self.sweep.delivery.put(operation, files, self.attempt.still_mine)
        return self.sweep.delivery.wait(self._trial, ticket)


def _files(ending: Ending, time: int) -> Iterator[tuple[str, bytes]]:
    yield PREDICTIONS, ending.predictions
    yield from changes.image_files(ending.neurons, time)
    yield from changes.finished_files(ending.results, ending.montage, ending.checkpoints, time)


def _asked(sweep: _Sweep, candidate: Candidate, attempt: Attempt, question: Callable[[], T]) -> T:
    """The answer to a question, however long MLflow is away."""
    answers: list[T] = []
    trial = candidate.key, attempt.number
    sweep.delivery.ask(trial, lambda: answers.append(question()), attempt.still_mine)
    return answers[0]

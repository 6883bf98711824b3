"""A recorder that writes at once: for a store on this machine, which is always there."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tracking.attempt import Attempt
from tracking.image_archive import PREDICTIONS
from tracking.record import TrialInfo, TrialState
from tracking.recording.contract import Ending, OpenTrial
from tracking.store.writer import Tracker
from trainer.candidate import Candidate
from trainer.results import FoldResult


@dataclass(frozen=True)
class DirectRecorder:
    """Writes the trials of the sweep in `sweep_run` as they are told."""

    tracker: Tracker
    sweep_run: str

    def look(self, candidate: Candidate, attempt: Attempt) -> TrialState | None:
        """The state of the candidate's run."""
        return self.tracker.trial(self.sweep_run, candidate)

    def page(self, run_id: str) -> str:
        """Where the trial of a run is shown."""
        return self.tracker.trial_page(self.sweep_run, run_id)

    def open(self, info: TrialInfo, attempt: Attempt) -> OpenTrial:
        """The one run of the candidate."""
        attempt.still_mine()
        run_id = self.tracker.open_trial(self.sweep_run, info)
        return _DirectTrial(self.tracker, run_id, self.page(run_id), info.candidate.epochs, attempt.still_mine)

    def close(self, patience: float | None = None) -> None:
        """Everything is recorded already."""


@dataclass(frozen=True)
class _DirectTrial:
    tracker: Tracker
    run_id: str
    page: str
    epochs: int
    still_mine: Callable[[], None]

    @property
    def recorded(self) -> bool:
        return True

    def kept(self, fold: int) -> Iterable[bytes]:
        """Nothing: the ledger is where the record is."""
        return ()

    def fold(self, result: FoldResult, kept: Callable[[], bytes | None]) -> None:
        if result.epochs == self.epochs:
            self.still_mine()
            self.tracker.log_fold(self.run_id, result)

    def finish(self, ending: Ending) -> None:
        self.still_mine()
        self.tracker.log_neurons(self.run_id, ending.neurons)
        self.tracker.log_bytes(self.run_id, PREDICTIONS, ending.predictions)
        self.tracker.finish_trial(self.run_id, ending.results, ending.montage, ending.checkpoints)

    def fail(self, reason: str) -> None:
        self.still_mine()
        self.tracker.fail_trial(self.run_id, reason)

    def drop(self, reason: str, estimate: float) -> None:
        self.still_mine()
        self.tracker.drop_trial(self.run_id, reason, estimate)

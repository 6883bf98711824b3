"""A worker's right to a trial of a study that machines share: the trial runs, and nobody has taken it for dead.

A worker that shows no sign of life for a grace period loses its trial: another marks it as failed and lists a copy,
which has a higher number. So a trial's number says which of two attempts is the later one, whatever the clocks say.
"""

from __future__ import annotations

from collections.abc import Callable

import optuna
from optuna.exceptions import StorageInternalError, UpdateFinishedTrialError
from optuna.trial import Trial, TrialState

from sweeps.engines.optuna_storage import held_ends, is_shared, waiting
from sweeps.engines.optuna_trials import is_ours
from tracking.attempt import ALONE, Attempt
from trainer.errors import LeaseLost

BEFORE = "attempts"  # attribute of a study: how many attempts were recorded before the study was made
MINE = (TrialState.RUNNING, TrialState.COMPLETE, TrialState.PRUNED)  # nobody but its own worker completes a trial


class Right:
    """The right to `trial`, until it ends or is lost."""

    def __init__(self, study: optuna.Study, trial: Trial) -> None:
        self._study, self._trial = study, trial
        self._ended = False
        self._late: list[Callable[[], object]] = []

    @property
    def attempt(self) -> Attempt:
        """Which attempt at the candidate's trial this is."""
        if not is_shared(self._study):
            return ALONE
        before = int(self._study.user_attrs.get(BEFORE, 0))
        return Attempt(before + self._trial.number, self.still_mine, first=not before and self._is_first())

    def still_mine(self) -> None:
        """Raise `LeaseLost` when another worker has taken the trial over. Waits for a database that is away."""
        if not self._ended and self.lost:
            raise LeaseLost(f"Another worker has taken trial {self._trial.number} over.")

    @property
    def lost(self) -> bool:
        """Whether another worker has ended this trial."""
        return self._study._storage.get_trial(self._trial._trial_id).state not in MINE

    def end(self) -> None:
        """Note that its own worker ends the trial now, so that its end is no loss."""
        self._ended = True

    def hold(self, recorded: Callable[[], bool]) -> None:
        """Let the study know of the trial's end only once it is `recorded`."""
        if (held := held_ends(self._study)) is not None:
            held.hold(self._trial._trial_id, recorded)

    def note(self, write: Callable[[], object]) -> None:
        """Note something about the trial in its study; while the database is away, later: training goes on."""
        self._late.append(write)
        try:
            self._write_late()
        except StorageInternalError:
            if not is_shared(self._study):
                raise

    def settle(self) -> None:
        """Wait until all notes are written."""
        waiting(self._study, self._write_late)

    def _write_late(self) -> None:
        while self._late:
            try:
                self._late[0]()
            except UpdateFinishedTrialError as error:
                raise LeaseLost(f"Another worker has taken trial {self._trial.number} over.") from error
            self._late.pop(0)

    def _is_first(self) -> bool:
        key = self._trial.user_attrs.get("key")
        trials = self._study.get_trials(deepcopy=False)
        return not any(
            trial.number < self._trial.number and is_ours(trial) and trial.user_attrs["key"] == key for trial in trials
        )

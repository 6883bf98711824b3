"""A trial ends in the study once its record is delivered: until then its worker answers for it, and goes on meanwhile.

While MLflow is away a worker trains on, and what it recorded waits on its disk. If the study were told of the end at
once, and the worker died, nobody would ever train the trial again, and the record would lack it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import TrialState

from sweeps.locks.contract import BEAT_SECONDS

End = Callable[[int, TrialState, Sequence[float] | None], object]
Recorded = Callable[[], bool]


@dataclass(frozen=True)
class _Held:
    state: TrialState
    values: Sequence[float] | None
    recorded: Recorded


@dataclass
class HeldEnds:
    """The trials of this process that have ended, and whose records are still on their way.

    `end` tells the study, `beat` shows a sign of life for a trial.
    """

    end: End
    beat: Callable[[int], object]
    pause: float = BEAT_SECONDS
    _until: dict[int, Recorded] = field(default_factory=dict)
    _held: dict[int, _Held] = field(default_factory=dict)
    _thread: threading.Thread | None = None

    def hold(self, trial: int, recorded: Recorded) -> None:
        """Let the end of a trial wait until it is `recorded`."""
        self._until[trial] = recorded

    def takes(self, trial: int, state: TrialState, values: Sequence[float] | None) -> bool:
        """Whether the end of a trial is to wait, and is kept here."""
        recorded = self._until.pop(trial, None) if state.is_finished() else None
        if recorded is None or recorded():
            return False
        self._held[trial] = _Held(state, values, recorded)
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._wait, name="held ends", daemon=True)
            self._thread.start()
        return True

    def check(self) -> None:
        """Raise what keeps a record from being delivered."""
        for held in list(self._held.values()):
            held.recorded()

    def wait_for_all(self) -> None:
        """Return when the study knows of all ends. Raises what keeps a record from being delivered."""
        while self._held:
            self.check()
            if self._thread is not None:
                self._thread.join(self.pause)

    def _wait(self) -> None:
        ended = threading.Event()
        while self._held:
            for trial, held in list(self._held.items()):
                self._look(trial, held)
            if self._held:
                ended.wait(self.pause)

    def _look(self, trial: int, held: _Held) -> None:
        try:
            recorded = held.recorded()
        except Exception:  # it is raised in the worker's own thread, too, which ends by it
            recorded = False
        if not recorded:
            self.beat(trial)
            return
        with suppress(UpdateFinishedTrialError):  # another worker has taken it for lost: its attempt counts
            self.end(trial, held.state, held.values)
        del self._held[trial]

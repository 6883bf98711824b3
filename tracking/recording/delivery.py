"""The one thread that carries a worker's operations from its spool to MLflow, in order, however long that takes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from tracking.attempt import always_mine
from tracking.recording.contract import Tell
from tracking.recording.operations import Operation, read_files
from tracking.recording.spool import MOST_BYTES, Spool
from tracking.store.changes import Files
from trainer.errors import LeaseLost, StoreAway, UserError

Apply = Callable[[Operation, Files], str]
Trial = tuple[str, int | None]

PROBE_SECONDS = 2.0  # between two looks whether the server is back; as long an operation may take before it is asked
GIB = 2**30


class Delivery:
    """Takes operations and delivers them. While MLflow is away they wait on disk, and training goes on.

    What goes wrong in the thread is raised in the next call of another: `LeaseLost` for a trial that another worker
    has, whose operations are forgotten; `UserError` once MLflow has been away for `patience` seconds, or refuses.
    """

    def __init__(
        self,
        spool: Spool,
        apply: Apply,
        probe: Callable[[], None],
        tell: Tell,
        *,
        patience: float,
        most_bytes: float = MOST_BYTES,
        pause: float = PROBE_SECONDS,
    ) -> None:
        """`apply` and `probe` raise `StoreAway` while MLflow does not answer; `tell` takes sentences for the user."""
        self._spool, self._apply, self._probe, self._tell = spool, apply, probe, tell
        self._patience, self._most_bytes, self._pause = patience, most_bytes, pause
        self._changed = threading.Condition()
        self._claims: dict[Trial, Callable[[], None]] = {}
        self._runs: dict[Trial, str] = {}
        self._trials: dict[Path, Trial] = {}  # whose the files are that this worker has put
        self._lost: dict[Trial, LeaseLost] = {}
        self._error: BaseException | None = None
        self._away_since: float | None = None
        self._is_asking = False  # whether the trial is still ours: the study's database may be away
        self._ended = False
        self._thread = threading.Thread(target=self._deliver, name="delivery", daemon=True)
        self._thread.start()

    # ---- for the worker's own thread ----

    def put(self, operation: Operation, files: Files, still_mine: Callable[[], None]) -> Path:
        """Keep an operation on disk, waiting while the spool is full. Its path is a ticket for `wait`."""
        with self._changed:
            self._claims[operation.trial] = still_mine
            told = False
            while self._spool.bytes >= self._most_bytes:
                self.check(operation.trial)
                if not told:
                    size, told = f"{self._most_bytes / GIB:.3g} GiB", True
                    self._tell(f"The spool is full ({size}): this worker waits until MLflow has taken some.")
                self._changed.wait(self._pause)
            self.check(operation.trial)
            path = self._spool.append(operation, files)
            self._trials[path] = operation.trial
            self._changed.notify_all()
            return path

    def wait(self, trial: Trial, ticket: Path) -> bool:
        """Wait until MLflow has an operation: True. False while it is away, or the database that says whose it is."""
        while True:
            with self._changed:
                self.check(trial)
                if ticket not in self._spool.pending:
                    return True
                if self._away_since is not None:
                    return False
                if self._changed.wait(self._pause):
                    continue
                if self._is_asking:
                    return False
            self._look()

    def has_all(self, trial: Trial) -> bool:
        """Whether MLflow has all operations of a trial, or they are forgotten: another worker has it."""
        self.check()
        with self._changed:
            return trial in self._lost or not any(self._trials.get(path) == trial for path in self._spool.pending)

    def wait_for_all(self, patience: float | None = None) -> None:
        """Wait until MLflow has everything. Raises `UserError` after `patience` seconds (None: those of this)."""
        end = time.monotonic() + (self._patience if patience is None else patience)
        with self._changed:
            while self._spool.pending:
                self.check()
                if time.monotonic() > end:
                    raise self._too_long()
                self._changed.wait(self._pause)
            self.check()

    def ask(self, trial: Trial, question: Callable[[], None], still_mine: Callable[[], None]) -> None:
        """Ask MLflow a question again until it answers, while the trial is this worker's."""
        while True:
            try:
                return question()
            except StoreAway as error:
                self._note_away(error)
            with self._changed:
                while self._away_since is not None:
                    self.check(trial)
                    self._changed.wait(self._pause)
            still_mine()

    def run_of(self, trial: Trial) -> str:
        """The run of an attempt at a trial; empty while MLflow has none."""
        return self._runs.get(trial, "")

    def check(self, trial: Trial | None = None) -> None:
        """Raise what the thread met."""
        if self._error is not None:
            raise self._error
        if trial is not None:
            self._check_lost(trial)

    def _check_lost(self, trial: Trial) -> None:
        if trial in self._lost:
            raise LeaseLost(str(self._lost[trial]))

    def close(self) -> None:
        """End the thread; what is not delivered stays on disk."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        self._thread.join(self._pause)
        self._spool.close()

    # ---- the thread ----

    def _deliver(self) -> None:
        try:
            while not self._ended:
                self._step()
        except BaseException as error:  # raised in the worker's own thread
            with self._changed:
                self._error = error
                self._changed.notify_all()

    def _step(self) -> None:
        """Deliver the oldest operation, or wait for one; while MLflow is away, ask first whether it is back."""
        with self._changed:
            if self._away_since is not None or not self._spool.pending:
                self._changed.wait(self._pause)
            path = next(iter(self._spool.pending), None)
        try:
            if self._away_since is not None:
                self._probe()
            if path is not None:
                self._deliver_one(path)
            self._note_back()
        except StoreAway as error:
            self._note_away(error)

    def _deliver_one(self, path: Path) -> None:
        operation = self._spool.read(path)
        try:
            self._check_lost(operation.trial)
            self._is_asking = True
            self._claims.get(operation.trial, always_mine)()
            self._is_asking = False
            run = self._apply(operation, read_files(path))
        except LeaseLost as lost:
            with self._changed:
                # An operation of it that is read later is forgotten then.
                self._lost[operation.trial] = lost
                self._is_asking = False
                self._spool.remove(path)
                self._changed.notify_all()
            return
        with self._changed:
            self._runs[operation.trial] = run
            self._spool.remove(path)
            self._changed.notify_all()

    def _look(self) -> None:
        """Something takes long: is the server there at all?"""
        try:
            self._probe()
        except StoreAway as error:
            self._note_away(error)

    def _note_away(self, error: StoreAway) -> None:
        with self._changed:
            if self._away_since is None:
                self._away_since = time.monotonic()
                self._tell(f"{error} Training goes on; what is to be recorded is kept and delivered later.")
            elif time.monotonic() - self._away_since > self._patience:
                raise self._too_long() from error
            self._changed.notify_all()

    def _note_back(self) -> None:
        with self._changed:
            if self._away_since is not None:
                seconds, self._away_since = time.monotonic() - self._away_since, None
                self._tell(f"MLflow answers again, after {seconds:.0f} seconds.")
                self._changed.notify_all()

    def _too_long(self) -> UserError:
        return UserError(
            f"MLflow has not answered for {self._patience:g} seconds (--patience). What is to be recorded "
            f"({len(self._spool.pending)}) lies in {self._spool.folder}; nothing is lost. Start the server, then run "
            "the same command again: it delivers that first."
        )

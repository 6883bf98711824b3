"""How far a sweep is, from what its workers tell: a bar on a terminal; off it a line when a trial ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from sweeps.environment.machine import duration
from sweeps.environment.terminal import Board, Pace, remaining
from sweeps.run.messages import (
    Dropped,
    Failed,
    FoldFinished,
    FoldsScored,
    Left,
    Message,
    Notice,
    Probed,
    Ready,
    Replaced,
    Stopping,
    TrialFinished,
)
from sweeps.spec.space import longest_epochs
from trainer.candidate import Candidate

Listen = Callable[[Message], None]


class Count(Protocol):
    """How much of the work is done, in units of its own: `done` of `total` (0: unknown)."""

    done: float
    total: float

    def update(self, message: Message) -> None:
        """Take a message into account."""


class EpochCount:
    """Of a list: epochs of training over all folds. Candidates that differ only in epochs are one training."""

    def __init__(self, candidates: Sequence[Candidate], folds: int) -> None:
        self.done, self.total = 0.0, float(folds * sum(longest_epochs(candidates).values()))
        self._reached: dict[tuple[str, int], int] = {}

    def update(self, message: Message) -> None:
        """Count the epochs that a fold has passed since its last message."""
        if isinstance(message, FoldFinished):
            self._reach(message.training, message.fold, message.epochs)
        elif isinstance(message, FoldsScored):
            for fold in range(1, message.folds + 1):
                self._reach(message.training, fold, message.epochs)

    def _reach(self, training: str, fold: int, epochs: int) -> None:
        before = self._reached.get((training, fold), 0)
        self._reached[training, fold] = max(before, epochs)
        self.done += self._reached[training, fold] - before


class TrialCount:
    """Of a search: trials out of its budget, those of before included."""

    def __init__(self, ended: int, trials: int) -> None:
        self.done, self.total = float(ended), float(trials)

    def update(self, message: Message) -> None:
        """Count a trial that ended, however it did."""
        self.done += isinstance(message, TrialFinished | Dropped | Failed)


def follow_list(board: Board, candidates: Sequence[Candidate], folds: int) -> AbstractContextManager[Listen]:
    """Show how a list of candidates is worked off; gives the listener for the workers' messages."""
    return _follow(board, EpochCount(candidates, folds), 0, len(candidates), folds)


def follow_search(board: Board, ended: int, trials: int, folds: int) -> AbstractContextManager[Listen]:
    """Show how far a search is, `ended` trials out of `trials` (0: unknown); gives the listener."""
    return _follow(board, TrialCount(ended, trials), ended, trials, folds)


class TrialLines:
    """Guards the lines of a log: one when a trial ends, and between two of them at most one in ten seconds.

    `ended` trials before these messages, out of `trials` in all (0: unknown).
    """

    def __init__(self, board: Board, count: Count, ended: int, trials: int, folds: int) -> None:
        self._board, self._count, self._folds = board, count, folds
        self._ended, self._ended_before, self._trials = ended, ended, trials
        self._began, self._done_before = board.clock(), count.done
        self._pace = Pace(board.clock)

    def update(self, message: Message) -> None:
        """Print a line where the message deserves one."""
        if isinstance(message, Ready) and self._count.done == self._done_before:
            self._began = self._board.clock()  # the start of the workers is no part of what a trial takes
        if isinstance(message, TrialFinished | Dropped | Failed):
            self._ended += 1
            self._pace.restart()
            self._board.log(f"{outcome_text(message, self._folds)} ({self._progress_text()})")
        elif isinstance(message, FoldFinished | FoldsScored | Probed) and self._pace.is_due():
            self._board.log(f"{message_text(message, self._folds)} ({self._progress_text()})")

    def _progress_text(self) -> str:
        total_text = f" of {max(self._trials, self._ended)}" if self._trials else ""
        time_left = self._time_left() if self._ended > self._ended_before else ""  # before, it is mostly compiling
        return f"{self._ended}{total_text} trials{', ' if time_left else ''}{time_left}"

    def _time_left(self) -> str:
        elapsed, done_before = self._board.clock() - self._began, self._done_before
        return remaining(self._count.done - done_before, self._count.total - done_before, elapsed)


@contextmanager
def _follow(board: Board, count: Count, ended: int, trials: int, folds: int) -> Iterator[Listen]:
    lines, began = TrialLines(board, count, ended, trials, folds), board.clock()
    with board.bar("starting workers", count.total or None, count.done) as update:

        def listen(message: Message) -> None:
            count.update(message)
            text = message_text(message, folds)
            update(completed=count.done, **({"description": text} if text else {}))
            say_lasting(board, message)
            lines.update(message)

        yield listen
    board.log(f"Workers: done in {duration(board.clock() - began)}.")


def say_lasting(board: Board, message: Message) -> None:
    """Print failures, replaced workers and notices, on a terminal, too: they stay when the bar is gone."""
    if isinstance(message, Failed):
        board.say(f"Failed: {message.name}: {message.reason}")
    elif isinstance(message, Replaced):
        board.say(f"Worker {message.worker} was ended by signal {message.signal}; another takes over.")
    elif isinstance(message, Notice):
        board.say(message.text)
    elif isinstance(message, Left):
        board.say(f"Worker {message.worker} was told to stop and left; its trial is on the list again.")
    elif isinstance(message, Stopping):
        board.say(f"Workers still at work: {message.workers}. They are told to stop, and have ten seconds for it.")


def outcome_text(message: TrialFinished | Dropped | Failed, folds: int) -> str:
    """How a trial of so many `folds` ended."""
    if isinstance(message, TrialFinished):
        return f"{message.name}: Dice {message.dice:.3f}"
    if isinstance(message, Dropped):
        return f"{message.name}: dropped after {message.fold} of {folds} folds"
    return f"{message.name}: no score"


def message_text(message: Message, folds: int) -> str:
    """A message as text beside the bar; empty for one that is not shown there."""
    if isinstance(message, FoldFinished):
        return f"{message.name} · fold {message.fold} · Dice {message.dice:.3f}"
    if isinstance(message, FoldsScored):
        return f"{message.name} · {message.folds} of {folds} folds · mean Dice {message.dice:.3f}"
    if isinstance(message, Probed):
        return f"probe of single blocks, {message.number} of {message.of}"
    if isinstance(message, Dropped):
        return f"{message.name} · dropped after {message.fold} of {folds} folds"
    return ""

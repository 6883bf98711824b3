"""What the user sees while a sweep runs: stages, one bar with what remains, and every failure; quiet off a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from trainer.config import Candidate


class Board:
    """Guards the progress bar. Notes and failures are printed always, the bar only on a terminal."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._said_waiting = False

    def say(self, words: str) -> None:
        """One line for the user."""
        self.console.print(words, highlight=False, markup=False, soft_wrap=True)

    def waiting(self) -> None:
        """Say once that another launcher is at work."""
        if not self._said_waiting:
            self.say("Another launcher prepares a sweep in this home; waiting for it.")
            self._said_waiting = True

    @contextmanager
    def stage(self, words: str) -> Iterator[Any]:
        """A bar for one stage; yields `step(done, total, words)`."""
        with self._progress() as bar:
            task = bar.add_task(words, total=None)

            def step(done: int, total: int, now: str = words) -> None:
                bar.update(task, completed=done, total=total, description=now)

            yield step

    @contextmanager
    def training(self, candidates: Sequence[Candidate], folds: int) -> Iterator[Any]:
        """The bar of a list, counting epochs of training; yields the listener for the workers' messages.

        Candidates that differ only in epochs are one training that passes through the smaller counts.
        """
        longest: dict[str, int] = {}
        for one in candidates:
            longest[one.training] = max(longest.get(one.training, 0), one.epochs)
        reached: dict[tuple[str, int], int] = {}
        with self._progress() as bar:
            task = bar.add_task("starting workers", total=folds * sum(longest.values()) or None)

            def listen(message: dict[str, Any]) -> None:
                if message["event"] == "fold":
                    place = (message["training"], message["fold"])
                    advance = max(0, message["epochs"] - reached.get(place, 0))
                    reached[place] = reached.get(place, 0) + advance
                    bar.update(task, advance=advance, description=_words(message, folds))
                self._tell(message)

            yield listen

    @contextmanager
    def searching(self, recorded: int, trials: int, folds: int) -> Iterator[Any]:
        """The bar of a search, counting trials out of `trials` (0: nobody knows how many); yields the listener."""
        ended: set[str] = set()
        with self._progress() as bar:
            task = bar.add_task("starting workers", total=trials or None, completed=recorded)

            def listen(message: dict[str, Any]) -> None:
                if message["event"] in ("dropped", "failed") or message.get("fold") == folds:
                    ended.add(message["name"])
                bar.update(task, completed=recorded + len(ended), description=_words(message, folds) or None)
                self._tell(message)

            yield listen

    def _tell(self, message: dict[str, Any]) -> None:
        """What stays on the screen."""
        if message["event"] == "failed":
            self.say(f"Failed: {message['name']}: {message['reason']}")
        elif message["event"] == "replaced":
            self.say(f"Worker {message['worker']} was ended by signal {message['signal']}; another takes over.")

    def _progress(self) -> Progress:
        return Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("remaining"),
            TimeRemainingColumn(),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        )


def _words(message: dict[str, Any], folds: int) -> str:
    """What a worker's message says beside the bar; empty for one that is not shown there."""
    if message["event"] == "fold":
        return f"{message['name']} · fold {message['fold']} · Dice {message['dice']:.3f}"
    if message["event"] == "probed":
        return f"probe of single blocks, {message['number']} of {message['of']}"
    if message["event"] == "dropped":
        return f"{message['name']} · dropped after {message['fold']} of {folds} folds"
    return ""


console = Console()


def tell(words: str) -> None:
    """A line as it is: names and paths may hold what rich would take for markup, and must not be wrapped."""
    console.print(words, highlight=False, markup=False, soft_wrap=True)


def complain(words: str) -> None:
    """What the user has to mend."""
    Console(stderr=True).print(words, highlight=False, markup=False, soft_wrap=True, style="bold red")

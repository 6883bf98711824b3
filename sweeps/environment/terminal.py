"""What the user sees: on a terminal a bar for every stage, off it (a log, a cluster, CI) lines, flushed at once."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.text import Text

from sweeps.environment.machine import duration
from sweeps.environment.streams import forget_reader

QUIET_FOR = 2.0  # seconds that a stage may last without a line
LINE_EVERY = 10.0  # seconds: off a terminal, a running stage prints no more often

Clock = Callable[[], float]
Update = Callable[..., None]  # update(completed=, total=, description=) of a bar


class Board:
    """Guards the console: notes and failures are printed always, bars on a terminal only, progress lines off it."""

    def __init__(self, console: Console, clock: Clock = time.monotonic) -> None:
        self.console, self.clock = console, clock
        self._said_waiting = False

    @property
    def has_bars(self) -> bool:
        """Whether a person watches: on a terminal progress is a bar, elsewhere lines."""
        return self.console.is_terminal

    def say(self, text: str) -> None:
        """Print one line for the user. Rich flushes what it prints."""
        self.console.print(harmless(text), highlight=False, markup=False, soft_wrap=True)

    def log(self, text: str) -> None:
        """Print one line in a log; nothing where bars show the same."""
        if not self.has_bars:
            self.say(text)

    def waiting(self) -> None:
        """Say once that another launcher is at work."""
        if not self._said_waiting:
            self.say("Another launcher prepares a sweep in this home; waiting for it.")
            self._said_waiting = True

    @contextmanager
    def stage(self, title: str) -> Iterator[Any]:
        """One stage of the work; yields `step(done, total, words)`. Off a terminal its begin and end are lines."""
        name = _sentence(title)
        self.log(f"{name} ...")
        started, pace = self.clock(), Pace(self.clock)
        with self.bar(title) as update:

            def step(done: int, total: int | None, text: str = title) -> None:
                update(completed=done, total=total, description=text)
                if pace.is_due():
                    self.log(f"{_sentence(text)}{_progress_text(done, total, self.clock() - started)}")

            yield step
        self.log(f"{name}: done in {duration(self.clock() - started)}.")

    @contextmanager
    def reading(self, title: str) -> Iterator[Any]:
        """A stage that is over at once in most cases, and is heard of only where it lasts; yields `step(done)`.

        Off a terminal nothing is printed in the first two seconds.
        """
        name, started, pace = _sentence(title), self.clock(), Pace(self.clock)
        lasts = threading.Timer(QUIET_FOR, self.log, [f"{name} ..."])
        lasts.daemon = True
        lasts.start()
        try:
            with self.bar(title) as update:

                def step(done: int) -> None:
                    update(completed=done)
                    if pace.is_due():
                        self.log(f"{name}: {done:,} so far, {duration(self.clock() - started)}")

                yield step
        finally:
            lasts.cancel()

    @contextmanager
    def bar(self, title: str, total: float | None = None, completed: float = 0) -> Iterator[Update]:
        """A bar on a terminal, nothing elsewhere; yields `update(completed=, total=, description=)`."""
        with self._progress() as progress:
            shown = harmless(title)
            task = progress.add_task(shown, total=total, completed=completed)  # type: ignore[arg-type]  # a float will do

            def update(**changes: Any) -> None:
                if "description" in changes:
                    changes["description"] = harmless(changes["description"])
                progress.update(task, **changes)

            yield update

    def _progress(self) -> Progress:
        return Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("remaining"),
            TimeRemainingColumn(),
            console=self.console,
            transient=True,
            disable=not self.has_bars,
        )


class Pace:
    """Guards when the last line was printed, so that lines come no more often than every `LINE_EVERY` seconds."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._last = clock, clock()

    def is_due(self) -> bool:
        """Whether a line may be printed now; then the next waits for its turn."""
        due = self._clock() - self._last >= LINE_EVERY
        if due:
            self.restart()
        return due

    def restart(self) -> None:
        """Count from now: some other line was printed."""
        self._last = self._clock()


def remaining(done: float, total: float, elapsed: float) -> str:
    """The time left at the pace of the `elapsed` seconds; empty where it cannot be known.

    >>> remaining(3, 9, 30.0), remaining(0, 9, 30.0), remaining(9, 9, 30.0)
    ('about 60 s left', '', '')
    """
    if not 0 < done < total:
        return ""
    return f"about {duration(elapsed * (total - done) / done)} left"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _progress_text(done: int, total: int | None, elapsed: float) -> str:
    if not total:
        return ""
    time_left = remaining(done, total, elapsed)
    return f": {done} of {total}{', ' if time_left else ''}{time_left}"


class Output(Console):
    """A standard stream, whose reader may go (`thaw run ... | head`): what is at work then goes on unseen.

    Text is printed as it is: `:x:` in a path is no picture.
    """

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, emoji=False)

    def render_str(self, text: str, **options: Any) -> Text:
        """What every text that is printed goes through, cells of tables too: nothing in it is obeyed."""
        return super().render_str(harmless(text), **options)

    def on_broken_pipe(self) -> None:
        """Called by rich in place of `BrokenPipeError`; rich's own ends the program."""
        self.quiet = True
        forget_reader(self.file)


console = Output()


# Control characters of both sets, and those that turn the direction of writing.
OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def harmless(text: str) -> str:
    """A text without the characters that a terminal obeys: names of files and contents of tables may hold any.

    >>> harmless("two\\nlines, \\x1b[31mred")
    'two\\nlines, \\\\x1b[31mred'
    """
    return OBEYED.sub(lambda found: found.group().encode("unicode_escape").decode(), text)


def tell(text: str) -> None:
    """Print a line as it is: names and paths may hold what rich would take for markup, and must not be wrapped."""
    console.print(harmless(text), highlight=False, markup=False, soft_wrap=True)


def complain(text: str) -> None:
    """Print a mistake that the user has to fix, in red, to the standard error."""
    Output(stderr=True).print(harmless(text), highlight=False, markup=False, soft_wrap=True, style="bold red")

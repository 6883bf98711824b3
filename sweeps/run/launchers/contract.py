"""What every launcher is told, and what it does: it starts identical workers and gives them GPUs, nothing more.

The study hands out the work, so a launcher keeps no state: workers join late, leave and die, and it starts others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Protocol

from sweeps.environment.home import Home
from sweeps.run.messages import Message

Listen = Callable[[Message], None]


@dataclass(frozen=True)
class Crew:
    """The workers that a sweep asks for: `workers` processes on the sweep called `sweep`, recorded through `home`.

    `program`: what Python runs as a worker; none: thaw's own.
    """

    home: Home
    sweep: str
    workers: int
    program: tuple[str, ...] = ()


@dataclass(frozen=True)
class Submitted:
    """The workers wait in a queue of somebody else's: `text` says how to follow them and how to get the report."""

    text: str


class Launcher(Protocol):
    """Starts the workers of a sweep. Options of its own are its fields, such as how many GPUs each worker gets."""

    elsewhere: ClassVar[bool]  # whether workers take memory of other machines than this

    @property
    def follows(self) -> bool:
        """Whether `launch` stays until the workers have ended."""

    def default_workers(self) -> int:
        """How many workers to start where nobody said. Raises `UserError` where that must be said."""

    def check(self, home: Home, workers: int) -> None:
        """Raise `UserError`, before anything is read or trained, where such workers could not be started."""

    def preview(self, crew: Crew) -> str:
        """What a dry run shows beside its estimate: the script that would be submitted, or nothing."""

    def launch(self, crew: Crew, listen: Listen) -> Submitted | None:
        """Start the workers and hand what happens to `listen`, until the sweep's list is drained.

        None when the workers have ended; `Submitted` where nobody waits for them. A worker that died is replaced.
        Raises `UserError` for a mistake that a worker met, `WorkerCrashed` for a bug. However this ends, no worker that
        was waited for is left behind.
        """

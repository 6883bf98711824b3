"""What every kind of lock can do, and the names of those that thaw takes.

A lock is held by one, presence is shown by any number. Whoever dies loses both: at once where files are locked, after a
while where leases run out.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

BEAT_SECONDS = 5  # between two signs of life
GRACE_SECONDS = 30  # without one, somebody counts as dead

# Held while a sweep is prepared, so that two launchers pre-train once and list each candidate once.
LAUNCH = "launch"


def workers(sweep: str) -> str:
    """Shown by the living workers of a sweep: while nobody does, trials that seem to run were cut off."""
    return f"sweeps/{sweep}/workers"


def turn(sweep: str) -> str:
    """Held by the worker that asks the strategy for the next candidate."""
    return f"sweeps/{sweep}/turn"


def candidate(sweep: str, key: str) -> str:
    """Held while a candidate is evaluated: a worker that slept past its heartbeat may find another on its work."""
    return f"sweeps/{sweep}/candidates/{key}"


def champion(sweep: str, key: str) -> str:
    """Held while the champion of a candidate is made."""
    return candidate(sweep, f"champion-{key}")


class Locks(Protocol):
    """Locks of one kind, all known by their names."""

    def held(self, name: str, waiting: Callable[[], None] = ...) -> AbstractContextManager[None]:
        """Hold `name` alone until the block ends; others wait, and call `waiting()` before each new attempt."""

    def present(self, name: str) -> AbstractContextManager[None]:
        """Show that this process is at work at `name`, until the block ends or it dies; several may."""

    def nobody_present(self, name: str) -> bool:
        """Whether no living process is `present` at `name`."""

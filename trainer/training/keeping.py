"""When the state of a training is kept in the midst of it, so that a kill costs minutes of an epoch of hours."""

from __future__ import annotations

from collections.abc import Callable

Clock = Callable[[], float]
KEEP_SECONDS = 180.0
KEEP_SHARE = 0.02  # of the time may go into keeping: a slow disk makes it rarer


class KeepPace:
    """Says when to keep a state again: `KEEP_SECONDS` after the last time, later where that took long."""

    def __init__(self, clock: Clock) -> None:
        """`clock` gives seconds that only rise."""
        self._clock = clock
        self._due = clock() + KEEP_SECONDS

    def is_due(self) -> bool:
        """Whether a state is to be kept now."""
        return self._clock() >= self._due

    def timed(self, keep: Callable[[], None]) -> None:
        """Keep a state; the pace begins anew."""
        began = self._clock()
        keep()
        ended = self._clock()
        self._due = ended + max(KEEP_SECONDS, (ended - began) / KEEP_SHARE)

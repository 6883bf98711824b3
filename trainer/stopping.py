"""How work learns that it is to stop: it asks, between two steps of its own, since nothing may be cut off in one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NoReturn

from trainer.errors import Preempted

StopAsked = Callable[[], bool]


def never() -> bool:
    """Nobody asks for a stop."""
    return False


def leave_if(stop_asked: StopAsked) -> None:
    """Leave, by `Preempted`, if a stop is asked for."""
    if stop_asked():
        leave()


def leave() -> NoReturn:
    """Raise `Preempted`."""
    raise Preempted("Told to stop. What is finished is kept; the same command goes on from there.")


@dataclass(frozen=True)
class Stop:
    """Whether a stop is `asked` for; and what is still to be done by a thread, should the work not end in time."""

    asked: StopAsked = never
    at_last: list[Callable[[], object]] = field(default_factory=list)

    def leave_if_asked(self) -> None:
        """Leave, by `Preempted`, if a stop is asked for."""
        leave_if(self.asked)

    @contextmanager
    def doing_at_last(self, action: Callable[[], object]) -> Iterator[None]:
        """While the block runs, `action` is what a thread does before it ends a process that did not end in time."""
        self.at_last.append(action)
        try:
            yield
        finally:
            self.at_last.remove(action)

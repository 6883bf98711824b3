"""How work learns that it is to stop: it asks, between two steps of its own, since nothing may be cut off in one."""

from __future__ import annotations

from collections.abc import Callable
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

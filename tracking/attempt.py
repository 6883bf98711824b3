"""An attempt at a trial: who may record it. Where several machines share a sweep, a later attempt wins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


def always_mine() -> None:
    """Nobody else can have the trial."""


@dataclass(frozen=True)
class Attempt:
    """One worker's right to a trial.

    `number`: of two attempts at one trial the one with the larger number counts; None where the machines are one, and
    a lock says whose a trial is. `still_mine` returns while the trial is this attempt's, and once this attempt has
    ended it; it raises `trainer.errors.LeaseLost` when another worker has taken the trial over. It is asked before
    anything is recorded, from any thread. `first`: nobody has begun the trial before.
    """

    number: int | None = None
    still_mine: Callable[[], None] = always_mine
    first: bool = True


ALONE = Attempt()

"""A board that writes into a string, by a clock that is set by hand."""

from __future__ import annotations

import io

from rich.console import Console

from sweeps.environment.terminal import Board


class Time:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def board(*, terminal: bool, clock: Time | None = None) -> tuple[Board, io.StringIO]:
    out = io.StringIO()
    return Board(Console(file=out, force_terminal=terminal, width=120), clock or Time()), out

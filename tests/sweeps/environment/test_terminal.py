"""What the user sees: how far a sweep is, and what stays on the screen."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from sweeps.environment.terminal import Board
from trainer.config import Candidate

MESSAGES = [
    {"event": "ready"},
    {"event": "probed", "number": 1, "of": 9},
    {"event": "fold", "training": "t", "name": "1 · 2 epochs", "fold": 1, "epochs": 2, "dice": 0.5},
    {"event": "fold", "training": "t", "name": "1 · 2 epochs", "fold": 5, "epochs": 2, "dice": 0.5},
    {"event": "dropped", "name": "2 · 2 epochs", "fold": 3},
    {"event": "failed", "name": "3 · 2 epochs", "reason": "diverged"},
]


def shown(terminal: bool) -> tuple[Board, io.StringIO]:
    out = io.StringIO()
    return Board(Console(file=out, force_terminal=terminal, width=120)), out


def test_a_search_counts_the_trials_that_ended_out_of_its_budget() -> None:
    board, out = shown(True)
    with board.searching(6, 41, 5) as listen:
        for message in MESSAGES:
            listen(message)
    assert " 9/41 " in out.getvalue() and "Failed: 3 · 2 epochs: diverged" in out.getvalue()


def test_a_list_counts_epochs_of_every_fold() -> None:
    board, out = shown(True)
    with board.training([Candidate("1", 2, 1e-3), Candidate("1", 4, 1e-3)], 5) as listen:
        for message in MESSAGES:
            listen(message)
    assert " 4/20 " in out.getvalue()


@pytest.mark.parametrize("trials", [0, 41])
def test_off_a_terminal_only_what_stays_is_printed(trials: int) -> None:
    board, out = shown(False)
    with board.searching(6, trials, 5) as listen:
        for message in MESSAGES:
            listen(message)
    assert out.getvalue() == "Failed: 3 · 2 epochs: diverged\n"

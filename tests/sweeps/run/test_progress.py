"""How far a sweep is: bars that count, and off a terminal a line when a trial ends."""

from __future__ import annotations

import pytest

from sweeps.environment.terminal import LINE_EVERY
from sweeps.run.messages import (
    Dropped,
    Failed,
    FoldFinished,
    FoldsScored,
    Message,
    Probed,
    Ready,
    Replaced,
    TrialFinished,
)
from sweeps.run.progress import follow_list, follow_search, message_text
from tests.sweeps.boards import Time, board
from trainer.candidate import Candidate

MESSAGES: list[Message] = [
    Ready(),
    Probed(1, 9, 0.1),
    FoldFinished("t", "1 · 2 epochs", 1, 2, 0.5),
    FoldFinished("t", "1 · 2 epochs", 5, 2, 0.5),
    TrialFinished("1 · 2 epochs", 0.5),
    Dropped("2 · 2 epochs", 3),
    Failed("3 · 2 epochs", "diverged"),
]
LIST = [Candidate("1", 2, 1e-3), Candidate("1", 4, 1e-3)]


def test_a_search_counts_the_trials_that_ended_out_of_its_budget() -> None:
    shown, out = board(terminal=True)
    with follow_search(shown, 6, 41, 5) as listen:
        for message in MESSAGES:
            listen(message)
    assert " 9/41 " in out.getvalue() and "Failed: 3 · 2 epochs: diverged" in out.getvalue()


def test_a_list_counts_epochs_of_every_fold() -> None:
    shown, out = board(terminal=True)
    with follow_list(shown, LIST, 5) as listen:
        for message in MESSAGES:
            listen(message)
    assert " 4/20 " in out.getvalue() and "Workers" not in out.getvalue()


def test_folds_that_the_study_tells_of_count_alike() -> None:
    shown, out = board(terminal=True)
    with follow_list(shown, LIST, 5) as listen:
        for message in (FoldsScored("t", "1 · 2 epochs", folds, 2, 0.5) for folds in (1, 3, 2)):
            listen(message)
    assert " 6/20 " in out.getvalue()
    assert message_text(FoldsScored("t", "1", 3, 2, 0.5), 5) == "1 · 3 of 5 folds · mean Dice 0.500"


@pytest.mark.parametrize(("trials", "of"), [(0, ""), (41, " of 41")])
def test_off_a_terminal_every_trial_that_ends_is_a_line(trials: int, of: str) -> None:
    shown, out = board(terminal=False)
    with follow_search(shown, 6, trials, 5) as listen:
        for message in [*MESSAGES, Replaced(1, 9)]:
            listen(message)
    lines = [line.split(" (")[0] for line in out.getvalue().splitlines()]
    assert lines == [
        "1 · 2 epochs: Dice 0.500",
        "2 · 2 epochs: dropped after 3 of 5 folds",
        "Failed: 3 · 2 epochs: diverged",
        "3 · 2 epochs: no score",
        "Worker 1 was ended by signal 9; another takes over.",
        "Workers: done in 0 ms.",
    ]
    assert f"(9{of} trials" in out.getvalue()


def test_what_remains_is_told_from_the_work_that_is_done() -> None:
    clock = Time()
    shown, out = board(terminal=False, clock=clock)
    with follow_list(shown, LIST, 5) as listen:
        clock.now = 100  # until the first worker is there
        listen(Ready())
        clock.now = 130
        listen(FoldFinished("t", "x", 1, 4, 0.5))
        listen(TrialFinished("x", 0.5))
        clock.now = 135
        for fold in range(2, 6):
            listen(FoldFinished("t", "x", fold, 4, 0.5))
        listen(TrialFinished("y", 0.6))
    assert "x: Dice 0.500 (1 of 2 trials, about 2 minutes left)" in out.getvalue()  # 30 s for 4 of 20 epochs
    assert "y: Dice 0.600 (2 of 2 trials)" in out.getvalue()


def test_within_long_trainings_a_line_comes_every_ten_seconds_at_most() -> None:
    clock = Time()
    shown, out = board(terminal=False, clock=clock)
    with follow_search(shown, 0, 10, 100) as listen:
        for second in range(1, 36):
            clock.now = float(second)
            listen(FoldFinished("t", "1 · 9 epochs", second, 9, 0.5))
    folds = [line for line in out.getvalue().splitlines() if "fold" in line]
    assert [line.split(" · ")[2] for line in folds] == [f"fold {int(n * LINE_EVERY)}" for n in (1, 2, 3)]
    assert all(line.endswith("(0 of 10 trials)") for line in folds)

"""What the user sees of a stage: a bar on a terminal; off it lines, no more often than every ten seconds."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest
from rich.table import Table

from sweeps.environment.terminal import Output, complain, remaining, tell
from tests.sweeps.boards import Time, board


def test_on_a_terminal_a_stage_is_a_bar_that_goes() -> None:
    shown, out = board(terminal=True)
    with shown.stage("reading images") as step:
        step(3, 9)
        step(4, 9, "reading the fourth")
    assert " 4/9 " in out.getvalue() and "reading the fourth" in out.getvalue() and "done" not in out.getvalue()


def test_off_a_terminal_a_stage_begins_and_ends_with_a_line() -> None:
    clock = Time()
    shown, out = board(terminal=False, clock=clock)
    with shown.stage("reading images") as step:
        step(1, 2)
        clock.now = 3.0
    assert out.getvalue() == "Reading images ...\nReading images: done in 3 s.\n"


def test_a_long_stage_tells_how_far_it_is_every_ten_seconds_at_most() -> None:
    clock = Time()
    shown, out = board(terminal=False, clock=clock)
    with shown.stage("pre-training") as step:
        for epoch in range(1, 9):
            clock.now = 4.0 * epoch
            step(epoch, 8, f"pre-training, Dice 0.{epoch}")
    assert out.getvalue().splitlines()[1:-1] == [
        "Pre-training, Dice 0.3: 3 of 8, about 20 s left",
        "Pre-training, Dice 0.6: 6 of 8, about 8 s left",
    ]


def test_a_stage_that_fails_is_not_done() -> None:
    shown, out = board(terminal=False)
    with pytest.raises(ValueError), shown.stage("reading images"):
        raise ValueError
    assert out.getvalue() == "Reading images ...\n"


@pytest.mark.parametrize("lasts", [False, True])
def test_a_reading_is_heard_of_only_where_it_lasts(monkeypatch: pytest.MonkeyPatch, lasts: bool) -> None:
    class Timer(threading.Timer):
        def start(self) -> None:
            if lasts:
                self.function(*self.args)

    monkeypatch.setattr("sweeps.environment.terminal.threading.Timer", Timer)
    clock = Time()
    shown, out = board(terminal=False, clock=clock)
    with shown.reading("reading the trials") as step:
        clock.now = 11.0 if lasts else 1.0
        step(4000)
    said = ["Reading the trials ...", "Reading the trials: 4,000 so far, 11 s"]
    assert out.getvalue().splitlines() == (said if lasts else [])


def test_waiting_is_said_once() -> None:
    shown, out = board(terminal=False)
    shown.waiting()
    shown.waiting()
    assert out.getvalue().count("waiting for it") == 1


@pytest.mark.parametrize(
    ("done", "total", "words"), [(1, 4, "about 90 s left"), (0, 4, ""), (4, 4, ""), (5, 4, ""), (1, 0, "")]
)
def test_what_remains(done: float, total: float, words: str) -> None:
    assert remaining(done, total, 30.0) == words


def test_a_line_is_there_at_once_for_whoever_reads_the_log() -> None:
    code = (
        "import time\nfrom rich.console import Console\nfrom sweeps.environment.terminal import Board\n"
        "with Board(Console()).stage('waiting'):\n    time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "Waiting ...\n"
        process.kill()


@pytest.mark.parametrize("attack", ["\x1b[2J", "\x9b2J", "\x07", "\u202eevil", "\x7f", "a\rb"])
def test_nothing_that_is_printed_commands_a_terminal(attack: str, capsys: pytest.CaptureFixture[str]) -> None:
    table = Table("head", title=attack)
    table.add_row(attack)
    Output().print(attack, table)
    tell(attack)
    complain(attack)
    told = capsys.readouterr()
    assert not {letter for letter in attack if not letter.isprintable()} & set(told.out + told.err)
    assert "\\" in told.out and "\\" in told.err  # written out instead

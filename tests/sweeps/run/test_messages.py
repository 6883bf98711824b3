"""Every message comes back from its line; noise is none."""

from __future__ import annotations

import math
from typing import get_args

import pytest

from sweeps.run.messages import (
    Dropped,
    Error,
    Failed,
    FoldFinished,
    FoldsScored,
    Kept,
    Left,
    Message,
    Notice,
    Probed,
    Ready,
    Replaced,
    Stopping,
    TrialFinished,
    from_line,
    to_line,
)

MESSAGES: list[Message] = [
    Ready(),
    Probed(1, 9, 0.25),
    FoldFinished("t", "1-5 · 2 epochs", 1, 2, 0.5),
    FoldsScored("t", "1-5 · 2 epochs", 3, 2, 0.5),
    Kept("1-5 · 2 epochs", 1, 1, 7),
    TrialFinished("1-5 · 2 epochs", 0.5),
    Dropped("2 · 2 epochs", 3),
    Failed("3 · 2 epochs", 'the loss became "nan"\n'),
    Replaced(1, 9),
    Notice("a server is away"),
    Left(2),
    Stopping(1),
    Notice("the database is away"),
    Error("disk full"),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_a_message_is_one_line_each_way(message: Message) -> None:
    assert "\n" not in to_line(message) and from_line(to_line(message) + "\n") == message


def test_every_kind_is_among_them() -> None:
    assert {type(message) for message in MESSAGES} == set(get_args(Message))


def test_a_fold_without_a_truth_has_no_number() -> None:
    back = from_line(to_line(TrialFinished("1", math.nan)))
    assert isinstance(back, TrialFinished) and math.isnan(back.dice)


@pytest.mark.parametrize("noise", ["", "warning: x\n", "{}", '{"loss": 0.5}\n', "{'event': 'Ready'}"])
def test_what_others_print_is_no_message(noise: str) -> None:
    assert from_line(noise) is None

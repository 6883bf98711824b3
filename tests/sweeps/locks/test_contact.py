"""Contact with a database that comes and goes: who waits, who is told, and when silence counts against others."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.exc import OperationalError, PendingRollbackError

from sweeps.locks.contact import Contact, is_away, reason_of
from tests.sweeps.clock import Clock
from trainer.errors import UserError


class FromServer(Exception):
    """An error as a driver raises it; `sqlstate` where the server sent it."""

    def __init__(self, text: str, sqlstate: str | None = None) -> None:
        super().__init__(text)
        self.sqlstate = sqlstate


OperationalErrorOfDriver = type("OperationalError", (FromServer,), {})


def error(text: str, sqlstate: str | None = None) -> OperationalError:
    return OperationalError("SELECT", {}, OperationalErrorOfDriver(text, sqlstate))


@pytest.mark.parametrize(
    ("caught", "away", "reason"),
    [
        (error("connection failed: Connection refused"), True, "nothing listens there"),
        (error("server closed the connection unexpectedly"), True, "it is starting or stopping"),
        (error("terminating connection due to administrator command", "57P01"), True, "it is starting or stopping"),
        (error("sorry, too many clients already", "53300"), True, "it has no connection left (max_connections)"),
        (PendingRollbackError("roll back first"), True, "PendingRollbackError"),
        (error('password authentication failed for user "ann"'), False, "the user or the password is wrong"),
        (error('database "tahw" does not exist'), False, "the server has no such database; make it with createdb"),
        (error("value too long", "22001"), False, "OperationalError"),
        (ValueError("a bug"), False, "ValueError"),
    ],
    ids=str,
)
def test_what_passes_is_told_from_what_lasts(caught: Exception, away: bool, reason: str) -> None:
    assert is_away(caught) == away
    assert reason_of(caught, "postgresql://ann:hush@db/thaw") == reason


def failing(times: int, contact: Contact, clock: Clock, seconds: float = 3.0) -> Any:
    """A call that fails so many times, each after some seconds."""
    left = [times]

    def call() -> str:
        if left[0]:
            left[0] -= 1
            clock.now += seconds
            raise error("Connection refused")
        return "answer"

    return call


@pytest.fixture
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sweeps.locks.contact.PAUSE_SECONDS", 0)


def test_a_call_waits_and_what_is_said_names_no_password(no_pause: None) -> None:
    clock, said = Clock(), list[str]()
    contact = Contact("postgresql://ann:hush@db/thaw", said.append, clock)
    assert contact.patiently(failing(4, contact, clock)) == "answer"
    assert said == [
        "The study's database postgresql://***@db/thaw does not answer; waiting for it.",
        "The study's database postgresql://***@db/thaw answers again.",
    ]
    assert contact.patiently(failing(1, contact, clock)) == "answer"  # too short to be worth a word
    assert len(said) == 2


def test_contact_is_steady_only_after_a_whole_grace_period_without_a_break(no_pause: None) -> None:
    clock = Clock()
    contact = Contact("postgresql://db/thaw", clock=clock, grace=30)
    clock.now += 29
    assert not contact.steady
    clock.now += 1
    assert contact.steady
    contact.patiently(failing(1, contact, clock))
    assert not contact.steady
    clock.now += 31
    assert contact.steady


def test_patience_ends_with_what_to_do(no_pause: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THAW_PATIENCE", "10")
    clock = Clock()
    contact = Contact("postgresql://ann:hush@db/thaw", clock=clock)
    with pytest.raises(
        UserError, match=r"has not answered for 10 seconds .*nothing listens there.*start the worker"
    ) as told:
        contact.patiently(failing(99, contact, clock))
    assert "hush" not in str(told.value)


def test_what_lasts_comes_through_at_once() -> None:
    contact = Contact("postgresql://db/thaw")

    def call() -> None:
        raise error('database "tahw" does not exist')

    with pytest.raises(OperationalError):
        contact.patiently(call)

"""Leases in a real PostgreSQL: one holder, taken over when it has run out, by the database's clock alone."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine, text

from sweeps.locks.contact import Contact
from sweeps.locks.database import DatabaseLocks, database_locks
from tests.servers import Postgres, postgres
from trainer.errors import UserError

pytestmark = pytest.mark.slow

BEAT, GRACE = 0.2, 2.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    with postgres(tmp_path_factory.mktemp("locks"), "thaw", "newer") as server:
        yield server


def locks_at(address: str) -> DatabaseLocks:
    """The locks of one process, with short leases and a contact that has been steady for long."""
    database_locks(address)  # makes the tables
    contact = Contact(address, grace=GRACE)
    contact._unbroken_since -= GRACE
    return DatabaseLocks(create_engine(address, poolclass=NullPool), contact, BEAT)


def hold(address: str, name: str, ready: str) -> None:
    with locks_at(address).held(name):
        Path(ready).touch()
        time.sleep(60)


def holder(address: str, name: str, folder: Path) -> multiprocessing.process.BaseProcess:
    """A process that holds a lock."""
    ready = folder / "ready"
    process = multiprocessing.get_context("spawn").Process(target=hold, args=(address, name, str(ready)), daemon=True)
    process.start()
    while not ready.exists():
        time.sleep(0.05)
    return process


def test_one_holds_and_the_others_wait(server: Postgres) -> None:
    locks, order = locks_at(server.address()), list[str]()

    def second() -> None:
        with locks_at(server.address()).held("turn", lambda: order.append("waits")):
            order.append("second")

    with locks.held("turn"):
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(1.5 * GRACE)  # longer than a lease: it is renewed
        order.append("first")
    thread.join()
    assert order[0] == "waits" and order[-2:] == ["first", "second"]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "frozen"])
def test_who_shows_no_sign_of_life_loses_the_lock(server: Postgres, tmp_path: Path, number: int) -> None:
    process = holder(server.address(), f"turn {number}", tmp_path)
    assert process.pid is not None
    os.kill(process.pid, number)
    with locks_at(server.address()).held(f"turn {number}"):
        if number == signal.SIGSTOP:
            os.kill(process.pid, signal.SIGCONT)
            time.sleep(5 * BEAT)  # it renews what it thinks is its own
            assert owners(server, f"turn {number}") == 1
    process.kill()


def owners(server: Postgres, name: str) -> int:
    with create_engine(server.address(), poolclass=NullPool).connect() as connection:
        return int(
            connection.execute(text("SELECT count(*) FROM thaw_leases WHERE name = :n"), {"n": name}).scalar_one()
        )


def test_nobody_takes_over_before_contact_has_been_steady(server: Postgres, tmp_path: Path) -> None:
    process = holder(server.address(), "after an outage", tmp_path)
    process.kill()
    time.sleep(1.2 * GRACE)
    locks = locks_at(server.address())
    locks.contact._unbroken_since = time.monotonic()
    waited = list[bool]()
    with locks.held("after an outage", lambda: waited.append(locks.contact.steady)):
        assert waited and not waited[0]


def test_the_living_are_present_and_the_dead_are_not(server: Postgres) -> None:
    locks = locks_at(server.address())
    assert locks.nobody_present("workers")
    with locks.present("workers"), locks_at(server.address()).present("workers"):
        assert not locks.nobody_present("workers")
    assert locks.nobody_present("workers")


def test_an_outage_is_waited_out(server: Postgres) -> None:
    locks = locks_at(server.address())
    with locks.held("through an outage"):
        server.stop()
        again = threading.Timer(1.0, server.start)
        again.start()
        with locks.held("another"):
            again.join()
        assert owners(server, "through an outage") == 1


def test_clocks_are_set_side_by_side(server: Postgres) -> None:
    assert abs(locks_at(server.address()).clock_ahead()) < 5


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"password": "wrong"}, "the user or the password is wrong"),
        ({"database": "tahw"}, "the server has no such database; make it with createdb"),
    ],
    ids=["password", "database"],
)
def test_a_database_that_cannot_be_used_says_why(server: Postgres, change: dict[str, str], said: str) -> None:
    with pytest.raises(UserError, match=said) as told:
        database_locks(server.address(**change))
    assert server.address(**change) not in str(told.value) and "://***@" in str(told.value)


def test_nobody_listens_there(server: Postgres) -> None:
    address = server.address().replace(str(server.port), "9")
    with pytest.raises(UserError, match="nothing listens there"):
        database_locks(address)


def test_the_database_of_a_newer_thaw_is_refused(server: Postgres) -> None:
    address = server.address("newer")
    database_locks(address)
    with create_engine(address, poolclass=NullPool).begin() as connection:
        connection.execute(text("UPDATE thaw_version SET version = 99"))
    database_locks.cache_clear()
    with pytest.raises(UserError, match="made by a newer thaw \\(version 99"):
        database_locks(address)

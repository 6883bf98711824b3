"""Leases between machines: rows of the study's database, each with an owner and an end, by the database's own clock.

    thaw_leases   name | owner | until

A thread renews what this process holds. A lease that has run out may be taken over, but by nobody who was without
contact a moment ago: after an outage everybody has a grace period to show that they live.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Engine, NullPool, create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from sweeps.locks.contact import Contact, connection_arguments, contact_with, explained
from sweeps.locks.contract import BEAT_SECONDS
from tracking.redact import redact
from trainer.errors import UserError

POLL_SECONDS = 0.5
PRESENT = "#"  # stands between the name and the owner of a lease that any number may have

VERSION = 1  # of what thaw keeps in the database beside Optuna's tables; raised when an older thaw would go wrong
MAKING_TABLES = 716_921  # an advisory lock: any number that nobody else takes
MAKE = (
    "CREATE TABLE IF NOT EXISTS thaw_leases (name TEXT PRIMARY KEY, owner TEXT NOT NULL, until TIMESTAMPTZ NOT NULL)",
    "CREATE TABLE IF NOT EXISTS thaw_version (version INTEGER PRIMARY KEY)",
    f"INSERT INTO thaw_version SELECT {VERSION} WHERE NOT EXISTS (SELECT 1 FROM thaw_version)",
)
END = "clock_timestamp() + :grace * interval '1 second'"
TAKE = f"INSERT INTO thaw_leases VALUES (:name, :owner, {END}) ON CONFLICT (name) DO NOTHING"
TAKE_OVER = f"UPDATE thaw_leases SET owner = :owner, until = {END} WHERE name = :name AND until < clock_timestamp()"
RENEW = (
    f"INSERT INTO thaw_leases VALUES (:name, :owner, {END}) "
    f"ON CONFLICT (name) DO UPDATE SET until = {END} WHERE thaw_leases.owner = :owner"
)
GIVE_BACK = "DELETE FROM thaw_leases WHERE name = :name AND owner = :owner"
KNOWN = "SELECT count(*) FROM thaw_leases WHERE starts_with(name, :prefix)"
ALIVE = f"{KNOWN} AND until >= clock_timestamp()"
FORGET = "DELETE FROM thaw_leases WHERE starts_with(name, :prefix) AND until < clock_timestamp()"
ALL = "SELECT name, owner, extract(epoch FROM clock_timestamp() - until) FROM thaw_leases ORDER BY name"


@dataclass(frozen=True)
class Lease:
    """A row of the table. `overdue`: for how many seconds it has run out; negative while it holds."""

    name: str
    owner: str
    overdue: float


class DatabaseLocks:
    """The locks in one PostgreSQL database, for any number of processes on any machines."""

    def __init__(self, engine: Engine, contact: Contact, beat: float = BEAT_SECONDS) -> None:
        self.engine, self.contact, self._beat = engine, contact, beat

    @contextmanager
    def held(self, name: str, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
        """Hold `name` alone until the block ends (`sweeps.locks.contract`)."""
        owner = uuid.uuid4().hex
        while not self._take(name, owner):
            waiting()
            time.sleep(POLL_SECONDS)
        with self._renewed(name, owner):
            yield

    @contextmanager
    def present(self, name: str) -> Iterator[None]:
        """Show that this process is at work at `name`."""
        owner = uuid.uuid4().hex
        row = f"{name}{PRESENT}{owner}"
        if self.contact.steady:
            self._do(FORGET, prefix=f"{name}{PRESENT}")
        self._do(TAKE, name=row, owner=owner)
        with self._renewed(row, owner):
            yield

    def nobody_present(self, name: str) -> bool:
        """Whether no living process is present at `name`. Until contact is steady, one whose lease ran out may live."""

        def count() -> int:
            with self.engine.connect() as connection:
                question = text(ALIVE if self.contact.steady else KNOWN)
                return int(connection.execute(question, {"prefix": f"{name}{PRESENT}"}).scalar_one())

        return self.contact.patiently(count) == 0

    def forget(self, lease: Lease) -> None:
        """Delete a lease, if it has run out and its owner has had a grace period to renew it."""
        if self.contact.steady:
            self._do(FORGET, prefix=lease.name)

    def clock_ahead(self) -> float:
        """By how many seconds the database's clock is ahead of this machine's."""

        def ask() -> float:
            with self.engine.connect() as connection:
                seconds = connection.execute(text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one()
                return float(seconds) - time.time()

        return self.contact.patiently(ask)

    def _take(self, name: str, owner: str) -> bool:
        taken = self._do(TAKE, name=name, owner=owner)
        return bool(taken or (self.contact.steady and self._do(TAKE_OVER, name=name, owner=owner)))

    @contextmanager
    def _renewed(self, name: str, owner: str) -> Iterator[None]:
        """Renew the lease in a thread of its own while the block runs, then give it back."""
        ended = threading.Event()

        def renew() -> None:
            while not ended.wait(self._beat):
                with suppress(SQLAlchemyError):  # the database is away: the next beat tries again
                    self.contact.once(lambda: self._execute(RENEW, {"name": name, "owner": owner}))

        thread = threading.Thread(target=renew, daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
            with suppress(SQLAlchemyError):  # it runs out by itself
                self.contact.once(lambda: self._execute(GIVE_BACK, {"name": name, "owner": owner}))

    def _do(self, statement: str, **values: str) -> int:
        """Carry out a statement, waiting for a database that is away; how many rows it changed.

        Each statement may be repeated, for a connection that is cut does not say whether it was carried out: who took a
        lease and was not told finds it taken, and waits until it has run out.
        """
        return self.contact.patiently(lambda: self._execute(statement, values))

    def _execute(self, statement: str, values: dict[str, Any]) -> int:
        with self.engine.begin() as connection:
            return connection.execute(text(statement), values | {"grace": self.contact.grace}).rowcount


def leases_in(connection: Connection) -> tuple[Lease, ...]:
    """All leases of a database, which is only read; none where it has no table of them."""
    if connection.execute(text("SELECT to_regclass('thaw_leases')")).scalar() is None:
        return ()
    return tuple(Lease(name, owner, float(overdue)) for name, owner, overdue in connection.execute(text(ALL)))


@lru_cache(maxsize=4)
def database_locks(url: str) -> DatabaseLocks:
    """The locks in the database at `url`, its tables made where they are missing.

    Raises `UserError` when the database cannot be used, or a newer thaw has made its tables.
    """
    contact = contact_with(url)
    with explained(url):
        # A connection for each statement: there is one every few seconds, and idle ones pile up at the server.
        engine = create_engine(url, poolclass=NullPool, connect_args=connection_arguments())
        version = contact.at_first(lambda: _make_tables(engine))
    if version > VERSION:
        raise UserError(
            f"The study's database {redact(url)} was made by a newer thaw (version {version}; this one knows versions "
            f"up to {VERSION}). Use that thaw on every machine, or another database."
        )
    return DatabaseLocks(engine, contact)


def _make_tables(engine: Engine) -> int:
    """Make the tables where they are missing; the version of those that are there."""
    with making_tables(engine, "thaw_version"), engine.begin() as connection:
        for statement in MAKE:
            connection.execute(text(statement))
    with engine.connect() as connection:
        return int(connection.execute(text("SELECT max(version) FROM thaw_version")).scalar_one())


@contextmanager
def making_tables(engine: Engine, last: str) -> Iterator[None]:
    """Let no other process make tables meanwhile: of two that make the same one, one would fail.

    Nothing is locked where the table `last` is there, so that no process waits for one that was stopped.
    """
    with engine.connect() as connection:
        if connection.execute(text("SELECT to_regclass(:name)"), {"name": last}).scalar() is None:
            connection.execute(text(f"SELECT pg_advisory_xact_lock({MAKING_TABLES})"))
        yield  # the lock ends with the transaction

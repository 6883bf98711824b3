"""Contact with a database that may be away for a while: calls wait until it is back, and others can be asked since when
it was never lost.
"""

from __future__ import annotations

import functools
import os
import threading
import time
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from sweeps.locks.contract import GRACE_SECONDS
from tracking.redact import redact
from trainer.errors import UserError

P = ParamSpec("P")
R = TypeVar("R")

PATIENCE_SECONDS = 3600.0
PATIENCE = "THAW_PATIENCE"  # the variable that sets another
PAUSE_SECONDS = 1.0  # between two tries
SAID_AFTER_SECONDS = 5.0
# What PostgreSQL answers while it starts, stops or has no connection left: all of it passes.
PASSING = ("57P01", "57P02", "57P03", "53300", "08000", "08001", "08003", "08006", "40001", "40P01")

Say = Callable[[str], None]


def patience() -> float:
    """How many seconds to wait for a database, or an MLflow server, that is away: `THAW_PATIENCE`, or an hour."""
    try:
        return float(os.environ.get(PATIENCE, PATIENCE_SECONDS))
    except ValueError as error:
        raise UserError(f"{PATIENCE} must be a number of seconds, but it is {os.environ[PATIENCE]!r}.") from error


class Contact:
    """Since when a database answers. One object per database and process, shared by its threads."""

    def __init__(self, url: str, say: Say = lambda _: None, clock: Callable[[], float] = time.monotonic) -> None:
        self.url, self.say, self._clock = url, say, clock
        self._unbroken_since = clock()
        self._away_since: float | None = None
        self._told = False
        self._lock = threading.Lock()

    @property
    def steady(self) -> bool:
        """Whether it has answered for a whole grace period: only then may silence of others be held against them."""
        with self._lock:
            return self._away_since is None and self._clock() - self._unbroken_since >= GRACE_SECONDS

    @property
    def away(self) -> bool:
        """Whether the last call found it away."""
        return self._away_since is not None

    def lost(self) -> float:
        """Note that a call failed; for how many seconds it has been away."""
        with self._lock:
            if self._away_since is None:
                self._away_since = self._clock()
            gone, told = self._clock() - self._away_since, self._told
            self._told = told or gone >= SAID_AFTER_SECONDS
        if gone >= SAID_AFTER_SECONDS and not told:
            self.say(f"The study's database {redact(self.url)} does not answer; waiting for it.")
        return gone

    def found(self) -> None:
        """Note that a call succeeded."""
        if self._away_since is None:
            return
        with self._lock:
            self._away_since, told, self._told = None, self._told, False
            self._unbroken_since = self._clock()
        if told:
            self.say(f"The study's database {redact(self.url)} answers again.")

    def once(self, call: Callable[[], R]) -> R:
        """Make a call and note whether the database answered. Raises what `call` raises."""
        try:
            result = call()
        except Exception as error:
            if is_away(error):
                self.lost()
            raise
        self.found()
        return result

    def patiently(self, call: Callable[[], R]) -> R:
        """Make a call again until the database answers. Raises `UserError` when patience ends, and what else `call`
        raises at once.
        """
        while True:
            try:
                return self.once(call)
            except Exception as error:
                if not is_away(error):
                    raise
                if self.lost() > patience():
                    raise UserError(
                        f"The study's database {redact(self.url)} has not answered for {patience():.0f} seconds "
                        f"(--patience): {_reason(error, self.url)}. What is finished is kept; start the worker again "
                        "when the database is back."
                    ) from error
                time.sleep(PAUSE_SECONDS)


def patient(method: Callable[P, R]) -> Callable[P, R]:
    """A method of an object that has a `contact`: it waits while the database is away."""

    @functools.wraps(method)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        contact: Contact = args[0].contact  # type: ignore[attr-defined]
        return contact.patiently(lambda: method(*args, **kwargs))

    return call


def is_away(error: BaseException) -> bool:
    """Whether an error says that the database cannot be reached now, and not that something is wrong with the call."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, DBAPIError):
            return _passes(cause)
        cause = cause.__cause__ if isinstance(cause, SQLAlchemyError) or cause is error else None
    return False


def _passes(error: DBAPIError) -> bool:
    original: Any = error.orig
    state = getattr(original, "sqlstate", None)
    if state is not None:
        return state in PASSING
    # Without a state nothing came from the server: the connection could not be made, or was cut.
    return error.connection_invalidated or type(original).__name__ in ("OperationalError", "InterfaceError")


def _reason(error: BaseException, url: str) -> str:
    text = str(error.__cause__ or error)
    return text.splitlines()[0].rstrip(".") if redact(url) == url and text else type(error.__cause__ or error).__name__


@functools.lru_cache(maxsize=4)
def contact_with(url: str) -> Contact:
    """This process's contact with the database at `url`: one for its locks and its study."""
    return Contact(url)

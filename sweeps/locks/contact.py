"""Contact with a database that may be away for a while: calls wait until it is back, and others can be asked since when
it was never lost.
"""

from __future__ import annotations

import functools
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

from sqlalchemy.exc import DBAPIError, PendingRollbackError, SQLAlchemyError

from sweeps.locks.contract import GRACE_SECONDS
from tracking.patience import patience
from tracking.redact import redact
from trainer.errors import UserError
from trainer.full_disk import full_disk
from trainer.stopping import StopAsked, leave_if, never

P = ParamSpec("P")
R = TypeVar("R")
E = TypeVar("E", bound=BaseException)

PAUSE_SECONDS = 1.0  # between two tries
SAID_AFTER_SECONDS = 5.0
# What PostgreSQL answers while it starts, stops or has no connection left: all of it passes.
PASSING = ("57P01", "57P02", "57P03", "53300", "08000", "08001", "08003", "08006", "40001", "40P01")
# What a server says that is there, and that will say the same in a minute.
LASTING = ("authentication failed", "does not exist", "no pg_hba.conf entry", "no password supplied")
REASONS = {
    "password authentication failed": "the user or the password is wrong",
    "no password supplied": "it asks for a password, and the address has none",
    'database ".*" does not exist': "the server has no such database; make it with createdb",
    'role ".*" does not exist': "the server knows no such user",
    "no pg_hba.conf entry": "the server lets nobody in from this machine (pg_hba.conf)",
    "[Cc]onnection refused": "nothing listens there",
    "resolve host|translate host name|[Nn]ame or service not known": "its name is unknown here",
    "timeout expired|timed out": "there was no answer",
    "starting up|shutting down|terminating connection|server closed": "it is starting or stopping",
    "too many clients|remaining connection slots": "it has no connection left (max_connections)",
}

Say = Callable[[str], None]


class Contact:
    """Since when a database answers. One object per database and process, shared by its threads.

    `say` is told when the database goes and comes. `waits_at_first`: a worker waits for it at its start, too; for who
    has just typed an address it is wrong when nothing answers. `stop_asked`: who waits leaves, by `Preempted`.
    """

    def __init__(
        self,
        url: str,
        say: Say = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
        grace: float = GRACE_SECONDS,
    ) -> None:
        self.url, self.say, self.grace, self._clock = url, say, grace, clock
        self.waits_at_first = False
        self.stop_asked: StopAsked = never
        self._unbroken_since = clock()
        self._away_since: float | None = None
        self._told = False
        self._lock = threading.Lock()

    @property
    def steady(self) -> bool:
        """Whether it has answered for a whole grace period: only then may silence of others be held against them."""
        with self._lock:
            return self._away_since is None and self._clock() - self._unbroken_since >= self.grace

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

    def at_first(self, call: Callable[[], R]) -> R:
        """Make the first call to a database."""
        return self.patiently(call) if self.waits_at_first else self.once(call)

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
                        f"(--patience): {reason_of(error, self.url)}. What is finished is kept; start the worker again "
                        "when the database is back."
                    ) from error
                leave_if(self.stop_asked)
                time.sleep(PAUSE_SECONDS)


def patient(method: Callable[P, R]) -> Callable[P, R]:
    """A method of an object that has a `contact`: it waits while the database is away."""

    @functools.wraps(method)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        contact: Contact = args[0].contact  # type: ignore[attr-defined]
        return contact.patiently(lambda: method(*args, **kwargs))

    return call


@contextmanager
def explained(url: str) -> Iterator[None]:
    """Turn the errors of a database that cannot be used into a message without a traceback."""
    try:
        yield
    except (SQLAlchemyError, UnicodeError) as error:
        raise unusable(error, url) from error


def unusable(error: BaseException, url: str) -> UserError:
    """What to say of a database that cannot be used."""
    return full_disk(error, redact(url)) or UserError(
        f"The study's database {redact(url)} must be reachable and writable, but it is not: "
        f"{reason_of(error, url)}. Fix that and run the same command again: finished work is kept."
    )


def is_away(error: BaseException) -> bool:
    """Whether an error says that the database cannot be reached now, and not that something is wrong with the call."""
    if _caused_by(error, PendingRollbackError) is not None:  # of a connection that was cut a moment ago
        return True
    cause = _caused_by(error, DBAPIError)
    if cause is None:
        return False
    state = getattr(cause.orig, "sqlstate", None)
    if state is not None:
        return state in PASSING
    # Without a state nothing came from the server: the connection could not be made, or was cut.
    refused = any(words in str(cause.orig) for words in LASTING)
    cut = cause.connection_invalidated or type(cause.orig).__name__ in ("OperationalError", "InterfaceError")
    return cut and not refused


def reason_of(error: BaseException, url: str) -> str:
    """Why the database cannot be used, without a secret and without a full stop."""
    cause = _caused_by(error, DBAPIError)
    text = str(error if cause is None else cause.orig)
    if known := next((words for pattern, words in REASONS.items() if re.search(pattern, text)), None):
        return known
    if redact(url) != url or not text:  # drivers cut an odd address up and quote the pieces
        return type(error if cause is None else cause.orig).__name__
    return text.splitlines()[0].rstrip(".")


def _caused_by(error: BaseException, kind: type[E]) -> E | None:
    """The error of a kind behind one of SQLAlchemy or Optuna."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, kind):
        cause = cause.__cause__
    return cause


def connection_arguments() -> dict[str, object]:
    """How to connect to PostgreSQL: a pulled cable is noticed within seconds, not by the system's hours."""
    alive = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 20_000}
    return {"connect_timeout": 5, "application_name": "thaw", **alive}


@functools.lru_cache(maxsize=4)
def contact_with(url: str) -> Contact:
    """This process's contact with the database at `url`: one for its locks and its study."""
    return Contact(url)

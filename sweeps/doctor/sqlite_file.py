"""A SQLite file that is only read, as it is."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection, create_engine

BUSY_SECONDS = 60.0
# A write was cut off, which only who may write can take back: whoever opens it next does.
CUT_OFF = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN)


def fault_of(path: Path) -> str | None:
    """What SQLite's own check says of a file; None for one that is sound."""
    try:
        with closing(_opened(path)) as database:
            words = [str(row[0]) for row in database.execute("PRAGMA quick_check(3)")]
    except sqlite3.DatabaseError as error:
        was_cut_off = path.with_name(f"{path.name}-journal").exists()
        return None if was_cut_off and getattr(error, "sqlite_errorcode", 0) & 0xFF in CUT_OFF else str(error)
    return None if words == ["ok"] else " ".join(words).replace("\n", " ")


@contextmanager
def read_only(path: Path) -> Iterator[Connection]:
    """A connection to a file that changes nothing."""
    with closing(_opened(path)) as database:
        engine = create_engine("sqlite://", creator=lambda: database)
        with engine.connect() as connection:
            yield connection
        engine.dispose()


def _opened(path: Path) -> sqlite3.Connection:
    address = f"file:{quote(str(path.resolve()))}?mode=ro"
    return sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS, check_same_thread=False)

"""A home that was copied or moved belongs to itself: MLflow's absolute addresses are made to point into it.

MLflow keeps the address of every experiment's, run's and model's files. In a copy they lead into the original, and what
is recorded next would be written there. So whoever opens a home looks at them first.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from trainer.errors import UserError

# Where MLflow keeps addresses of files: table, its columns that are an identity, column.
PLACES = (
    ("experiments", "experiment_id", "artifact_location"),
    ("runs", "run_uuid", "artifact_uri"),
    ("logged_models", "model_id", "artifact_location"),
    ("model_versions", "name, version", "source"),
    ("model_versions", "name, version", "storage_location"),
)
BUSY_SECONDS = 60
UNREADABLE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CANTOPEN)  # SQLite's words for the file


def leads_elsewhere(database: Path, artifacts: Path) -> bool:
    """Whether `mend` would change anything in a home's database, which is only read."""
    with open_readable(database) as connection:
        return next(_changes(connection, artifacts.resolve()), None) is not None


def mend(database: Path, artifacts: Path) -> int:
    """Make addresses below a former place of this home's artifacts point into `artifacts`; how many were changed.

    All of them or, killed, none. One whose files lie only at the former place stays: they were written there when the
    home was a copy that did not know it.
    """
    artifacts = artifacts.resolve()
    with (
        _told_where_unreadable(database),
        closing(sqlite3.connect(database, timeout=BUSY_SECONDS, isolation_level=None)) as connection,
    ):
        connection.execute("BEGIN IMMEDIATE")
        changes = list(_changes(connection, artifacts))
        for table, identity, column, key, address in changes:
            where = " AND ".join(f"{name} = ?" for name in identity.split(", "))
            connection.execute(f"UPDATE {table} SET {column} = ? WHERE {where}", (address, *key))
        connection.execute("COMMIT")
    return len(changes)


def copy_database(database: Path, to: Path) -> None:
    """A consistent copy of a database that is only read, even while others write to it."""
    with open_readable(database) as source, closing(sqlite3.connect(to)) as copy:
        source.backup(copy)


@contextmanager
def open_readable(database: Path) -> Iterator[sqlite3.Connection]:
    """Open a database to read it; SQLite first takes back a write that was cut off, as after a kill.

    Where it cannot (a read-only file system), the database is read as one that nobody changes. Raises `UserError` where
    a write was cut off there, and for a file that is damaged or cannot be opened.
    """
    with _told_where_unreadable(database), _readable(database) as connection:
        yield connection


@contextmanager
def _readable(database: Path) -> Iterator[sqlite3.Connection]:
    address = database.resolve().as_uri()
    with closing(sqlite3.connect(f"{address}?mode=rw", uri=True, timeout=BUSY_SECONDS)) as connection:
        try:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.OperationalError:
            readable = False
        else:
            readable = True
            yield connection
    if not readable:
        _check_whole(database)
        with closing(sqlite3.connect(f"{address}?immutable=1", uri=True)) as connection:
            yield connection


@contextmanager
def _told_where_unreadable(database: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF not in UNREADABLE:  # the other bits say more exactly what
            raise
        raise UserError(
            f"{database} must be MLflow's database, the record of this home's sweeps, but it cannot be read: {error}. "
            "Fix its permissions, put back a copy of it, or choose another --home."
        ) from error


def _former_folders(connection: sqlite3.Connection, artifacts: Path) -> set[Path]:
    """Where else the artifacts of thaw's own experiments are said to lie: `<home>/artifacts`, a folder each below."""
    if not {"experiments", "experiment_tags"} <= _tables(connection):
        return set()
    rows = connection.execute(
        "SELECT name, artifact_location FROM experiments WHERE experiment_id IN "
        "(SELECT experiment_id FROM experiment_tags WHERE key = 'thaw.kind')"
    )
    folders = {path.parent for name, address in rows if (path := _path_of(address)) is not None and path.name == name}
    return folders - {artifacts}


def _check_whole(database: Path) -> None:
    for suffix in ("-journal", "-wal"):
        journal = database.with_name(database.name + suffix)
        if journal.exists() and journal.stat().st_size:
            raise UserError(
                f"{database} was cut off while it was written, and can only be read where the rest may be taken back. "
                "Use the home once where it can be written, or copy it there."
            )


Change = tuple[str, str, str, tuple[object, ...], str]  # table, identity, column, key, new address


def _changes(connection: sqlite3.Connection, artifacts: Path) -> Iterator[Change]:
    former = _former_folders(connection, artifacts)
    if not former:
        return
    tables = _tables(connection)
    for table, identity, column in PLACES:
        if table in tables:
            for *key, address in connection.execute(f"SELECT {identity}, {column} FROM {table}").fetchall():
                if (own := _own_place(_path_of(address), former, artifacts)) is not None:
                    yield table, identity, column, tuple(key), own.as_uri()


def _own_place(path: Path | None, former: set[Path], artifacts: Path) -> Path | None:
    """Where the files of a foreign address lie in this home; None for one that is to stay."""
    folder = None if path is None else next((folder for folder in former if folder in path.parents), None)
    if path is None or folder is None:
        return None
    own = artifacts / path.relative_to(folder)
    return own if own.exists() or not os.path.lexists(path) else None


def _path_of(address: str | None) -> Path | None:
    parts = urlsplit(address or "")
    return Path(url2pathname(parts.path)) if parts.scheme == "file" else None


def _tables(connection: sqlite3.Connection) -> set[str]:
    return {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}

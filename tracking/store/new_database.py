"""A new SQLite database that is there whole or not at all."""

from __future__ import annotations

import glob
import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from tracking.sqlite_address import address_of


def make_aside(path: Path, make: Callable[[str], object]) -> None:
    """Let `make` build a database at an address beside `path`, then link it there; of several at once, one wins.

    MLflow builds its tables in dozens of steps, and a process killed between two of them leaves a file that MLflow
    refuses for ever ("duplicate column name"). `make` must have closed the database when it returns.
    Raises what `make` and the file system raise, leaving nothing behind; killed, it leaves a hidden file that nobody
    reads.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex[:12]}")
    try:
        with _nothing_flushed():
            make(address_of(part))
        _flush(part)
        _publish(part, path)
    finally:
        for file in path.parent.glob(f"{glob.escape(part.name)}*"):  # with its journal
            file.unlink(missing_ok=True)


@contextmanager
def _nothing_flushed() -> Iterator[None]:
    """Let SQLite leave new databases to the system's buffers, which halves the time: nobody sees this one yet."""

    def leave_it(connection: Any, _: Any) -> None:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA journal_mode = MEMORY")

    event.listen(Engine, "connect", leave_it)
    try:
        yield
    finally:
        event.remove(Engine, "connect", leave_it)


def _flush(part: Path) -> None:
    """Bring a file to the disk before it has its name."""
    with part.open("rb") as file:
        os.fsync(file.fileno())


def _publish(part: Path, path: Path) -> None:
    """Give the file its name, unless another has it."""
    try:
        os.link(part, path)
    except FileExistsError:
        pass
    except OSError:  # a file system without hard links (exFAT, some shares): the one look remains that can be late
        if not path.exists():
            os.replace(part, path)

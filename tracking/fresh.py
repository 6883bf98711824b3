"""A new SQLite database that is there whole or not at all."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

SQLITE = "sqlite:///"


def file_of(uri: str) -> Path | None:
    """The file behind an address such as `sqlite:////home/ann/mlflow.db`; None for any other kind of address."""
    path = uri.removeprefix(SQLITE)
    return Path(path) if uri.startswith(SQLITE) and path != ":memory:" and "?" not in path else None


def make_aside(path: Path, make: Callable[[str], object]) -> None:
    """Let `make` build a database at an address beside `path`, then link it there; of several at once, one wins.

    MLflow builds its tables in dozens of steps, and a process killed between two of them leaves a file that MLflow
    refuses for ever ("duplicate column name"). `make` must have closed the database when it returns.
    Raises what `make` and the file system raise, leaving nothing behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex[:12]}")
    try:
        make(f"{SQLITE}{part}")
        with suppress(FileExistsError):
            os.link(part, path)
    finally:
        for file in path.parent.glob(f"{part.name}*"):  # with its journal
            file.unlink(missing_ok=True)

"""A new SQLite database for MLflow, there whole or not at all."""

from __future__ import annotations

import os
import uuid
from contextlib import suppress
from pathlib import Path

from mlflow import MlflowClient

SQLITE = "sqlite:///"


def file_of(uri: str) -> Path | None:
    """The file behind an address such as `sqlite:////home/ann/mlflow.db`; None for any other kind of address."""
    path = uri.removeprefix(SQLITE)
    return Path(path) if uri.startswith(SQLITE) and path != ":memory:" and "?" not in path else None


def make_database(path: Path) -> None:
    """Make MLflow's tables in a new file at `path`; of several processes that do so at once, one wins.

    MLflow builds its tables in dozens of steps. A process killed between two of them leaves a file that MLflow refuses
    for ever ("duplicate column name"), so they are built beside `path` and linked to it when all are there.
    Raises what MLflow and the file system raise, leaving nothing behind.
    """
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore  # half a second, needed this once

    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex[:12]}")
    uri = f"{SQLITE}{part}"
    try:
        MlflowClient(tracking_uri=uri).search_experiments(max_results=1)
        # MLflow keeps one pool of connections per address for good; this address is gone in a moment.
        SqlAlchemyStore._engine_map.pop(uri).dispose()
        with suppress(FileExistsError):
            os.link(part, path)
    finally:
        for file in path.parent.glob(f"{part.name}*"):
            file.unlink(missing_ok=True)

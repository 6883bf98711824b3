"""The address of a SQLite file, for MLflow and Optuna alike, whatever characters its path holds."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import quote, unquote

PLAIN = "sqlite:///"
# Spelled with its driver, for MLflow makes a folder of what stands behind `sqlite:///`, quoted as it is.
QUOTED = "sqlite+pysqlite:///"
MEANS_ITSELF = re.compile(r"[\w /.,+~=-]*")


def address_of(path: Path) -> str:
    """The address of an absolute path, as SQLAlchemy reads it: what means something else in an address is quoted.

    Raises `UnicodeEncodeError` for a path whose bytes are no text.

    >>> address_of(Path("/home/ann/my runs/mlflow.db"))
    'sqlite:////home/ann/my runs/mlflow.db'
    >>> address_of(Path("/home/ann/why?/mlflow.db"))
    'sqlite+pysqlite:////home/ann/why%3F/mlflow.db'
    """
    text = str(path)
    return PLAIN + text if MEANS_ITSELF.fullmatch(text) else QUOTED + quote(text)


def file_of(address: str) -> Path | None:
    """The file behind an address of SQLite; None for one with options, for memory, and for any other database.

    >>> file_of("sqlite+pysqlite:////home/ann/why%3F/mlflow.db")
    PosixPath('/home/ann/why?/mlflow.db')
    """
    prefix = next((prefix for prefix in (PLAIN, QUOTED) if address.startswith(prefix)), None)
    if prefix is None:
        return None
    path = address.removeprefix(prefix)
    return None if path in ("", ":memory:") or "?" in path else Path(unquote(path))

"""Files that are either whole or absent: every write of thaw that another process might read goes through here."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO

from trainer.config import UserError


def write_atomically(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Let `write` fill a temporary file beside `path`, flush it to disk and rename it over `path`.

    A reader sees the old file or the new one, never a part; after any failure the temporary file is gone.
    Raises `UserError` when the disk refuses (full, read-only, no permission).
    """
    # Not made by `tempfile`, whose files only their owner may read: a lab shares its home.
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex[:12]}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("xb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def cannot_write(path: Path, error: OSError) -> UserError:
    """The message for a disk that refuses, naming the file, the system's reason and the remedy."""
    return UserError(
        f"Cannot write {path}: {error.strerror or error}. Nothing half-written was left behind; "
        "free some space or choose a writable place (--home), then run the same command again: finished work is kept."
    )

"""Files between processes: written whole or not at all, and locks that die with their holder."""

from __future__ import annotations

import fcntl
import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from trainer.errors import UserError
from trainer.full_disk import full_disk

POLL_SECONDS = 0.2


def given_path(text: str) -> Path:
    """A path as a user writes it, `~` for a home included; nothing need be there. Raises `UserError` for no path."""
    try:
        path = Path(text).expanduser()
        path.lstat()
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        pass
    except (OSError, ValueError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"A path must name a file or folder, but {text[:200]!r} cannot: {reason}.") from error
    return path


def write_atomically(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Let `write` fill a temporary file beside `path`, flush it to disk and rename it over `path`.

    A reader sees the old file or the new one, never a part; after any failure the temporary file is gone.
    Raises `UserError` when the disk refuses (full, read-only, no permission).
    """
    # Not made by `tempfile`, whose files only their owner may read: a lab shares its home.
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:12]}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("xb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextmanager
def locked(path: Path, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Lock `path` for this process alone. Others wait and call `waiting()` before each new attempt.

    The kernel holds the lock, so it is freed however its holder dies: no stale lock can remain.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                waiting()
                time.sleep(POLL_SECONDS)
        yield


@contextmanager
def present(path: Path) -> Iterator[None]:
    """Show that this process is at work at `path`, until the block ends or it dies; several may (`nobody_present`)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield


def nobody_present(path: Path) -> bool:
    """Whether no living process is `present` at `path`, or has it `locked`. Asking makes and changes no file."""
    try:
        # Over a network only what is open for writing can be locked alone.
        file = path.open("r+b" if os.access(path, os.W_OK) else "rb")
    except FileNotFoundError:
        return True
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def cannot_write(path: Path, error: OSError) -> UserError:
    """The error for a file that cannot be written: it names the file, the system's reason and the remedy."""
    if (told := full_disk(error, str(path))) is not None:
        return told
    return UserError(
        f"Cannot write {path}: {error.strerror or error}. Nothing half-written was left behind; "
        "choose a writable place (--home, --out), then run the same command again: finished work is kept."
    )

"""A disk that cannot take more, told as that, whichever library met it."""

from __future__ import annotations

import errno
from collections.abc import Iterator

from trainer.errors import UserError

CODES = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# What SQLite, HDF5 and TensorFlow say, which raise errors of their own.
WORDS = ("no space left on device", "database or disk is full", "disk quota exceeded", "file too large", "errno = 28")


def full_disk(error: BaseException, place: str = "") -> UserError | None:
    """What to say of an error that a full disk, quota or file size limit has caused; None for any other.

    `place`: the file or database that was written, where the error does not know it.

    >>> str(full_disk(OSError(28, "No space left on device", "/srv/a.npz"))).split(". ")[0]
    'Cannot write /srv/a.npz: No space left on device'
    >>> full_disk(OSError(2, "No such file or directory"))
    """
    for cause in _chain(error):
        text = str(cause).lower()
        if isinstance(cause, OSError) and cause.errno in CODES:
            return _message(place or cause.filename, cause.strerror or "")
        if reason := next((words for words in WORDS if words in text), None):
            return _message(place, reason)
    return None


def _message(place: object, reason: str) -> UserError:
    return UserError(
        f"Cannot write {place or 'a file'}: {reason}. The disk, or a quota or limit, is full. Nothing half-written was "
        "left behind; free some space, or choose a place with more (--home, --out; TMPDIR for temporary files), then "
        "run the same command again: finished work is kept."
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error, and those that led to it."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or current.__context__

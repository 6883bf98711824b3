"""A full disk is recognised whichever library met it, and nothing else is taken for one."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from trainer.full_disk import full_disk


def chained(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(28, "No space left on device"), "Cannot write /srv/x: No space left on device. The disk"),
        (OSError(122, "Disk quota exceeded", "/tmp/part"), "Cannot write /srv/x: Disk quota exceeded"),
        (OSError(27, "File too large"), "File too large"),
        (sqlite3.OperationalError("database or disk is full"), "Cannot write /srv/x: database or disk is full"),
        (chained(RuntimeError("cannot save"), OSError(28, "No space left on device")), "No space left"),
        (RuntimeError("Unable to write (file write failed: errno = 28, ...)"), "errno = 28"),
        (ValueError("RESOURCE_EXHAUSTED: /x/y; No space left on device"), "no space left on device"),
    ],
)
def test_full(error: Exception, words: str) -> None:
    assert words in str(full_disk(error, "/srv/x"))


@pytest.mark.parametrize("error", [OSError(13, "Permission denied"), KeyError("disk"), RuntimeError("full of bugs")])
def test_not_full(error: Exception) -> None:
    assert full_disk(error) is None


def test_a_chain_that_bites_its_tail_ends() -> None:
    first, second = KeyError(1), KeyError(2)
    first.__context__, second.__context__ = second, first
    assert full_disk(first) is None


def test_a_real_one() -> None:
    with pytest.raises(OSError) as caught, Path("/dev/full").open("wb", buffering=0) as file:
        file.write(b"x")
    assert "Cannot write /srv/x: No space left on device" in str(full_disk(caught.value, "/srv/x"))

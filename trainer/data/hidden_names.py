"""`data.names = "hide"`: cases are numbered, and notes lose the names that they list, so that none is recorded."""

from __future__ import annotations

from collections.abc import Iterable

HIDE = "hide"


def numbered(count: int) -> list[str]:
    """Names that tell nothing.

    >>> numbered(2)
    ['image 001', 'image 002']
    """
    return [f"image {number:03d}" for number in range(1, count + 1)]


def without_names(notes: Iterable[str]) -> tuple[str, ...]:
    """Notes without the files that they list: names stand in brackets, at the end of what is said of them.

    >>> without_names(["2 images with an empty mask left out (Mustermann.png, Doe (1).png)"])
    ('2 images with an empty mask left out',)
    """
    return tuple(note.partition(" (")[0] for note in notes)

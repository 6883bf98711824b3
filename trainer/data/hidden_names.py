"""`data.names = "hide"`: cases and classes are numbered, and notes lose the names that they list: none is recorded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from trainer.data.pairing.pairs import Pair

HIDE = "hide"


def numbered(count: int, what: str = "image") -> list[str]:
    """Names that tell nothing.

    >>> numbered(2)
    ['image 001', 'image 002']
    """
    return [f"{what} {number:03d}" for number in range(1, count + 1)]


def with_numbered_classes(pairs: Sequence[Pair]) -> tuple[Pair, ...]:
    """The pairs with their classes numbered in the order of their names: a folder may be a person's."""
    labels = sorted({pair.label for pair in pairs} - {""})
    number = dict(zip(labels, numbered(len(labels), "class"), strict=True))
    return tuple(replace(pair, label=number.get(pair.label, "")) for pair in pairs)


def without_names(notes: Iterable[str]) -> tuple[str, ...]:
    """Notes without the files that they list: names stand in brackets, at the end of what is said of them.

    >>> without_names(["2 images with an empty mask left out (Mustermann.png, Doe (1).png)"])
    ('2 images with an empty mask left out',)
    """
    return tuple(note.partition(" (")[0] for note in notes)

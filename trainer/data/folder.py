"""The image files of a folder, in the order people count, without what archivers and file managers leave behind."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from trainer.data.images import SUFFIXES

SHOWN = 3


def image_files(folder: Path, pattern: str = "**/*") -> list[Path]:
    """The image files below `folder`, masks included: those with one of the `SUFFIXES`."""
    return list(iterate_image_files(folder, pattern))


def only(folder: Path, fits: Callable[[Path], object]) -> list[Path]:
    """The image files below `folder` if all of them fit, else none; the first that does not fit ends the search.

    So a layout that is known by its names costs nothing in a folder of another layout.
    """
    paths = []
    for path in iterate_image_files(folder, "**/*"):
        if not fits(path):
            return []
        paths.append(path)
    return paths


def iterate_image_files(folder: Path, pattern: str) -> Iterator[Path]:
    """The image files below `folder`, one by one as the disk gives them."""
    return (path for path in files(folder, pattern) if path.suffix.lower() in SUFFIXES)


def files(folder: Path, pattern: str) -> Iterator[Path]:
    """The files below `folder`, leaving out hidden ones and what archivers and file managers add."""
    for path in folder.glob(pattern):
        inside = path.relative_to(folder).parts
        if not any(part.startswith((".", "__MACOSX")) or part == "Thumbs.db" for part in inside) and path.is_file():
            yield path


def subfolders(folder: Path) -> list[Path]:
    """The visible folders directly inside, in order."""
    return sorted(child for child in folder.iterdir() if child.is_dir() and not child.name.startswith((".", "__")))


def unread(folder: Path) -> tuple[str, ...]:
    """A note on files whose suffix is that of no image format that thaw reads, so that none is left out silently."""
    suffixes = Counter(path.suffix.lower() or "no suffix" for path in files(folder, "**/*"))
    others = {suffix: number for suffix, number in suffixes.items() if suffix not in SUFFIXES}
    listed = ", ".join(f"{number} {suffix}" for suffix, number in sorted(others.items()))
    return (f"files that are no images by their names, not read: {listed}",) if others else ()


def natural_key(text: str) -> list[tuple[int, int, str]]:
    """A sort key in which runs of digits are numbers: `benign (2)` comes before `benign (10)`."""
    runs = (run for run in re.split("([0-9]+)", text) if run)
    return [(0, int(run), "") if run[0] in "0123456789" else (1, 0, run) for run in runs]


def few(paths: tuple[Path, ...]) -> str:
    """The first names, and an ellipsis for the rest."""
    names = ", ".join(path.name for path in paths[:SHOWN])
    return names + (", ..." if len(paths) > SHOWN else "")


def count(items: tuple[object, ...], noun: str) -> str:
    """`1 image`, `2 images`."""
    return f"{len(items)} {noun}{'' if len(items) == 1 else 's'}"

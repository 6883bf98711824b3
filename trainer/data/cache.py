"""Arrays computed once and memory-mapped ever after: whole or absent, checked when opened, rebuilt when damaged."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.errors import UserError
from trainer.files import cannot_write

STALE_SECONDS = 86_400
UNFINISHED = ".building-"


@dataclass(frozen=True, eq=False)
class Entry:
    """Named arrays (read-only memory maps once kept) and what is known about them, as JSON can hold it."""

    arrays: Mapping[str, NDArray[Any]]
    about: Mapping[str, Any]


def cached(cache: Path, key: str, make: Callable[[], Entry]) -> Entry:
    """The entry `key` of the folder `cache`; `make` is called only if it is missing or damaged.

    Raises `UserError` when the folder cannot be written.
    """
    place = cache / key[:32]
    kept = opened(place)
    if kept is None:
        keep(place, make())
        kept = opened(place)
    if kept is None:
        raise UserError(f"The cache entry {place} was damaged as soon as it was written. Check the disk and run again.")
    return kept


def keep(place: Path, entry: Entry) -> None:
    """Write `entry` into a temporary folder and rename that to `place`.

    So neither a kill nor two processes at once leave half an entry: whoever renames second finds a whole one.
    """
    temporary = None
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        clear_stale(place.parent)
        temporary = Path(tempfile.mkdtemp(dir=place.parent, prefix=UNFINISHED))
        write(temporary, entry)
        if place.exists() and opened(place) is None:
            shutil.rmtree(place, ignore_errors=True)
        if not place.exists():
            rename(temporary, place)
    except OSError as error:
        raise cannot_write(place, error) from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)


def write(place: Path, entry: Entry) -> None:
    """The arrays as .npy, and last the JSON with their check sums, by which `opened` notices damage."""
    for name, array in entry.arrays.items():
        with open(place / f"{name}.npy", "wb") as file:
            np.save(file, array, allow_pickle=False)
            file.flush()
            os.fsync(file.fileno())
    sums = {name: zlib.crc32(bytes_of(array)) for name, array in entry.arrays.items()}
    (place / "about.json").write_text(json.dumps({"about": dict(entry.about), "sums": sums}), "utf-8")


def opened(place: Path) -> Entry | None:
    """The entry kept in `place`; None when there is none or it is damaged."""
    try:
        read = json.loads((place / "about.json").read_text("utf-8"))
        arrays = {name: np.load(place / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in read["sums"]}
        whole = all(zlib.crc32(bytes_of(arrays[name])) == expected for name, expected in read["sums"].items())
        return Entry(arrays, read["about"]) if whole else None
    except (OSError, ValueError, KeyError, TypeError, EOFError):
        return None


def rename(temporary: Path, place: Path) -> None:
    """Give the finished folder its name, unless another process was faster with the same content."""
    try:
        temporary.rename(place)
    except OSError:
        if not place.is_dir():
            raise


def clear_stale(cache: Path) -> None:
    """Remove what a killed process left more than a day ago."""
    for left in cache.glob(f"{UNFINISHED}*"):
        if left.is_dir() and time.time() - left.stat().st_mtime > STALE_SECONDS:
            shutil.rmtree(left, ignore_errors=True)


def bytes_of(array: NDArray[Any]) -> memoryview:
    """The array's bytes without a copy, for check sums and digests."""
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data

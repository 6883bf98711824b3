"""Arrays computed once and memory-mapped afterwards: whole or absent, checked when opened, rebuilt when damaged."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.errors import UserError
from trainer.files import cannot_write

# What reading a damaged entry raises.
DAMAGED = (
    *(OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError),
    *(SyntaxError, TokenError, zipfile.BadZipFile),
)
STALE_SECONDS = 86_400
UNFINISHED = ".building-"
ENTRY = re.compile("[0-9a-f]{32}")  # the beginning of a key is the name of an entry's folder


@dataclass(frozen=True, eq=False)
class Entry:
    """Named arrays (read-only memory maps once they are on disk) and their description `about`, which JSON can hold."""

    arrays: Mapping[str, NDArray[Any]]
    about: Mapping[str, Any]


def cached(cache: Path, key: str, make: Callable[[], Entry]) -> Entry:
    """The entry `key` of the folder `cache`; `make` is called only if it is missing or damaged.

    Raises `UserError` when the folder cannot be written.
    """
    folder = folder_of(cache, key)
    entry = opened(folder)
    if entry is None:
        keep(folder, make())
        entry = opened(folder)
    if entry is None:
        raise UserError(
            f"The cache entry {folder} was damaged as soon as it was written. Check the disk and run again."
        )
    return entry


def folder_of(cache: Path, key: str) -> Path:
    """Where the entry of a key (a SHA-256 in hexadecimal digits) lies."""
    return cache / key[:32]


def entries(cache: Path) -> list[Path]:
    """The folders of all entries; what else lies in the cache is none."""
    return [path for path in sorted(cache.glob("*")) if ENTRY.fullmatch(path.name) and path.is_dir()]


def keep(folder: Path, entry: Entry) -> None:
    """Write `entry` into a temporary folder and rename that to `folder`.

    So neither a kill nor two processes at once leave half an entry: the process that renames second finds a whole one.
    """
    temporary = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        clear_stale(folder.parent)
        temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix=UNFINISHED))
        write(temporary, entry)
        if folder.exists() and opened(folder) is None:
            shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            rename(temporary, folder)
    except OSError as error:
        raise cannot_write(folder, error) from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)


def write(folder: Path, entry: Entry) -> None:
    """Write the arrays as .npy, and last the JSON with their check sums, by which `opened` notices damage."""
    for name, array in entry.arrays.items():
        with open(folder / f"{name}.npy", "wb") as file:
            np.save(file, array, allow_pickle=False)
            file.flush()
            os.fsync(file.fileno())
    sums = {name: zlib.crc32(bytes_of(array)) for name, array in entry.arrays.items()}
    about = dict(entry.about)
    (folder / "about.json").write_text(
        json.dumps({"about": about, "sums": sums, "sum": text_sum(about, sums)}), "utf-8"
    )


def opened(folder: Path) -> Entry | None:
    """The entry in `folder`; None when there is none or it is damaged."""
    try:
        header = json.loads((folder / "about.json").read_text("utf-8"))
        arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in header["sums"]}
        if not isinstance(header["about"], dict) or header["sum"] != text_sum(header["about"], header["sums"]):
            return None
        whole = all(zlib.crc32(bytes_of(arrays[name])) == expected for name, expected in header["sums"].items())
        return Entry(arrays, header["about"]) if whole else None
    except DAMAGED:
        return None


def rename(temporary: Path, folder: Path) -> None:
    """Give the finished folder its name, unless another process was faster with the same content."""
    try:
        temporary.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise


def clear_stale(cache: Path) -> None:
    """Remove the temporary folders that killed processes left more than a day ago."""
    for folder in cache.glob(f"{UNFINISHED}*"):
        with suppress(FileNotFoundError):  # another process has just finished with it
            if time.time() - folder.stat().st_mtime > STALE_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)


def text_sum(about: object, sums: object) -> int:
    """The check sum of a description."""
    return zlib.crc32(json.dumps([about, sums]).encode())


def bytes_of(array: NDArray[Any]) -> memoryview:
    """The array's bytes without a copy, for check sums and digests."""
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data

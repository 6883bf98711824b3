"""What cases are known by: digests of the files they come from, of the table of their patients, of what they are."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trainer.config import DataConfig, digest
from trainer.data.cache import bytes_of
from trainer.data.layouts import Layout
from trainer.files import write_atomically


def files_digest(layout: Layout, folder: Path, cache: Path) -> str:
    """SHA-256 over names and bytes of all files of `layout`, remembered for as long as paths, sizes and times stay.

    So the second start reads the folder's listing and no picture.
    """
    paths = [path for pair in layout.pairs for path in (pair.image, *pair.masks)]
    listing = [[os.path.relpath(path, folder), (now := path.stat()).st_size, now.st_mtime_ns] for path in paths]
    memory = cache / "listings" / digest({"folder": str(folder.resolve()), "files": listing})
    try:
        remembered = memory.read_text("ascii")
        if len(remembered) == 64:
            return remembered
    except (OSError, ValueError):
        pass
    whole = hashlib.sha256()
    for path, (name, *_) in zip(paths, listing, strict=True):
        whole.update(f"{name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    write_atomically(memory, lambda file: file.write(whole.hexdigest().encode()))
    return whole.hexdigest()


def table_digest(config: DataConfig) -> str:
    """SHA-256 of the table of patients, "" without one: another table makes other groups."""
    return hashlib.sha256(Path(config.patients).expanduser().read_bytes()).hexdigest() if config.patients else ""


def content_digest(
    images: NDArray[np.float32], masks: NDArray[np.uint8], names: Iterable[str], labels: Iterable[str]
) -> str:
    """SHA-256 of what is trained on, independent of where it came from."""
    whole = hashlib.sha256(digest([list(images.shape), list(names), list(labels)]).encode())
    whole.update(bytes_of(images))
    whole.update(bytes_of(masks))
    return whole.hexdigest()

"""Digests of cases: of the files they come from, of the table of their patients, of their content."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trainer.config import DataConfig
from trainer.data.cache import bytes_of
from trainer.data.formats.kinds import headers_beside
from trainer.data.pairing.pairs import Layout
from trainer.files import given_path, write_atomically
from trainer.keys import digest


def files_digest(layout: Layout, folder: Path, cache: Path) -> str:
    """SHA-256 over names and bytes of all files of `layout`, remembered while paths, sizes and times stay the same.

    So the second start reads the folder's listing and no image.
    """
    named = (path for pair in layout.pairs for path in (pair.image, *pair.masks))
    paths = list(dict.fromkeys(path for name in named for path in (name, *headers_beside(name))))
    listing = [[os.path.relpath(path, folder), (stat := path.stat()).st_size, stat.st_mtime_ns] for path in paths]
    memory = cache / "listings" / digest({"folder": str(folder.resolve()), "files": listing})
    try:
        remembered = memory.read_text("ascii")
        if len(remembered) == 64:
            return remembered
    except (OSError, ValueError):
        pass
    sha = hashlib.sha256()
    for path, (name, *_) in zip(paths, listing, strict=True):
        sha.update(f"{name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    write_atomically(memory, lambda file: file.write(sha.hexdigest().encode()))
    return sha.hexdigest()


def pairing_digest(layout: Layout, folder: Path) -> str:
    """SHA-256 of which files belong together, and of the name, class and patient of each case."""
    return digest(
        [
            [
                *(pair.name, pair.label, pair.patient, pair.slice),
                *(os.path.relpath(path, folder) for path in (pair.image, *pair.masks)),
            ]
            for pair in layout.pairs
        ]
    )


def table_digest(config: DataConfig) -> str:
    """SHA-256 of the table of patients, "" without a table. Another table makes other groups."""
    return hashlib.sha256(given_path(config.patients).read_bytes()).hexdigest() if config.patients else ""


def content_digest(
    images: NDArray[np.float32],
    masks: NDArray[np.uint8],
    names: Iterable[str],
    labels: Iterable[str],
    rules: str = "",
) -> str:
    """SHA-256 of images, masks, names and labels, independent of the files they were read from.

    `rules`, by which they were read, stand in it where there are any.
    """
    about = [list(images.shape), list(names), list(labels), *([rules] if rules else [])]
    sha = hashlib.sha256(digest(about).encode())
    sha.update(bytes_of(images))
    sha.update(bytes_of(masks))
    return sha.hexdigest()

"""Damaged images in the cache, by their check sums, and networks that are not what their name says."""

from __future__ import annotations

import hashlib
import shutil
from functools import partial
from pathlib import Path

from sweeps.doctor.finding import Finding
from sweeps.doctor.look import Look
from trainer.data.cache import entries, opened

KIND = "damaged file"
DIGITS = 16  # of the digest in a network's name


def damaged_images(look: Look) -> list[Finding]:
    """One finding for each damaged entry of the cache."""
    return [
        Finding(
            KIND,
            str(folder),
            "the images in it do not have the check sums that they were written with",
            "somebody works here: look again when they are done"
            if look.busy
            else "remove it: the images are read (by a worker: fetched) again when they are needed",
            None if look.busy else partial(shutil.rmtree, folder),
        )
        for folder in entries(look.home.data)
        if opened(folder) is None and folder.exists()
    ]


def damaged_networks(look: Look) -> list[Finding]:
    """One finding for each network of the user's own whose content has another digest than its name."""
    paths = [path for path in sorted(look.home.networks.glob("*")) if len(path.stem) == DIGITS and path.is_file()]
    return [
        Finding(
            KIND,
            str(path),
            "the network in it is not the one that its name says",
            "remove it: the sweep's command copies it again, a worker fetches it from MLflow",
            path.unlink,
        )
        for path in paths
        if not _digest(path).startswith(path.stem)
    ]


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

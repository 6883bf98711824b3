"""How large a `.keras` file unpacks to, looked up before Keras unpacks it: somebody else may have written it."""

from __future__ import annotations

import zipfile
from pathlib import Path

from trainer.errors import UserError
from trainer.foreign_arrays import MOST_BYTES

MOST_DESCRIPTION = 2**27  # bytes of its config.json: a thousand times that of a large network


def check_sizes(path: Path, called: str = "") -> None:
    """Raise `UserError` for a `.keras` file that would unpack to more than thaw reads; what is no archive passes, for
    whoever reads it says so. `called`: what its user calls the file.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            sizes = {entry.filename: entry.file_size for entry in archive.infolist()}
    except (OSError, ValueError, zipfile.BadZipFile):
        return
    total, description = sum(sizes.values()), sizes.get("config.json", 0)
    if total > MOST_BYTES or description > MOST_DESCRIPTION:
        raise UserError(
            f"{called or path} must be a network of at most {MOST_BYTES >> 30} GiB, described in at most "
            f"{MOST_DESCRIPTION >> 20} MiB, but it unpacks to {total:,} bytes, {description:,} of them its description."
        )

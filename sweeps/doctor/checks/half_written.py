"""Files that a killed process left half-written: temporary ones, which nobody reads."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from sweeps.doctor.finding import Finding
from sweeps.doctor.look import Look
from trainer.data.cache import STALE_SECONDS, UNFINISHED

KIND = "half-written"
QUIET_SECONDS = 60.0  # a report or a champion may be written though no sweep is at work
# As `trainer.files.write_atomically` and `tracking.store.new_database` name them, and `trainer.network.weights`.
TEMPORARY = re.compile(r"\..+\.[0-9a-f]{12}(-journal|-wal|-shm)?|\.part-.+\.weights\.h5")


def half_written(look: Look) -> list[Finding]:
    """One finding for each file or folder that is a day old, or a minute where nobody is at work."""
    oldest = STALE_SECONDS if look.busy else QUIET_SECONDS
    return [_finding(path) for path in _temporary(look.home.root) if _age(path) > oldest]


def _temporary(root: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(root):
        unfinished = [name for name in folders if name.startswith(UNFINISHED)]
        folders[:] = sorted(set(folders) - set(unfinished))
        yield from (Path(folder) / name for name in sorted([*unfinished, *filter(TEMPORARY.fullmatch, names)]))


def _age(path: Path) -> float:
    with suppress(OSError):  # it has just been finished
        return time.time() - path.stat().st_mtime
    return 0.0


def _finding(path: Path) -> Finding:
    def remove() -> None:
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)

    return Finding(KIND, str(path), "a temporary file that a killed process left", "remove it", remove)

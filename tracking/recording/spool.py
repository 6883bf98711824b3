"""The spool: operations as files below a home, in the order in which they were told, until MLflow has them.

    <home>/spool/<sweep>/<worker>/0000000001.zip    an operation (`tracking.recording.operations`)
                                  alive             locked while its worker lives
                                  <worker>/...      what a worker that died left, taken over whole

A worker writes into a folder of its own. What is left in that of a dead one is taken over by the next worker of the
sweep.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from tracking.recording.operations import DAMAGED, Operation, read_operation, write_operation
from tracking.store.changes import Files
from trainer.errors import UserError
from trainer.files import nobody_present, present, write_atomically

MOST_BYTES = 4 * 2**30  # of one worker; a fold of the largest networks that we know takes 0.1 GB
ALIVE = "alive"


class Spool:
    """The files of one worker, oldest first. Not safe for several threads: whoever uses it holds a lock."""

    def __init__(self, root: Path, sweep_run: str) -> None:
        """Open a new folder below `root`, and take over the files of workers that died, where they are of this sweep's
        run: they may be for another server.
        """
        self._open = ExitStack()
        self.folder = root / uuid.uuid4().hex[:12]
        beginning = root / f".{self.folder.name}"
        beginning.mkdir(parents=True)
        self._open.enter_context(present(beginning / ALIVE))  # before others can see it
        beginning.rename(self.folder)
        for folder in _dead(root, sweep_run):
            with suppress(OSError):  # another worker was faster
                folder.rename(self.folder / folder.name)
        # A folder in a folder is of a worker that died before: first what is deepest.
        paths = sorted(self.folder.rglob("*.zip"), key=lambda path: (-len(path.parts), path))
        self.pending = {path: path.stat().st_size for path in paths}
        self._next = 1

    @property
    def bytes(self) -> int:
        """What all files take."""
        return sum(self.pending.values())

    def append(self, operation: Operation, files: Files) -> Path:
        """Keep an operation behind the others. Raises `UserError` where the disk refuses."""
        path = self.folder / f"{self._next:010d}.zip"
        write_atomically(path, lambda file: write_operation(file, operation, files))
        self._next += 1
        self.pending[path] = path.stat().st_size
        return path

    def remove(self, path: Path) -> None:
        """Forget an operation that MLflow has, or that nobody wants any more."""
        path.unlink(missing_ok=True)
        self.pending.pop(path, None)

    def read(self, path: Path) -> Operation:
        """The operation in a file. Raises `UserError` where it is damaged."""
        try:
            return read_operation(path)
        except DAMAGED as error:
            raise UserError(
                f"A file of the spool must be whole, but {path} is damaged ({error}). Delete it and run the same "
                "command again: what it held is recorded anew from the ledger."
            ) from error

    def close(self) -> None:
        """Leave; the folder goes when nothing is left in it."""
        self._open.close()
        if not self.pending:
            shutil.rmtree(self.folder, ignore_errors=True)
            with suppress(OSError):  # others are at work
                self.folder.parent.rmdir()


def _dead(root: Path, sweep_run: str) -> list[Path]:
    """The folders of workers of a sweep that died, oldest first."""
    folders = [path for path in root.iterdir() if path.is_dir() and not path.name.startswith(".")]
    dead = [folder for folder in folders if nobody_present(folder / ALIVE) and _is_for(folder, sweep_run)]
    return sorted(dead, key=lambda folder: (folder.stat().st_mtime, folder.name))


def _is_for(folder: Path, sweep_run: str) -> bool:
    """Whether the operations of a folder are of this sweep's run; a damaged one counts, so that it is told of."""
    for path in _files(folder):
        with suppress(*DAMAGED):
            return read_operation(path).sweep_run == sweep_run
    return True


@dataclass(frozen=True)
class Undelivered:
    """What lies in the spool of one worker: `count` operations in `size` bytes, the `oldest` told at that time (Unix,
    s). `alive`: its worker lives, and delivers it; of a dead one the next worker of the sweep does.
    """

    sweep: str
    worker: str
    count: int
    size: int
    oldest: float
    alive: bool


def undelivered(home: Path) -> Iterator[Undelivered]:
    """What lies in the spools of a home, in no order. Reads names and sizes only, and changes nothing."""
    for folder in sorted((home / "spool").glob("*/*")):
        files = list(_stats(folder))
        if files:
            alive = (folder / ALIVE).exists() and not nobody_present(folder / ALIVE)
            oldest = min(file.st_mtime for file in files)
            size = sum(file.st_size for file in files)
            yield Undelivered(folder.parent.name, folder.name, len(files), size, oldest, alive)


def _stats(folder: Path) -> Iterator[os.stat_result]:
    for file in _files(folder):
        with suppress(FileNotFoundError):  # it has just been delivered
            yield file.stat()


def _files(folder: Path) -> list[Path]:
    with suppress(OSError):
        return [path for path in folder.rglob("*.zip") if os.access(path, os.R_OK)]
    return []

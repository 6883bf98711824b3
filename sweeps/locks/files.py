"""Locks between processes of one machine: files below the home, which the kernel frees when their holder dies."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from trainer import files


@dataclass(frozen=True)
class FileLocks:
    """The locks of the home in `root`."""

    root: Path

    def held(self, name: str, waiting: Callable[[], None] = lambda: None) -> AbstractContextManager[None]:
        """Hold `name` alone until the block ends (`sweeps.locks.contract`)."""
        return files.locked(self._path(name), waiting)

    def present(self, name: str) -> AbstractContextManager[None]:
        """Show that this process is at work at `name`."""
        return files.present(self._path(name))

    def nobody_present(self, name: str) -> bool:
        """Whether no living process is present at `name`."""
        return files.nobody_present(self._path(name))

    def _path(self, name: str) -> Path:
        return self.root / f"{name}.lock"

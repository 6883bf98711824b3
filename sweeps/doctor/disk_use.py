"""What a home takes on disk, by kind. A file under two names, such as weights shared with MLflow, counts once."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sweeps.environment.home import Home

ARTIFACTS = {
    "checkpoints": "weights of trials",
    "bases": "starting weights",
    "folds": "finished folds, for other machines",
}
TOP = {
    "data": "images as read",
    "weights": "starting weights",
    "networks": "networks of your own",
    "spool": "records not delivered yet",
    "reports": "reports",
    "sweeps": "plans and logs",
}


@dataclass(frozen=True)
class Use:
    """The `files` of a kind and the `bytes` that they take."""

    kind: str
    files: int
    bytes: int


def disk_use(home: Home) -> list[Use]:
    """The largest kinds first."""
    files, sizes = defaultdict[str, int](int), defaultdict[str, int](int)
    for path, size in _files(home.root):
        kind = _kind(path.relative_to(home.root).parts)
        files[kind] += 1
        sizes[kind] += size
    return sorted((Use(kind, files[kind], sizes[kind]) for kind in files), key=lambda use: (-use.bytes, use.kind))


def size_of(folder: Path) -> int:
    """The bytes of all files in a folder."""
    return sum(size for _, size in _files(folder))


def written(size: int) -> str:
    """`0.3 MB`, `1,204.5 MB`."""
    return f"{size / 10**6:,.1f} MB"


def _files(root: Path) -> Iterator[tuple[Path, int]]:
    """Every file with its size, 0 for one that was met under another name."""
    met: set[tuple[int, int]] = set()
    for folder, folders, names in os.walk(root):
        folders.sort()  # `artifacts` before `ledger`
        for name in sorted(names):
            path = Path(folder) / name
            try:
                stat = path.lstat()
            except OSError:  # gone meanwhile
                continue
            again = (stat.st_dev, stat.st_ino) in met
            met.add((stat.st_dev, stat.st_ino))
            yield path, 0 if again else stat.st_size


def _kind(parts: tuple[str, ...]) -> str:
    """The kind of a file by its place below the home.

    >>> _kind(("ledger", "ab", "abcd", "state.npz")), _kind(("mlflow.db",)), _kind(("ledger-1", "ab", "x.npz"))
    ('ledger: states', 'databases', 'put aside: ledger-1')
    """
    top, name = parts[0], parts[-1]
    if len(parts) == 1:
        return "databases" if ".db" in name else "others"
    if top == "ledger":
        return f"ledger: {_ledger_kind(name)}"
    if top == "artifacts":
        return f"MLflow: {_artifact_kind(parts)}"
    if top.rpartition("-")[0] in ("ledger", "weights"):
        return f"put aside: {top}"
    return TOP.get(top, "others")


def _ledger_kind(name: str) -> str:
    if name == "state.npz":
        return "states"
    return {".npz": "results, with weights that stay", ".weights": "weights shared with MLflow"}.get(
        Path(name).suffix, "others"
    )


def _artifact_kind(parts: tuple[str, ...]) -> str:
    """`artifacts/<experiment>/<run>/artifacts/<folder or file>`, `artifacts/<experiment>/models/...`."""
    if len(parts) > 2 and parts[2] == "models":
        return "registered networks"
    inside = parts[4:]
    if len(inside) > 1:
        return ARTIFACTS.get(inside[0], inside[0])
    return "scores, predictions and other files"

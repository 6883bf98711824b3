"""An operation: one thing that is recorded of a trial, as a file of plain data that any process can apply later.

The file is an uncompressed ZIP: `operation.json`, then the artifacts, so that a large one is never whole in memory.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Literal, get_args

from tracking.record import TrialInfo
from tracking.store import schema
from tracking.store.changes import Change, Files

Kind = Literal["open", "fold", "finish", "fail", "drop"]
META = "operation.json"
VERSION = 1
MOST_META = 2**26  # bytes: tags of every image's scores are a few MB at most

# What reading a damaged file raises.
DAMAGED = (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, RuntimeError, zipfile.BadZipFile)


@dataclass(frozen=True)
class Operation:
    """One step of one attempt at a trial. `time` (ms) is when it was told: its points carry it.

    `keeps`: the fold and the epochs of the ledger's file among its files; (0, 0) for none.
    """

    kind: Kind
    sweep_run: str
    info: TrialInfo
    attempt: int | None
    time: int
    change: Change
    keeps: tuple[int, int] = (0, 0)

    @property
    def trial(self) -> tuple[str, int | None]:
        """What operations of one attempt at one trial have in common."""
        return self.info.candidate.key, self.attempt


def write_operation(file: IO[bytes], operation: Operation, files: Files) -> None:
    """Write an operation and its files, which are taken one at a time."""
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(META, _to_json(operation))
        for path, content in files:
            archive.writestr(f"files/{path}", content)


def read_operation(path: Path) -> Operation:
    """The operation in a file. Raises one of `DAMAGED` for any other."""
    with zipfile.ZipFile(path) as archive:
        if archive.getinfo(META).file_size > MOST_META:
            raise ValueError("the operation is too large")
        return _from_json(archive.read(META).decode())


def read_files(path: Path) -> Iterator[tuple[str, bytes]]:
    """(path among the artifacts, content) of an operation's files. Raises one of `DAMAGED`."""
    with zipfile.ZipFile(path) as archive:
        for item in archive.infolist():
            if item.filename != META:
                yield _safe(item.filename.removeprefix("files/")), archive.read(item)


def _safe(path: str) -> str:
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts:
        raise ValueError(f"{path!r} leads out of the run")
    return path


def _to_json(operation: Operation) -> str:
    fields = asdict(operation) | {"version": VERSION, "info": schema.trial_to_json(operation.info)}
    return json.dumps(fields)


def _from_json(text: str) -> Operation:
    fields = json.loads(text)
    if fields.pop("version") != VERSION or fields["kind"] not in get_args(Kind):
        raise ValueError("an operation of another version")
    change = fields["change"]
    points = tuple((str(key), float(value), int(step)) for key, value, step in change.pop("points"))
    fields["change"] = Change(points, **{**change, "replaces": tuple(change["replaces"])})
    fold, epochs = fields["keeps"]
    return Operation(**{**fields, "info": schema.trial_from_json(fields["info"]), "keeps": (int(fold), int(epochs))})

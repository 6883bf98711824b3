"""What workers tell their launcher while a sweep runs: plain data, one JSON line each way."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import get_args

KIND = '{"event": "'  # how every line of ours begins; anything else on a worker's output is noise


@dataclass(frozen=True)
class Ready:
    """A worker has loaded images, weights and folds, and begins."""


@dataclass(frozen=True)
class Probed:
    """Single block `number` of `of` was probed; `dice` (0 to 1) on the first fold."""

    number: int
    of: int
    dice: float


@dataclass(frozen=True)
class Kept:
    """Of the candidate called `name`, what was trained is kept: fold `fold` (from 1), after `epochs` whole epochs and
    `steps` steps of the next one.
    """

    name: str
    fold: int
    epochs: int
    steps: int


@dataclass(frozen=True)
class FoldFinished:
    """A fold of the candidate called `name` was scored at `epochs`: `fold` from 1, `dice` its mean (NaN: no truth).

    `training` is what candidates that differ only in epochs have in common (`Candidate.training`).
    """

    training: str
    name: str
    fold: int
    epochs: int
    dice: float


@dataclass(frozen=True)
class FoldsScored:
    """So far `folds` folds of the candidate called `name` are scored at `epochs`; `dice` is their mean.

    What the study knows of a worker that nobody hears; else as `FoldFinished`.
    """

    training: str
    name: str
    folds: int
    epochs: int
    dice: float


@dataclass(frozen=True)
class TrialFinished:
    """The candidate called `name` was scored on all folds; `dice` is the mean."""

    name: str
    dice: float


@dataclass(frozen=True)
class Dropped:
    """The candidate called `name` was dropped after `fold` folds, since it is clearly worse than the best."""

    name: str
    fold: int


@dataclass(frozen=True)
class Failed:
    """The candidate called `name` has no score, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class Replaced:
    """The launcher's own: `worker` was ended by `signal`, and another process takes its place."""

    worker: int
    signal: int


@dataclass(frozen=True)
class Notice:
    """Something that whoever watches should know, as a sentence: a server is away, or answers again."""

    text: str


@dataclass(frozen=True)
class Left:
    """The launcher's own: `worker` was told to stop by somebody else, and nobody takes its place."""

    worker: int


@dataclass(frozen=True)
class Stopping:
    """The launcher's own: it tells all `workers` that are left to stop."""

    workers: int


@dataclass(frozen=True)
class Error:
    """A mistake that the user can fix; the worker ends."""

    message: str


Message = (
    Ready
    | Probed
    | Kept
    | FoldFinished
    | FoldsScored
    | TrialFinished
    | Dropped
    | Failed
    | Replaced
    | Left
    | Stopping
    | Notice
    | Error
)
_KINDS = {kind.__name__: kind for kind in get_args(Message)}


def to_line(message: Message) -> str:
    """A message as one line of JSON, without the line's end.

    >>> to_line(Dropped("1-5", 2))
    '{"event": "Dropped", "name": "1-5", "fold": 2}'
    """
    return json.dumps({"event": type(message).__name__, **asdict(message)})


def from_line(line: str) -> Message | None:
    """The message of a line; None for noise, which other people's code may print.

    >>> from_line(to_line(Dropped("1-5", 2)))
    Dropped(name='1-5', fold=2)
    """
    if not line.startswith(KIND):
        return None
    fields = json.loads(line)
    message: Message = _KINDS[fields.pop("event")](**fields)
    return message

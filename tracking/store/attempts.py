"""Which run of a candidate counts, where several machines may have begun it, and the folds that attempts hand on.

The tag `thaw.attempt` numbers the attempts at a trial; of several active runs of one candidate that of the highest
counts, and the others are never read. The tag `thaw.folds.<epochs>` names the finished folds of a training at a budget:
files of a ledger, among the artifacts of this run or of that of an attempt before.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from tracking.store.connection import Run

ATTEMPT = "thaw.attempt"
TRAINING = "thaw.training"  # what candidates of one training have in common: only their epochs differ
FOLDS = "thaw.folds."
MOST_BYTES = 2**31  # of one fold's file: larger ones are not fetched

T = TypeVar("T")


Rank = tuple[int, int, int, str]


def attempt_of(run: Run) -> int:
    """The number of the attempt that made a run; -1 for one of a sweep on one machine."""
    return attempt_in(run.data.tags)


def attempt_in(tags: Mapping[str, str]) -> int:
    """The number of the attempt that the tags of a run name; -1 where they name none, or no number."""
    try:
        return int(tags.get(ATTEMPT, -1))
    except ValueError:
        return -1


def rank(run: Run) -> Rank:
    """What the counting run of a candidate is the highest in."""
    return rank_of(run.info.run_id, run.info.start_time, run.data.tags, len(run.data.metrics))


def rank_of(run: str, started: int, tags: Mapping[str, str], metrics: int) -> Rank:
    """The rank of a run with so many `metrics`. Of one attempt, the run that holds most is the highest: a request that
    MLflow answered too late may have made another, which holds nothing.
    """
    return attempt_in(tags), metrics, started, run


def counting(runs: Iterable[Run], of: Callable[[Run], T]) -> list[T]:
    """`of` the one run that counts of every candidate, where candidates first come; the runs may be a stream."""
    best: dict[str, tuple[Rank, T]] = {}
    for run in runs:
        key = run.data.tags["thaw.candidate"]
        if key not in best or rank(run) > best[key][0]:
            best[key] = rank(run), of(run)
    return [value for _, value in best.values()]


@dataclass(frozen=True)
class KeptFold:
    """A finished `fold` at `epochs`: the file of a ledger among the artifacts of `run`, its bytes and SHA-256."""

    fold: int
    epochs: int
    run: str
    size: int
    digest: str

    @property
    def path(self) -> str:
        """Its place among the artifacts."""
        return path_of(self.fold, self.epochs)

    def is_whole(self, content: bytes) -> bool:
        """Whether a file is the one that was recorded."""
        return len(content) == self.size and hashlib.sha256(content).hexdigest() == self.digest


def folder_of(epochs: int) -> str:
    """Where the folds at a budget lie among the artifacts."""
    return f"folds/{epochs:05d}"


def path_of(fold: int, epochs: int) -> str:
    """Where the file of a fold at a budget lies among the artifacts."""
    return f"{folder_of(epochs)}/{fold}.npz"


def kept_fold(fold: int, epochs: int, run: str, content: bytes) -> KeptFold:
    """The entry of a file of a ledger."""
    return KeptFold(fold, epochs, run, len(content), hashlib.sha256(content).hexdigest())


def folds_tag(kept: Iterable[KeptFold], epochs: int) -> dict[str, str]:
    """The tag that names the folds at a budget; nothing where there are none."""
    table = {str(one.fold): [one.run, one.size, one.digest] for one in kept if one.epochs == epochs}
    return {f"{FOLDS}{epochs}": json.dumps(table, separators=(",", ":"))} if table else {}


def folds_from_tags(tags: Mapping[str, str]) -> list[KeptFold]:
    """The folds that the tags of a run name; what is damaged names none, and is trained again."""
    return [kept for name, text in tags.items() if name.startswith(FOLDS) for kept in _folds(name, text)]


def _folds(name: str, text: str) -> list[KeptFold]:
    try:
        epochs, table = int(name.removeprefix(FOLDS)), json.loads(text)
        kept = [_kept(int(fold), epochs, *values) for fold, values in table.items()]
    except (ValueError, TypeError, AttributeError, RecursionError):
        return []
    return [one for one in kept if 0 < one.size <= MOST_BYTES]


def _kept(fold: int, epochs: int, run: Any, size: Any, digest: Any) -> KeptFold:
    if not (isinstance(run, str) and type(size) is int and isinstance(digest, str)):
        raise ValueError("a run, a size and a digest are wanted")
    return KeptFold(fold, epochs, run, size, digest)

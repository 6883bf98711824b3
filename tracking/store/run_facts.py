"""What MLflow's runs are, in a few words each: for whoever looks a whole record over, and only reads."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from tracking.store.attempts import ATTEMPT, FOLDS, Rank, rank_of
from trainer.errors import UserError

if TYPE_CHECKING:  # heavy
    from tracking.store.writer import Tracker

KEPT = ("thaw.kind", "thaw.sweep", "thaw.candidate", ATTEMPT, "mlflow.parentRunId")
BUSY_SECONDS = 60.0
RUNS = "SELECT run_uuid, name, status, lifecycle_stage, start_time FROM runs"
TAGS = f"SELECT run_uuid, key, value FROM tags WHERE key IN ({', '.join('?' * len(KEPT))}) OR key LIKE '{FOLDS}%'"
METRICS = "SELECT run_uuid, count(*) FROM latest_metrics GROUP BY run_uuid"


@dataclass(frozen=True)
class RunFact:
    """One run. `kind`: sweep, trial, champion, ...; empty for one that is not thaw's. `sweep`: its name, of a sweep's
    own run. `parent`: run id of a trial's sweep. `active`: not deleted in MLflow. `rank`: of several active runs of one
    candidate, that of the highest counts (`tracking.store.attempts`). `folds`: what names the folds that attempts
    before left in their runs, as text; these may be deleted ones, whose artifacts are still needed.
    """

    run_id: str
    name: str
    status: str
    active: bool
    rank: Rank
    kind: str = ""
    sweep: str = ""
    parent: str = ""
    candidate: str = ""
    folds: str = ""

    @property
    def attempt(self) -> int:
        """The number of the attempt that made it; -1 without one."""
        return self.rank[0]


def facts_in_file(file: Path) -> tuple[RunFact, ...]:
    """Every run in MLflow's SQLite file, deleted ones too; nothing where it has no tables yet.

    Raises `UserError` where it cannot be read as it is.
    """
    address = f"file:{quote(str(file.resolve()))}?mode=ro"
    try:
        with closing(sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS)) as database:
            tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
            if not {"runs", "tags", "latest_metrics"} <= tables:
                return ()
            rows = database.execute(RUNS).fetchall()
            tags: dict[str, dict[str, str]] = {row[0]: {} for row in rows}
            for run, key, value in database.execute(TAGS, KEPT):
                tags.get(run, {})[key] = value
            metrics = dict(database.execute(METRICS).fetchall())
    except sqlite3.Error as error:
        raise UserError(f"MLflow's database {file} must be readable, but it is not: {error}.") from error
    return tuple(
        _fact(run, name, status, stage == "active", started or 0, tags[run], metrics.get(run, 0))
        for run, name, status, stage, started in rows
    )


def facts_of(tracker: Tracker, sweeps: Iterable[str]) -> tuple[RunFact, ...]:
    """The active runs of the sweeps of these names, from a server."""
    return tuple(_facts_of(tracker, sweeps))


def _facts_of(tracker: Tracker, sweeps: Iterable[str]) -> Iterator[RunFact]:
    for name in sweeps:
        experiment = tracker.client.get_experiment_by_name(name)
        if experiment is None or experiment.lifecycle_stage != "active":
            continue
        for run in tracker._pages([experiment.experiment_id], ""):
            info = run.info
            tags, metrics = run.data.tags, len(run.data.metrics)
            yield _fact(info.run_id, info.run_name, info.status, True, info.start_time or 0, tags, metrics)


def _fact(run: str, name: str, status: str, active: bool, started: int, tags: dict[str, str], metrics: int) -> RunFact:
    return RunFact(
        run_id=run,
        name=name or "",
        status=status,
        active=active,
        rank=rank_of(run, started, tags, metrics),
        kind=tags.get("thaw.kind", ""),
        sweep=tags.get("thaw.sweep", "") if tags.get("thaw.kind") == "sweep" else "",
        parent=tags.get("mlflow.parentRunId", ""),
        candidate=tags.get("thaw.candidate", ""),
        folds=" ".join(value for key, value in sorted(tags.items()) if key.startswith(FOLDS)),
    )

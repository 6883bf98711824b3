"""Trials out of MLflow's SQLite file: the same runs in the same order as MLflow's own search gives them."""

from __future__ import annotations

from typing import Any

import pytest
from mlflow.entities import Run

from tests.tracking.made_up import record_trial, sweep_info, trial_info
from tracking.store import sqlite_runs
from tracking.store.writer import Tracker


def as_data(run: Run) -> list[Any]:
    """All that a run holds; NaN equals itself."""
    parts = [vars(run.info), *(dict(sorted(vars(run.data)[name].items())) for name in ("_metrics", "_params", "_tags"))]
    return [repr(part) for part in parts]


@pytest.fixture
def sweep(tracker: Tracker) -> str:
    """A sweep of six trials: three done, one that runs, one whose run was deleted, one that failed."""
    sweep = tracker.open_sweep(sweep_info())
    for depth in (1, 5):
        record_trial(tracker, sweep, trial_info("shallow-first", depth))
    record_trial(tracker, sweep, trial_info("shallow-first", 0, 0))  # zero-shot: nothing was trained
    deleted, failed, _ = (tracker.open_trial(sweep, trial_info("deep-first", depth)) for depth in (1, 2, 3))
    tracker.client.log_metric(failed, "dice", float("nan"))
    tracker.fail_trial(failed, "no")
    tracker.client.delete_run(deleted)
    return sweep


def test_the_runs_are_those_of_mlflow(tracker: Tracker, sweep: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_runs, "CHUNK", 2)
    read = list(map(as_data, tracker._children(sweep)))
    monkeypatch.setattr(sqlite_runs, "FOUND", "select nothing")  # a database of another make: MLflow reads it
    assert read == list(map(as_data, tracker._children(sweep))) and len(read) == 5


def test_a_file_is_only_read(tracker: Tracker, sweep: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        sqlite_runs, "FOUND", "delete from runs where run_uuid <> ? or run_uuid <> ? returning run_uuid"
    )
    assert len(list(tracker._children(sweep))) == 5  # refused, so MLflow reads

"""A fresh store for every test that needs one, and a whole sweep as it is read back."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.tracking.made_up import scratch_info, sweep_info, trial_info, trial_record
from tracking.record import SweepRecord
from tracking.store.writer import Tracker


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite database with tables and nothing in them: making one takes a second, copying it nothing."""
    path = tmp_path_factory.mktemp("store") / "mlflow.db"
    Tracker.connect(f"sqlite:///{path}")
    return path


@pytest.fixture
def tracker(tmp_path: Path, empty_store: Path) -> Tracker:
    """A store of its own, in a folder with a space in its name."""
    home = tmp_path / "my home"
    home.mkdir()
    shutil.copy(empty_store, home / "mlflow.db")
    return Tracker.connect(f"sqlite:///{home / 'mlflow.db'}", home / "artifacts")


@pytest.fixture(scope="session")
def record() -> SweepRecord:
    """Both directions at 12 epochs, some at 6, the baselines, one failed and one unfinished trial."""
    directions = ("shallow-first", "deep-first")
    infos = [trial_info(order, depth, 12) for depth in range(1, 9) for order in directions]
    infos += [trial_info(order, depth, 6) for depth in (4, 5) for order in directions]
    infos += [trial_info("shallow-first", 9), trial_info("", 0), scratch_info()]
    trials = [trial_record(info) for info in infos]
    trials += [
        trial_record(trial_info("deep-first", 1, 6), "FAILED", 0, "block 9 is dead"),
        trial_record(trial_info("shallow-first", 1, 6), "RUNNING", 1),
    ]
    return SweepRecord(sweep_info(), "run 1", "RUNNING", "2026-11-23T06:00:00+00:00", tuple(trials))

"""A small home, made up, with something wrong of every kind; nothing in it was trained."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import numpy as np
import pytest

from sweeps.engines import optuna_queue
from sweeps.engines.optuna_storage import open_study
from sweeps.environment.home import Home, write_format
from tests.tracking.made_up import sweep_info, trial_info
from tests.trainer.training.test_ledger import made, state
from tracking.store.writer import Tracker
from trainer.data import cache
from trainer.training.ledger import Failure, Ledger

SWEEP = "demo"
UNKNOWN = "0" * 32  # a run that no database knows
LONG_AGO = time.time() - 3 * 86_400

WHOLE, HARMED = "a" * 32, "b" * 32  # entries of the cache


def make_ill(root: Path) -> Home:
    """Write the home."""
    write_format(root)
    home = Home(root)
    _record(home)
    _study(home)
    _ledger(home)
    _data(home)
    _spool(home)
    for name, age in ((".plan.json.0123456789ab", 600), (".young.json.0123456789ab", 0)):
        old(_file(root / "sweeps" / SWEEP / name), age)
    return home


def _record(home: Home) -> None:
    """A sweep and a trial that run, an earlier attempt at this trial, and a run that was deleted."""
    tracker = Tracker.connect(home.tracking_uri, home.artifacts)
    sweep = tracker.open_sweep(sweep_info(SWEEP))
    running = tracker.open_trial(sweep, trial_info("shallow-first", 1))
    run = tracker.client.get_run(running)
    tags = {key: run.data.tags[key] for key in ("mlflow.parentRunId", "thaw.kind", "thaw.candidate", "thaw.trial")}
    tracker.client.set_tag(running, "thaw.attempt", "7")
    earlier = tracker.client.create_run(run.info.experiment_id, run_name="earlier", tags=tags | {"thaw.attempt": "3"})
    tracker.client.log_metric(earlier.info.run_id, "dice", 0.5)
    deleted = tracker.open_trial(sweep, trial_info("shallow-first", 2))
    tracker.log_bytes(deleted, "scores.json", b"{}")
    tracker.client.delete_run(deleted)
    _file(home.artifacts / SWEEP / UNKNOWN / "artifacts" / "scores.json")


def _study(home: Home) -> None:
    optuna_queue.fill(home.storage_url, SWEEP, "identity", (), 9)
    optuna_queue.enqueue(home.storage_url, SWEEP, [trial_info("shallow-first", 1).candidate], 9)
    with pytest.warns(UserWarning, match="Heartbeat"):
        open_study(home.storage_url, SWEEP).ask()


def _ledger(home: Home) -> None:
    """One training that is whole, and one whose files are all damaged."""
    for key in ("aa" * 32, "bb" * 32):
        entry = Ledger(home.ledger).entry(key)
        entry.keep(made(), state())
        entry.keep_failure(Failure(3, "why"))
    for name in ("00002.npz", "state.npz", "failed.json"):
        path = home.ledger / "bb" / ("bb" * 32) / name
        path.write_bytes(path.read_bytes()[:-9])


def _data(home: Home) -> None:
    for key in (WHOLE, HARMED):
        cache.keep(home.data / key, cache.Entry({"images": np.arange(9)}, {}))
    path = home.data / HARMED / "images.npy"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    _file(home.networks / "e3b0c44298fc1c14.keras", b"")  # SHA-256 of nothing
    _file(home.networks / "0123456789abcdef.keras")
    (home.data / ".building-x").mkdir()
    old(home.data / ".building-x", 600)


def _spool(home: Home) -> None:
    """Two records of a worker that died, and one of a worker that died before, whose folder it had taken over."""
    for name in ("0000000001.zip", "0000000002.zip", "fedcba987654/0000000001.zip"):
        old(_file(home.root / "spool" / SWEEP / "0123456789ab" / name), 7200)


def _file(path: Path, content: bytes = b"123456") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def old(path: Path, seconds: float) -> None:
    """Let a file be this old."""
    os.utime(path, (time.time() - seconds,) * 2)


def tree(root: Path) -> dict[str, object]:
    """Everything below a folder, to compare it with what is there later."""
    return {
        str(path): (path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else json.dumps(None))
        for path in sorted(root.rglob("*"))
    }

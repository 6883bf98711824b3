"""The sweep `s` as a user starts it, and what it left behind: two masks at two budgets, two folds, three baselines."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from tests.small import SMALL_OPTIONS
from tracking.as_json import to_json
from tracking.store.writer import Tracker
from tracking.summary.sweep import summarise

ROOT = Path(__file__).parents[2]
SPEC = ["run", "smoke", "--name", "s", "--workers", "1", "--set", "search.masks=['1-5','6-9']", *SMALL_OPTIONS]


def started(home: Path, *more: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "sweeps.cli", *SPEC, "--home", str(home), *more]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def killed(launcher: subprocess.Popen[bytes], home: Path, sign: str) -> None:
    """Kill a launcher as soon as a file of that form is in its home."""
    while not list(home.glob(sign)):
        assert launcher.poll() is None, "it ended before it could be killed"
        time.sleep(0.05)
    os.kill(launcher.pid, signal.SIGKILL)
    launcher.wait()


def tracker(home: Path) -> Tracker:
    return Tracker.connect(f"sqlite:///{home / 'mlflow.db'}", home / "artifacts")


def report(home: Path) -> dict[str, Any]:
    """The JSON report of the home's only sweep."""
    table: dict[str, Any] = json.loads(to_json(summarise(tracker(home).read_sweep())))
    return table


def by_candidate(home: Path) -> dict[tuple[str, str, int], Any]:
    return {(trial["mask"], trial["start"], trial["epochs"]): trial for trial in report(home)["trials"]}


def numbers(table: dict[str, Any]) -> str:
    """The report without what may differ: when, where and by which command it was made."""
    return json.dumps({key: value for key, value in table.items() if key not in ("provenance", "weights")})


def runs(home: Path) -> Counter[str]:
    """How many MLflow runs there are, by status, deleted ones counted too."""
    client = tracker(home).client
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    return Counter(run.info.status for run in client.search_runs(experiments, run_view_type=3, max_results=1000))


def trained(home: Path) -> dict[Path, int]:
    """Every file of the ledger that holds a result, with its inode: a file that was written again has another."""
    return {path: path.stat().st_ino for path in (home / "ledger").glob("*/*/0*.npz")}

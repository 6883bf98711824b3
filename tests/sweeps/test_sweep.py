"""Whole sweeps as a user starts them: nothing is paid for twice, nothing is lost, the numbers are always the same."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tracking.runs import Tracker

ROOT = Path(__file__).parents[2]
TWO_MASKS = ["--set", "search.space=masks", "--set", "search.masks=['1-5','6-9']"]
Thaw = Callable[..., "subprocess.CompletedProcess[str]"]


def report(thaw: Thaw, home: Path, sweep: str = "s") -> dict[str, Any]:
    done = thaw("report", sweep, "--format", "json", "--home", home)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def numbers(found: dict[str, Any]) -> str:
    """The report without what may differ: when, where and by which command it was made."""
    return json.dumps({key: value for key, value in found.items() if key not in ("provenance", "weights")})


def runs(home: Path) -> dict[str, int]:
    """How many MLflow runs there are, by status, deleted ones counted too."""
    client = Tracker.connect(f"sqlite:///{home / 'mlflow.db'}").client
    experiments = [one.experiment_id for one in client.search_experiments()]
    count: dict[str, int] = {}
    for run in client.search_runs(experiments, run_view_type=3, max_results=1000):
        count[run.info.status] = count.get(run.info.status, 0) + 1
    return count


def trained(home: Path) -> dict[Path, int]:
    """Every file of the ledger that holds a result, with its inode: a file that was written again has another."""
    return {path: path.stat().st_ino for path in (home / "ledger").glob("*/*/0*.npz")}


@pytest.fixture(scope="module")
def home(thaw: Thaw, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished sweep `s` of two masks at budgets 1 and 2, grown by the tests in their order."""
    home = tmp_path_factory.mktemp("grown")
    done = thaw("run", "smoke", "--name", "s", "--home", home, "--workers", 2)
    assert done.returncode == 0, done.stderr + done.stdout
    return home


def test_the_same_sweep_again_trains_nothing_and_adds_no_run(thaw: Thaw, home: Path) -> None:
    before, files, numbers_before = runs(home), trained(home), numbers(report(thaw, home))
    done = thaw("run", "smoke", "--name", "s", "--home", home)
    assert done.returncode == 0 and "nothing to train" in done.stdout
    assert (runs(home), trained(home), numbers(report(thaw, home))) == (before, files, numbers_before)
    assert set(before) == {"FINISHED"}


def test_one_more_mask_trains_that_mask_only(thaw: Thaw, home: Path) -> None:
    before = trained(home)
    done = thaw("run", "smoke", "--name", "s", "--home", home, "--set", "search.masks=['1-5','6-9','1']")
    assert done.returncode == 0 and "2 of 11 trials to run" in done.stdout
    after = trained(home)
    assert {path: after[path] for path in before} == before
    assert len(after) - len(before) == 2 * 2  # two budgets of two folds


def test_a_larger_budget_continues_to_the_bits_of_one_straight_run(thaw: Thaw, home: Path, tmp_path: Path) -> None:
    before = trained(home)
    budgets = "search.epochs=[1,2,3]"
    assert thaw("run", "smoke", "--name", "s", "--home", home, "--set", budgets).returncode == 0
    after = trained(home)
    assert {path: after[path] for path in before} == before
    assert thaw("run", "smoke", "--name", "s", "--home", tmp_path, "--set", "search.epochs=[3]").returncode == 0
    scores = [
        {
            t["mask"] + t["start"]: [t[m]["folds"] for m in ("dice", "pixel_error", "ari")]
            for t in found["trials"]
            if t["epochs"] == 3
        }
        for found in (report(thaw, home), report(thaw, tmp_path))
    ]
    assert scores[0] == scores[1] and len(scores[0]) == 4


def test_a_name_stands_for_one_data_set_and_one_set_of_settings(thaw: Thaw, home: Path) -> None:
    done = thaw("run", "smoke", "--name", "s", "--home", home, "--set", "train.batch=3")
    assert done.returncode == 2
    assert "A sweep's name stands for one data set" in done.stderr and "--name" in done.stderr


def test_mlflow_lost_and_ledger_kept_trains_nothing(thaw: Thaw, home: Path) -> None:
    before, found = trained(home), report(thaw, home)
    for path in home.glob("mlflow.db*"):
        path.unlink()
    budgets = "search.epochs=[1,2,3]"
    assert thaw("run", "smoke", "--name", "s", "--home", home, "--set", budgets).returncode == 0
    assert trained(home) == before and set(runs(home)) == {"FINISHED"}
    assert {t["mask"]: t["dice"] for t in report(thaw, home)["trials"]}.items() <= {
        t["mask"]: t["dice"] for t in found["trials"]
    }.items()


def test_a_diverging_rate_fails_its_trials_and_the_sweep_goes_on(thaw: Thaw, tmp_path: Path) -> None:
    rates = "search.learning_rate=[1e-3,1e30]"
    command = [
        "run",
        "smoke",
        "--name",
        "s",
        "--home",
        tmp_path,
        *TWO_MASKS,
        "--set",
        rates,
        "--set",
        "search.epochs=[2]",
    ]
    done = thaw(*command)
    assert done.returncode == 3
    assert "training loss became" in done.stdout and "trials have no score" in done.stderr
    found = report(thaw, tmp_path)
    assert len(found["failed"]) == 4 and len(found["trials"]) == 5
    again = thaw(*command)
    assert again.returncode == 3 and "nothing to train" in again.stdout
    retried = thaw(*command, "--retry-failed")
    assert retried.returncode == 3 and "4 of 9 trials to run" in retried.stdout
    assert runs(tmp_path) == {"FINISHED": 5 + 2, "FAILED": 4}


@pytest.fixture
def killed(tmp_path: Path) -> Iterator[Callable[[float], None]]:
    """Starts the sweep in `tmp_path` and kills its launcher with SIGKILL after some seconds."""

    def run(seconds: float) -> None:
        command = [sys.executable, "-m", "sweeps.cli", "run", "smoke", "--name", "s", "--home", str(tmp_path)]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(seconds)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()

    yield run


def test_killed_and_started_again_it_ends_with_the_same_numbers(
    thaw: Thaw, killed: Callable[[float], None], smoke_home: Path, tmp_path: Path
) -> None:
    rng = random.Random(0)
    for _ in range(2):
        killed(rng.uniform(8, 20))
    done = thaw("run", "smoke", "--name", "s", "--home", tmp_path)
    assert done.returncode == 0, done.stderr
    (alone,) = [path.name for path in (smoke_home / "sweeps").iterdir()]
    left, cut = report(thaw, smoke_home, alone), report(thaw, tmp_path)
    assert numbers(cut | {"sweep": ""}) == numbers(left | {"sweep": ""})
    assert runs(tmp_path) == {"FINISHED": 9 + 2}

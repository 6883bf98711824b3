"""A sweep that something stopped: what was finished is kept, and the end is that of a sweep that nothing stopped."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.sweeps.kills import disturbed
from tests.sweeps.whole import ROOT, SPEC, by_candidate, killed, runs, started, trained

pytestmark = pytest.mark.slow  # whole sweeps in processes of their own
Run = Callable[..., "subprocess.CompletedProcess[str]"]
# Files of the ledger are compared, so nothing of them may go.
TUNED = ["--set", "search.engine=keras-tuner", "--set", "keep=all"]


def test_a_deadline_leaves_a_list_that_the_same_command_goes_on_with(run: Run, fresh: Path) -> None:
    ended = run(fresh, "--max-hours", "1e-6", "--set", "champion=true")
    assert ended.returncode == 0 and "The time is up (1e-06 hours): 9 trials wait, such as" in ended.stdout
    assert "No champion." in ended.stdout and runs(fresh) == {"FINISHED": 2}
    ended = run(fresh)
    assert ended.returncode == 0 and "9 of 9 trials to run" in ended.stdout and runs(fresh) == {"FINISHED": 9 + 2}


def test_keras_tuner_gives_the_same_numbers_even_killed_and_without_its_files(
    run: Run, smoke_home: Path, fresh: Path
) -> None:
    killed(started(fresh, *TUNED), fresh, "sweeps/s/keras-tuner/trial_0001/*")
    (fresh / "sweeps" / "s" / "keras-tuner" / "oracle.json").write_text("{")
    before = trained(fresh)
    assert run(fresh, *TUNED).returncode == 0
    after = trained(fresh)
    assert {path: after[path] for path in before} == before, "something was trained twice"
    assert runs(fresh) == {"FINISHED": 9 + 2}
    assert len(by_candidate(fresh)) == 9 and by_candidate(fresh).items() <= by_candidate(smoke_home).items()
    assert "nothing to train" in run(fresh, *TUNED).stdout
    assert "nothing to train" in run(fresh).stdout  # Optuna's grid has nothing left either


def test_killed_ten_times_at_random_moments_it_ends_with_the_same_numbers(smoke_home: Path, fresh: Path) -> None:
    """In full: `python -m tests.sweeps.kills`."""
    struck = disturbed(fresh, 10, random.Random(0), longest_pause=3.0)
    assert struck.total() > 3 and runs(fresh) == {"FINISHED": 9 + 2}, struck
    assert len(by_candidate(fresh)) == 9 and by_candidate(fresh).items() <= by_candidate(smoke_home).items()


def test_two_launchers_at_once_share_the_work(smoke_home: Path, tmp_path: Path) -> None:
    launchers = [started(tmp_path) for _ in range(2)]
    assert [launcher.wait(300) for launcher in launchers] == [0, 0]
    assert runs(tmp_path) == {"FINISHED": 9 + 2}
    assert len(by_candidate(tmp_path)) == 9 and by_candidate(tmp_path).items() <= by_candidate(smoke_home).items()


def test_a_stopped_sweep_says_so_and_leaves_nothing_running(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sweeps.cli", *SPEC, "--home", str(tmp_path)]
    launcher = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    plan = tmp_path / "sweeps" / "s" / "plan.json"
    while not plan.exists():
        time.sleep(0.1)
    time.sleep(1)
    launcher.send_signal(signal.SIGTERM)
    _, said = launcher.communicate(timeout=60)
    assert launcher.returncode == 130 and "the same command goes on from there" in said and "Traceback" not in said
    assert "RUNNING" not in runs(tmp_path)

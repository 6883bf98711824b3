"""A worker that freezes past its lease and comes back, with a clock ten minutes ahead of the other worker's.

    python -m tests.sweeps.frozen

Needs the library `faketime`. The frozen worker must find that it lost its trial; another must have finished it; and
the report must be that of the undisturbed sweep. Says what was found, and ends with 1 where something is wrong.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from optuna.trial import TrialState

from sweeps.engines.optuna_storage import open_study
from tests.sweeps.lab import SWEEP, Lab, open_lab, trial_runs
from tests.sweeps.storm import faults, numbers

LIBRARY = Path("/usr/lib") / "x86_64-linux-gnu" / "faketime" / "libfaketime.so.1"
AHEAD = {"LD_PRELOAD": str(LIBRARY), "FAKETIME": "+600s", "DONT_FAKE_MONOTONIC": "1"}
OPTIONS = ("--set", "folds=2", "--set", "search.epochs=[40]", "--set", "champion=false")
PATIENCE = 600.0  # seconds


def frozen(folder: Path, say: Callable[[str], object] = print) -> tuple[dict[str, Any], list[str]]:
    """The report of a sweep of which one worker froze at work, and what is wrong."""
    with open_lab(folder) as lab:
        lab.run("first", *OPTIONS)
        lab.wait_until_said("first", "trials to run", PATIENCE)
        lab.start("second", "worker", SWEEP, environment=AHEAD)
        lab.wait_until_said("second", ": Dice ", PATIENCE)
        wait_until(lambda: running(lab) == 2)
        lab.kill("second", signal.SIGSTOP)
        say(f"the second worker, whose clock says {clock(AHEAD)} where that of the first says {clock({})}, is frozen")
        began = time.monotonic()
        assert lab.wait("first", PATIENCE) == 0, lab.said("first")
        say(f"the first has finished the sweep {time.monotonic() - began:.0f} s later")
        lost = states(lab)["FAIL"]
        before = what_is_read(lab)
        lab.kill("second", signal.SIGCONT)
        code = lab.wait("second", PATIENCE)
        say(f"the second goes on, and ends with {code}: {lab.said('second').splitlines()[-1]}")
        wrong = faults(lab)
        wrong += [] if code == 0 else [f"the second worker ended with {code}"]
        wrong += [] if lost == 1 else [f"{lost} trials were taken over, but one was in hand"]
        wrong += [] if what_is_read(lab) == before else ["what is read changed when the second came back"]
        stages = Counter(run.info.lifecycle_stage for run in trial_runs(lab))
        say(f"study: {dict(states(lab))}; runs in MLflow: {dict(stages)}")
        return numbers(lab.report()), wrong


def undisturbed(folder: Path) -> dict[str, Any]:
    """The report of the same sweep by one worker that nothing disturbs."""
    with open_lab(folder) as lab:
        lab.run("calm", *OPTIONS)
        assert lab.wait("calm", PATIENCE) == 0, lab.said("calm")
        return numbers(lab.report())


def wait_until(true: Callable[[], bool]) -> None:
    """Wait until something holds."""
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, "it does not come to that"
        time.sleep(0.1)


def running(lab: Lab) -> int:
    """How many trials are in somebody's hands."""
    return states(lab)["RUNNING"]


def states(lab: Lab) -> Counter[str]:
    """How many trials of the study are in each state."""
    trials = open_study(lab.database.address(), SWEEP).get_trials(deepcopy=False)
    return Counter(TrialState(trial.state).name for trial in trials)


def what_is_read(lab: Lab) -> str:
    """The whole report, times included."""
    return json.dumps(lab.report(), sort_keys=True)


def clock(environment: dict[str, str]) -> str:
    """What a program sees as the time of day."""
    return subprocess.run(["date", "+%T"], env=environment, check=True, capture_output=True, text=True).stdout.strip()


@contextmanager
def folder_for(name: str) -> Iterator[Path]:
    """A folder that PostgreSQL's own user may enter."""
    with tempfile.TemporaryDirectory(prefix=f"thaw-{name}-") as made:
        Path(made).chmod(0o711)
        yield Path(made)


def main() -> int:
    """Run it; 1 where something is wrong."""
    if not LIBRARY.exists():
        print(f"This needs {LIBRARY}: apt-get install faketime")
        return 2
    with folder_for("frozen") as folder:
        report, wrong = frozen(folder)
    with folder_for("calm") as folder:
        wrong += [] if report == undisturbed(folder) else ["the report differs from the undisturbed one"]
    print("\n".join(wrong) or f"{len(report['trials'])} trials, report equal to the undisturbed one: nothing is wrong")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())

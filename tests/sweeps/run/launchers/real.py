"""A real sweep through Ray and through SLURM, with real servers and real workers, and a node lost on the way.

    python -m tests.sweeps.run.launchers.real ray
    python -m tests.sweeps.run.launchers.real slurm

Ray: two nodes of this machine, of which one is removed at work and another added. SLURM: a cluster of one node, on
which a job at work is requeued. Says what is wrong with the record, and whether the report equals that of the sweep
undisturbed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from optuna.trial import TrialState

from sweeps.engines.optuna_storage import open_study
from tests.ray_cluster import add_node, ray_cluster
from tests.servers import PASSWORD
from tests.slurm import slurm
from tests.small import SMALL_OPTIONS
from tests.sweeps.lab import ROOT, SWEEP, Lab, open_lab
from tests.sweeps.storm import faults, numbers

SECONDS = 300.0
Say = Callable[[str], None]


def through_ray(folder: Path, say: Say = lambda text: None) -> tuple[dict[str, Any], list[str]]:
    """The report of a sweep through Ray, and what is wrong with its record."""
    with open_lab(folder) as lab, ray_cluster(1, 1) as cluster:
        start(lab, {}, "--launcher", "ray", "--address", cluster.address, "--worker-home", str(folder / "cache"))
        wait_for_trials(lab, 2)
        cluster.remove_node(next(iter(cluster.worker_nodes)), allow_graceful=False)
        say("one of two nodes is removed while a trial runs on each")
        add_node(cluster, 1)
        say("another node is added")
        assert lab.wait("home", SECONDS) == 0, lab.said("home")
        assert "Ray lost the node" in lab.said("home")
        return found(lab, [Path("/tmp/ray/session_latest/logs")])


def through_slurm(folder: Path, say: Say = lambda text: None) -> tuple[dict[str, Any], list[str]]:
    """The report of a sweep through SLURM, and what is wrong with its record."""
    with open_lab(folder) as lab, slurm(folder) as cluster:
        options = ["--launcher", "slurm", "--wait", "--slurm", f"output={folder}/job-%A_%a.log"]
        start(lab, cluster.environment, *options, "--worker-home", str(folder / "cache"))
        wait_for_trials(lab, 2)
        cluster.call("scontrol", "requeue", "1_2")
        say(f"element 2 is requeued at work: {cluster.states('1')}")
        assert lab.wait("home", SECONDS) == 0, lab.said("home")
        say(f"the array in the end: {cluster.states('1')}")
        # Its scripts and its own record of jobs; environments are files of SLURM's own user alone.
        return found(lab, [lab.folder / "slurm" / "slurmctld.log", *folder.glob("job-*.log")])


def start(lab: Lab, environment: dict[str, str], *options: str) -> None:
    """Start the smallest sweep by two workers of a launcher."""
    command = ("run", "smoke", "--name", SWEEP, "--workers", "2", *SMALL_OPTIONS, *options)
    lab.start("home", *command, environment={"PYTHONPATH": str(ROOT)} | environment)


def wait_for_trials(lab: Lab, running: int) -> None:
    """Wait until so many trials run at once."""
    lab.wait_until_said("home", "2 workers", SECONDS)
    study, end = open_study(lab.database.address(), SWEEP), time.monotonic() + SECONDS
    while len(study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))) < running:
        assert time.monotonic() < end and lab.started["home"].poll() is None, lab.said("home")
        time.sleep(0.2)


def found(lab: Lab, places: list[Path]) -> tuple[dict[str, Any], list[str]]:
    """The report, and what is wrong: in the record, in the study, and passwords where none should be."""
    trials = open_study(lab.database.address(), SWEEP).get_trials(deepcopy=False)
    keys = [trial.user_attrs["key"] for trial in trials if trial.state == TrialState.COMPLETE]
    wrong = faults(lab)
    wrong += [f"{key} is complete twice in the study" for key in set(keys) if keys.count(key) > 1]
    wrong += [f"{trial.user_attrs['key']} was lost" for trial in trials if trial.user_attrs["key"] not in keys]
    files = [path for place in (lab.folder / "home", *places) for path in (place, *place.rglob("*")) if path.is_file()]
    wrong += [f"a password is in {path}" for path in files if PASSWORD.encode() in path.read_bytes()]
    wrong += ["a password is on the screen"] if PASSWORD in lab.said("home") else []
    return lab.report(), wrong


def comparable(report: dict[str, Any]) -> str:
    """A report without what may differ between two sweeps of one spec: their names, and when and where they ran."""
    return json.dumps({key: value for key, value in numbers(report).items() if key != "sweep"}, sort_keys=True)


def main(launcher: str) -> int:
    """Run it and say what was found; 0 where nothing is wrong."""
    folder = Path(tempfile.mkdtemp(prefix=f"real-{launcher}-"))
    report, wrong = {"ray": through_ray, "slurm": through_slurm}[launcher](folder, print)
    home = folder / "undisturbed"
    thaw = [sys.executable, "-m", "sweeps.cli"]
    run = [*thaw, "run", "smoke", "--name", SWEEP, *SMALL_OPTIONS, "--home", str(home)]
    subprocess.run(run, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    show = [*thaw, "report", "--format", "json", "--home", str(home)]
    plain = json.loads(subprocess.run(show, cwd=ROOT, check=True, capture_output=True, text=True).stdout)
    same = comparable(report) == comparable(plain)
    print(f"{len(report['trials'])} trials; report {'equal to' if same else 'DIFFERENT from'} the undisturbed one")
    for fault in wrong:
        print(f"WRONG: {fault}")
    (folder / "report.json").write_text(json.dumps(report))
    (folder / "plain.json").write_text(json.dumps(plain))
    return 0 if same and not wrong else 1


if __name__ == "__main__":
    os.environ.update(MLFLOW_DISABLE_TELEMETRY="true", MLFLOW_SERVER_ENABLE_JOB_EXECUTION="false")
    sys.exit(main(sys.argv[1]))

"""What every launcher does: all trials are done once, progress is told, faults come back, secrets stay out of sight."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from sweeps.engines import optuna_queue
from sweeps.environment.home import Home
from sweeps.run.launchers import following, ray, sbatch_script, slurm
from sweeps.run.launchers.contract import Crew, Launcher
from sweeps.run.launchers.local import LocalLauncher
from sweeps.run.launchers.ray import RayLauncher
from sweeps.run.launchers.slurm import SlurmLauncher
from sweeps.run.messages import Failed, Message, TrialFinished
from tests.ray_cluster import ray_cluster
from tests.slurm import slurm as slurm_cluster
from trainer.candidate import Candidate
from trainer.errors import UserError, WorkerCrashed

FAKE = Path(__file__).with_name("fake_worker.py")
CANDIDATES = [Candidate(mask, 2, 1e-3) for mask in ("1", "2", "1-5", "6-9", "all")]
SECRET = "hunter-2-of-tests"


@contextmanager
def local(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Launcher]:
    yield LocalLauncher()


@contextmanager
def through_ray(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Launcher]:
    monkeypatch.setattr(ray, "LOOK_EVERY", 0.2)
    with ray_cluster() as cluster:
        yield RayLauncher(cluster.address)


@contextmanager
def through_slurm(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Launcher]:
    monkeypatch.setattr(slurm, "LOOK_EVERY", 0.2)
    with slurm_cluster(folder) as cluster:
        for name, value in cluster.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(folder)
        monkeypatch.setattr(sbatch_script, "NEEDED", ())  # the fake workers find their study in a file
        yield SlurmLauncher(wait=True)


Started = Callable[[Path, pytest.MonkeyPatch], AbstractContextManager[Launcher]]


@pytest.mark.slow
@pytest.mark.parametrize("started", [local, through_ray, through_slurm])
def test_every_launcher(started: Started, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "LOOK_EVERY", 0.2)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://ann:{SECRET}@127.0.0.1:9")  # nobody asks it
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", SECRET)
    with started(tmp_path, monkeypatch) as launcher:
        for check in (all_trials_are_done_once_and_told, a_mistake_comes_back, a_bug_comes_back):
            folder = tmp_path / check.__name__
            folder.mkdir()
            check(launcher, folder)


def crew(folder: Path, *behaviour: str) -> Crew:
    """Two fake workers on a list of five trials."""
    home = Home(folder / "home")
    home.root.mkdir()
    optuna_queue.enqueue(home.storage_url, folder.name, CANDIDATES, 9)
    for name in behaviour:
        (folder / name).touch()
    return Crew(home, folder.name, 2, (str(FAKE), str(folder)))


def all_trials_are_done_once_and_told(launcher: Launcher, folder: Path) -> None:
    """Although one of the two workers is killed in the middle of a trial."""
    told: list[Message] = []
    assert launcher.launch(crew(folder, "killed"), told.append) is None
    assert Counter((folder / "seen").read_text().split()) == Counter(candidate.key for candidate in CANDIDATES)
    finished = [message for message in told if isinstance(message, TrialFinished)]
    assert Counter(message.name for message in finished) == Counter(candidate.name for candidate in CANDIDATES)
    assert not any(isinstance(message, Failed) for message in told)
    environments = [json.loads(path.read_text()) for path in folder.glob("environment-*")]
    assert len(environments) >= 2 and all(one["MLFLOW_TRACKING_TOKEN"] == SECRET for one in environments)
    assert not [
        path
        for path in folder.rglob("*")
        if path.is_file() and SECRET in path.read_text("latin-1") and "environment" not in path.name
    ]


def a_mistake_comes_back(launcher: Launcher, folder: Path) -> None:
    with pytest.raises(UserError, match="the disk is full"):
        launcher.launch(crew(folder, "mistake"), lambda message: None)


def a_bug_comes_back(launcher: Launcher, folder: Path) -> None:
    with pytest.raises(WorkerCrashed, match=r"(?s)exit code 1.*KeyError: 'typo'"):
        launcher.launch(crew(folder, "bug"), lambda message: None)

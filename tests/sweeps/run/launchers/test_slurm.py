"""SLURM, by programs that stand for its own: what is refused and by whom, and what the queue says of an array. What it
does with a cluster: test_contract.py, real_slurm.py.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from sweeps.environment.home import Home
from sweeps.run.launchers import slurm
from sweeps.run.launchers.contract import Crew, Submitted
from sweeps.run.launchers.slurm import Element, SlurmLauncher, read_queue
from sweeps.run.messages import Error, to_line
from tests.component import needs_driver
from trainer.errors import UserError, WorkerCrashed


class Programs:
    """A folder of programs, the only one where any are looked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, name: str, shell: str) -> None:
        """Write one, in sh."""
        path = self.folder / name
        path.write_text(f"#!/bin/sh\n{shell}\n")
        path.chmod(0o755)

    def queue(self, *elements: str) -> None:
        """Let squeue show these lines."""
        self.put("squeue", "\n".join(f"echo '{element}'" for element in elements))


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(slurm, "LOOK_EVERY", 0.01)
    programs = Programs(folder)
    programs.put("sbatch", 'echo "$@" >> calls; echo "7;lab"')
    programs.put("sinfo", "echo '(null)'; echo gpu:a100:4")
    return programs


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("THAW_STORAGE", "postgresql+psycopg://ann:secret@db/thaw")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://mlflow.lab")
    return Home(tmp_path / "home")


def test_without_sbatch(programs: Programs, home: Home) -> None:
    (programs.folder / "sbatch").unlink()
    with pytest.raises(UserError, match=r"sbatch, which is not here.*login node"):
        SlurmLauncher().check(home, 1)


@needs_driver
def test_gpus_where_there_are_none(programs: Programs, home: Home) -> None:
    SlurmLauncher(gpus=1).check(home, 1)
    programs.put("sinfo", "echo '(null)'")
    SlurmLauncher().check(home, 1)
    with pytest.raises(UserError, match="no node of this SLURM cluster offers any"):
        SlurmLauncher(gpus=1).check(home, 1)


def test_files_of_this_machine_are_no_good_there(programs: Programs, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="the study and the record of this sweep are a file of this machine"):
        SlurmLauncher().check(Home(tmp_path), 1)


@needs_driver
def test_two_numbers_of_workers(programs: Programs, home: Home) -> None:
    with pytest.raises(UserError, match="array=1-8 and --workers 3 differ"):
        SlurmLauncher({"array": "1-8"}).check(home, 3)


def test_it_submits_and_says_how_to_follow(programs: Programs, home: Home, tmp_path: Path) -> None:
    said = SlurmLauncher({"time": "1:00"}).launch(Crew(home, "my sweep", 3), lambda message: None)
    assert isinstance(said, Submitted)
    for words in ("array 7 of 3", "squeue --jobs=7", "scancel 7", "thaw report 'my sweep' --home"):
        assert words in said.text
    script = home.plan("my sweep").with_name("slurm.sh")
    assert (tmp_path / "calls").read_text() == f"--parsable {script}\n"
    assert "--time=1:00" in script.read_text() and "secret" not in script.read_text()


def test_what_slurm_refuses_is_said_in_its_own_words(programs: Programs, home: Home) -> None:
    programs.put("sbatch", "echo 'sbatch: error: invalid partition specified: x' >&2; exit 1")
    with pytest.raises(UserError, match="invalid partition specified: x"):
        SlurmLauncher().launch(Crew(home, "s", 1), lambda message: None)


def test_the_queue_in_words_and_codes(programs: Programs) -> None:
    programs.queue("1 RUNNING 0", "2 FAILED 512", "3 OUT_OF_MEMORY 9", "4 FAILED 36608", "5 PENDING 0", "6 REQUEUED 0")
    assert read_queue("7") == [
        Element("1", "RUNNING", 0),
        Element("2", "FAILED", 2),
        Element("3", "OUT_OF_MEMORY", -9),
        Element("4", "FAILED", 143),
        Element("5", "PENDING", 0),
        Element("6", "REQUEUED", 0),
    ]
    assert [element.is_over for element in read_queue("7")] == [False, True, True, True, False, False]
    programs.put("squeue", "echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1")
    assert read_queue("7") == []


class Still:
    """Stands for the follower of a study in which nothing happens."""

    def look(self) -> None:
        """See nothing."""

    look_now = look


@pytest.mark.parametrize(
    ("line", "log", "error", "words"),
    [
        ("1 FAILED 512", to_line(Error("the disk is full")), UserError, "array 7 says:\nthe disk is full"),
        ("1 FAILED 512", "THAW_STORAGE: must be set", UserError, "THAW_STORAGE: must be set"),
        ("1 FAILED 256", "KeyError: 'typo'", WorkerCrashed, r"exit code 1(?s:.)*scancel 7(?s:.)*KeyError: 'typo'"),
        ("1 FAILED 32512", None, WorkerCrashed, r"exit code 127(?s:.)*on its node"),
        ("1 TIMEOUT 0", "", UserError, r"over \(1 TIMEOUT\), but the sweep is not.*--slurm time="),
        ("1 FAILED 36608", "", UserError, r"over \(1 FAILED\), but the sweep is not"),
    ],
)
def test_an_array_that_is_over_before_the_list_is(
    programs: Programs,
    home: Home,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    line: str,
    log: str | None,
    error: type[Exception],
    words: str,
) -> None:
    monkeypatch.setattr(slurm, "Follower", lambda *arguments: Still())
    programs.queue(line)
    if log is not None:
        (tmp_path / "thaw-s-7_1.log").write_text(log)
    with pytest.raises(error, match=words):
        SlurmLauncher(wait=True).launch(Crew(home, "s", 1), lambda message: None)


def test_one_worker_that_found_the_list_drained_is_enough(
    programs: Programs, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slurm, "Follower", lambda *arguments: Still())
    programs.queue("1 COMPLETED 0", "2 FAILED 36608", "3 NODE_FAIL 9")
    assert SlurmLauncher(wait=True).launch(Crew(home, "s", 3), lambda message: None) is None


def test_who_stops_following_ends_nothing(
    programs: Programs, home: Home, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Stopped(Still):
        def look(self) -> None:
            raise KeyboardInterrupt

    programs.queue("1 RUNNING 0")
    programs.put("scancel", f"touch {tmp_path}/cancelled")
    monkeypatch.setattr(slurm, "Follower", lambda *arguments: Stopped())
    said = SlurmLauncher(wait=True).launch(Crew(home, "s", 1), lambda message: None)
    assert isinstance(said, Submitted) and not (tmp_path / "cancelled").exists()

"""The surroundings of every test, set before anything heavy is imported: quiet, one thread, CPU, no outside server."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.small import SMALL_OPTIONS
from tests.trainer.data.drawn import Drawn
from trainer.files import locked

ROOT = Path(__file__).parents[1]

os.environ.pop("MLFLOW_TRACKING_URI", None)
os.environ.update(
    MLFLOW_DISABLE_TELEMETRY="true",
    MLFLOW_SERVER_ENABLE_JOB_EXECUTION="false",
    TF_CPP_MIN_LOG_LEVEL="3",
    CUDA_VISIBLE_DEVICES="-1",
    OMP_NUM_THREADS="1",
    TF_NUM_INTRAOP_THREADS="1",
    TF_NUM_INTEROP_THREADS="1",
    TF_ENABLE_ONEDNN_OPTS="1",
    MPLBACKEND="agg",
    NO_COLOR="1",
    COLUMNS="120",
)

Thaw = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session", autouse=True)
def _home_is_never_the_users(tmp_path_factory: pytest.TempPathFactory) -> None:
    os.environ["THAW_HOME"] = str(tmp_path_factory.mktemp("home"))


@pytest.fixture(autouse=True)
def _nothing_is_shared_by_accident() -> Iterator[None]:
    """What a command puts into the environment for its workers does not outlive the test that called it."""
    before = {name: os.environ.get(name) for name in ("THAW_STORAGE", "THAW_PATIENCE")}
    yield
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


@pytest.fixture(scope="session")
def thaw() -> Thaw:
    """Runs `thaw *arguments` as a user does, in a process of its own; a traceback on the screen is always a failure."""

    def run(*arguments: object, timeout: float = 240) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", "from sweeps.cli import main; main()", *map(str, arguments)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=timeout, check=False)
        assert "Traceback" not in done.stderr + done.stdout, done.stderr + done.stdout
        return done

    return run


@pytest.fixture
def thaw_here(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Thaw:
    """Runs `thaw *arguments` in this process: importing Keras and MLflow takes longer than most commands."""

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        from sweeps.cli import main

        monkeypatch.setattr(sys, "argv", ["thaw", *map(str, arguments)])
        capfd.readouterr()  # what another command said
        with pytest.raises(SystemExit) as ended:
            main()
        output = capfd.readouterr()
        assert "Traceback" not in output.err + output.out, output.err + output.out
        return subprocess.CompletedProcess(sys.argv, int(ended.value.code or 0), output.out, output.err)

    return run


@pytest.fixture(scope="session")
def smoke_home(thaw: Thaw, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of one finished `thaw run smoke`, at its smallest, shared by the whole session and all of pytest's
    processes: read it, do not write to it.

    `said.txt` in it holds what the command printed.
    """
    base = tmp_path_factory.getbasetemp()
    home = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "smoke"
    with locked(home.with_name("smoke.lock")):
        if not (home / "said.txt").exists():
            done = thaw("run", "smoke", "--home", home, "--workers", 1, *SMALL_OPTIONS)
            assert done.returncode == 0, done.stderr + done.stdout
            (home / "said.txt").write_text(done.stdout)
    return home


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Drawn:
    """Images and masks drawn once a session, to be linked into the folders of the tests."""
    return Drawn(tmp_path_factory.mktemp("drawn"))

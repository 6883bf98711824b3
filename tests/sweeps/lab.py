"""A lab in a test: PostgreSQL, an MLflow server over it, and workers in homes that share nothing."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.servers import MlflowServer, Postgres, mlflow_server, postgres
from tests.small import SMALL_OPTIONS

ROOT = Path(__file__).parents[2]
SWEEP = "s"


@dataclass
class Lab:
    """The servers of a lab, and the processes that were started in it."""

    folder: Path
    database: Postgres
    server: MlflowServer
    started: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """What every command in the lab knows."""
        return os.environ | {"THAW_STORAGE": self.database.address(), "MLFLOW_TRACKING_URI": self.server.address}

    def start(self, name: str, *arguments: str, environment: Mapping[str, str] | None = None) -> None:
        """Start `thaw *arguments` in the home called `name`; what it says goes to a file beside the home."""
        command = [sys.executable, "-m", "sweeps.cli", *arguments, "--home", str(self.folder / name)]
        with (self.folder / f"{name}.log").open("ab") as log:
            self.started[name] = subprocess.Popen(
                command,
                cwd=ROOT,
                env=self.environment | dict(environment or {}),
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def run(self, name: str, *options: str, workers: int = 1) -> None:
        """Start the sweep at its smallest in the home called `name`."""
        self.start(name, "run", "smoke", "--name", SWEEP, "--workers", str(workers), *SMALL_OPTIONS, *options)

    def join(self, name: str) -> None:
        """Start a worker in a home of its own."""
        self.start(name, "worker", SWEEP)

    def said(self, name: str) -> str:
        """What a command has said so far."""
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def wait_until_said(self, name: str, words: str, seconds: float = 240) -> None:
        """Wait until a command has said something."""
        end = time.monotonic() + seconds
        while words not in self.said(name):
            assert self.started[name].poll() is None and time.monotonic() < end, self.said(name)[-3000:]
            time.sleep(0.2)

    def kill(self, name: str, number: int = signal.SIGKILL) -> None:
        """Send a signal to a command and all that it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.started[name].pid, number)

    def wait(self, name: str, seconds: float = 600) -> int:
        """Wait for the end of a command; its exit code."""
        return self.started[name].wait(seconds)

    def call(
        self, home: str, *arguments: str, environment: Mapping[str, str | None] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run `thaw *arguments` in the home called `home` to its end; None: a variable that is not there."""
        given: dict[str, str | None] = {**self.environment, **(environment or {})}
        return subprocess.run(
            [sys.executable, "-m", "sweeps.cli", *arguments, "--home", str(self.folder / home)],
            cwd=ROOT,
            env={name: value for name, value in given.items() if value is not None},
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=300,
            check=False,
        )

    def report(self, sweep: str = SWEEP) -> dict[str, Any]:
        """The JSON report of a sweep, made in a home that has nothing."""
        done = self.call("r", "report", sweep, "--format", "json")
        assert done.returncode == 0, done.stderr
        table: dict[str, Any] = json.loads(done.stdout)
        return table


@contextlib.contextmanager
def open_lab(folder: Path) -> Iterator[Lab]:
    """Start a lab; all that was started in it is gone when the block ends."""
    with (
        postgres(folder, "thaw", "mlflow") as database,
        mlflow_server(folder, database.address("mlflow")) as server,
    ):
        lab = Lab(folder, database, server)
        try:
            yield lab
        finally:
            for name in lab.started:
                lab.kill(name)
                lab.wait(name)


def trial_runs(lab: Lab) -> list[Any]:
    """The MLflow runs of all trials, deleted ones too."""
    from mlflow import MlflowClient
    from mlflow.entities import ViewType

    client = MlflowClient(lab.server.address)
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    runs: list[Any] = []
    token = None
    while True:
        page = client.search_runs(
            experiments, "tags.`thaw.kind` = 'trial'", ViewType.ALL, max_results=500, page_token=token
        )
        runs += page
        token = page.token
        if not token:
            return runs


def active_runs(lab: Lab) -> Counter[str]:
    """How many runs each candidate has that were not deleted, by its key."""
    return Counter(run.data.tags["thaw.candidate"] for run in trial_runs(lab) if run.info.lifecycle_stage == "active")

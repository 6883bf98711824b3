"""Where a sweep keeps its state: every file name under `--home` in one place."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from trainer.errors import UserError
from trainer.files import write_atomically

DEFAULT_HOME = Path("runs")
# 2: keys hold a version of the arithmetic instead of a digest of the code (`sweeps.environment.home_format`).
VERSION = 2


@dataclass(frozen=True)
class Home:
    """A folder that holds all of thaw's state; deleting it forgets everything. It stays where it
    was made: MLflow keeps absolute addresses of its artifacts.
    """

    root: Path

    @property
    def ledger(self) -> Path:
        """What was trained (`trainer.training.ledger`); deleting it costs time, never results."""
        return self.root / "ledger"

    @property
    def data(self) -> Path:
        """Images as loaded, by content."""
        return self.root / "data"

    @property
    def weights(self) -> Path:
        """Pre-trained starting weights, by content."""
        return self.root / "weights"

    @property
    def networks(self) -> Path:
        """Networks of the user's own that sweeps were run on, by content."""
        return self.root / "networks"

    def former(self, folder: Path, version: int) -> Path:
        """Where what lay in `folder` in a former format is put aside: `ledger-1` for `ledger`."""
        return folder.with_name(f"{folder.name}-{version}")

    @property
    def artifacts(self) -> Path:
        """MLflow's artifacts, when the database is ours."""
        return self.root / "artifacts"

    @property
    def tracking_uri(self) -> str:
        """`MLFLOW_TRACKING_URI`, or the database of this home."""
        return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{self.root.resolve() / 'mlflow.db'}"

    @property
    def artifact_folder(self) -> Path | None:
        """Where artifacts go: below the home, unless an MLflow server keeps them; never the current folder."""
        return None if self.tracking_uri.startswith(("http://", "https://")) else self.artifacts

    @property
    def own_tracking(self) -> bool:
        """Whether MLflow's database is this home's own."""
        return not os.environ.get("MLFLOW_TRACKING_URI")

    @property
    def storage_url(self) -> str:
        """The Optuna database of this home."""
        return f"sqlite:///{self.root.resolve() / 'optuna.db'}"

    def plan(self, sweep: str) -> Path:
        """What the workers of a sweep read."""
        return self.root / "sweeps" / sweep / "plan.json"

    @property
    def launch_lock(self) -> Path:
        """Held while a sweep is prepared, so that two launchers pre-train once and list each candidate once."""
        return self.root / "launch.lock"

    def workers_lock(self, sweep: str) -> Path:
        """Shared by the living workers of a sweep: while nobody holds it, trials that seem to run were cut off."""
        return self.root / "sweeps" / sweep / "workers.lock"

    def candidate_lock(self, sweep: str, key: str) -> Path:
        """Held while a candidate is evaluated: a worker that slept past its heartbeat may find another on its work."""
        return self.root / "sweeps" / sweep / "candidates" / f"{key}.lock"

    def turn_lock(self, sweep: str) -> Path:
        """Held by the worker that asks the strategy for the next candidate."""
        return self.root / "sweeps" / sweep / "turn.lock"

    def keras_tuner(self, sweep: str) -> Path:
        """KerasTuner's own files, for those who want to look into them; nothing reads them back."""
        return self.root / "sweeps" / sweep / "keras-tuner"

    def worker_log(self, sweep: str, worker: int) -> Path:
        """What a worker process wrote to its standard error."""
        return self.root / "sweeps" / sweep / f"worker-{worker}.log"

    def report(self, sweep: str) -> Path:
        """Where a finished sweep leaves its report."""
        return self.root / "reports" / sweep


def open_home(root: Path, *, make: bool = True) -> Home:
    """Make or open a home. Raises `UserError` when it cannot be written, a newer thaw wrote it, or, with `make=False`,
    when there is none.
    """
    marker = _marker(root)
    if root.exists() and not root.is_dir():
        raise UserError(f"A home is a folder, but {root} is a file. Choose another --home.")
    if not marker.exists() and not make:
        raise UserError(f"There is no home of thaw in {root}. Name the one that was given to `thaw run` as --home.")
    if not marker.exists():
        write_format(root)
    version = format_of(root)
    if version > VERSION:
        raise UserError(
            f"The home {root} was written by a newer thaw (format {version}); this one reads up to {VERSION}. "
            "Update thaw, or choose another --home."
        )
    if not os.access(root, os.W_OK):
        raise UserError(
            f"The home {root} must be writable, but it is not. Choose another --home, or fix its permissions."
        )
    return Home(root)


def format_of(root: Path) -> int:
    """The format of the home in `root`. Raises `UserError` where its marker is damaged."""
    marker = _marker(root)
    try:
        return int(json.loads(marker.read_text())["version"])
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{marker} must say which version of thaw wrote this home, but it is damaged. Is {root} a home?"
        ) from error


def write_format(root: Path) -> None:
    """Mark `root` as a home of this format."""
    write_atomically(_marker(root), lambda file: file.write(json.dumps({"version": VERSION}).encode()))


def _marker(root: Path) -> Path:
    return root / "home.json"


def find_home(root: Path) -> Home:
    """A home to read from: it must exist, unless an MLflow server holds the record and nothing else is needed."""
    home = Home(root)
    return open_home(root, make=False) if home.own_tracking else home

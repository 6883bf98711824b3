"""Where a sweep keeps its state: every file name under `--home` in one place."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import sqlite3
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from sweeps.environment.home_addresses import copy_database, leads_elsewhere, mend
from sweeps.environment.storage_address import VARIABLE, resolve_storage
from sweeps.locks.contract import LAUNCH, Locks
from sweeps.locks.files import FileLocks
from tracking.server_probe import check_server
from tracking.sqlite_address import address_of
from trainer.errors import UserError
from trainer.files import nobody_present, write_atomically

DEFAULT_HOME = Path("runs")
# 2: keys hold a version of the arithmetic instead of a digest of the code (`sweeps.environment.home_format`).
VERSION = 2
LONGEST_PATH = 440  # bytes: SQLite opens files of at most 512, and journals, sweeps and locks have names below it


@dataclass(frozen=True)
class Home:
    """A folder that holds all of thaw's state; deleting it forgets everything. It may be moved and copied.

    `database`: a copy of MLflow's database to read from, where the home's own must not be written.
    """

    root: Path
    database: Path | None = None

    @property
    def ledger(self) -> Path:
        """What was trained (`trainer.training.ledger`); deleting it costs time, never results."""
        return self.root / "ledger"

    @property
    def data(self) -> Path:
        """Images as loaded, by content."""
        return self.root / "data"

    @property
    def compiled(self) -> Path:
        """Training steps as JAX compiled them, by content; deleting it costs seconds for each mask."""
        return self.root / "compiled"

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
        return os.environ.get("MLFLOW_TRACKING_URI") or address_of(self.database or self.mlflow_database.resolve())

    @property
    def mlflow_database(self) -> Path:
        """MLflow's database of this home."""
        return self.root / "mlflow.db"

    @property
    def artifact_folder(self) -> Path | None:
        """Where artifacts go: below the home, unless an MLflow server keeps them; never the current folder."""
        return None if self.record_on_server else self.artifacts

    @property
    def own_tracking(self) -> bool:
        """Whether MLflow's database is this home's own."""
        return not os.environ.get("MLFLOW_TRACKING_URI")

    @property
    def shared_storage(self) -> str | None:
        """The address of the PostgreSQL database that holds the studies of many machines, if any: `THAW_STORAGE`, or
        what the file holds that it names. Raises `UserError` as `resolve_storage` does.
        """
        resolve_storage(None)
        return os.environ.get(VARIABLE) or None

    @property
    def record_on_server(self) -> bool:
        """Whether an MLflow server keeps the record."""
        return self.tracking_uri.startswith(("http://", "https://"))

    @property
    def many_machines(self) -> bool:
        """Whether workers need nothing of this home: servers hold the studies and the record."""
        return self.shared_storage is not None and self.record_on_server

    @property
    def storage_url(self) -> str:
        """The database of Optuna's studies: the shared one, or that of this home."""
        return self.shared_storage or address_of(self.root.resolve() / "optuna.db")

    @property
    def locks(self) -> Locks:
        """The locks of all who share the studies."""
        if self.shared_storage is None:
            return FileLocks(self.root)
        from sweeps.locks.database import database_locks  # SQLAlchemy takes a moment

        return database_locks(self.shared_storage)

    def clock_ahead(self) -> float:
        """By how many seconds the clock of the shared storage is ahead of this machine's; 0 where nothing is shared."""
        if self.shared_storage is None:
            return 0.0
        from sweeps.locks.database import database_locks

        return database_locks(self.shared_storage).clock_ahead()

    def plan(self, sweep: str) -> Path:
        """What the workers of a sweep read."""
        return self.root / "sweeps" / sweep / "plan.json"

    def holdings(self, sweep: str) -> Path:
        """Which trained weights a sweep holds in the ledger (`sweeps.run.holdings`)."""
        return self.root / "sweeps" / sweep / "weights"

    def keras_tuner(self, sweep: str) -> Path:
        """KerasTuner's own files, for those who want to look into them; nothing reads them back."""
        return self.root / "sweeps" / sweep / "keras-tuner"

    def worker_log(self, sweep: str, worker: int) -> Path:
        """What a worker process wrote to its standard error."""
        return self.root / "sweeps" / sweep / f"worker-{worker}.log"

    def spool(self, sweep: str) -> Path:
        """What is to be recorded of a sweep on a server (`tracking.recording.spool`)."""
        return self.root / "spool" / sweep

    def report(self, sweep: str) -> Path:
        """Where a finished sweep leaves its report."""
        return self.root / "reports" / sweep


def open_home(root: Path, *, make: bool = True) -> Home:
    """Make or open a home to work in. Raises `UserError` when it cannot be written, a newer thaw wrote it, it was moved
    while a sweep runs in it, its MLflow server does not answer, or, with `make=False`, when there is none.
    """
    _check_path(root)
    if not make or _marker(root).exists():
        _check_format(root)
    else:
        write_format(root)
        _check_format(root)
    if not can_be_written(root):
        raise UserError(
            f"The home {root} must be writable, but it is not. Choose another --home, or fix its permissions."
        )
    home = Home(root)
    _check_server(home)
    if _has_foreign_addresses(home):
        if at_work(home):
            raise UserError(
                f"A sweep is running in the home {root}, which was opened under another path. Wait until it has ended, "
                "or use that path."
            )
        mend(home.mlflow_database, home.artifacts)
    return home


def find_home(root: Path) -> Home:
    """A home to read from: it must exist, unless an MLflow server holds the record and nothing else is needed.

    A home that cannot be written stays as it is, and so does one that was moved while a sweep runs in it: what is read
    then is a copy of MLflow's database, whose addresses are mended.
    """
    home = Home(root)
    if not home.own_tracking:
        _check_server(home)
        return home
    _check_path(root)
    _check_format(root)
    if not home.mlflow_database.exists():
        return _checked_writable(home)
    writable = can_be_written(root) and os.access(home.mlflow_database, os.W_OK)
    foreign = _has_foreign_addresses(home)
    if writable and foreign and not at_work(home):
        mend(home.mlflow_database, home.artifacts)
    elif foreign or not writable:
        return replace(home, database=_mended_copy(home))
    return home


def look_at_home(root: Path) -> Home:
    """A home to look over just as it is: nothing in it is made, mended or copied, and no server is asked. Raises
    `UserError` where there is none, and where a newer thaw wrote it.
    """
    _check_path(root)
    _check_format(root)
    return Home(root)


def _check_server(home: Home) -> None:
    """Said at once, not after the images were read."""
    if not home.own_tracking:
        check_server(home.tracking_uri)


def can_be_written(root: Path) -> bool:
    """Whether this process may make files in a folder: a read-only file system refuses even root."""
    return os.access(root, os.W_OK | os.X_OK)


def at_work(home: Home) -> bool:
    """Whether a launcher prepares a sweep in the home, or workers work on one."""
    locks = [home.root / f"{LAUNCH}.lock", *home.root.glob("sweeps/*/workers.lock")]
    return any(lock.exists() and not nobody_present(lock) for lock in locks)


def _checked_writable(home: Home) -> Home:
    """A home in which no sweep was begun: MLflow's database is made when it is opened."""
    if not can_be_written(home.root):
        raise UserError(
            f"There is no sweep in the home {home.root} yet, and it can only be read. Choose another --home."
        )
    return home


def _has_foreign_addresses(home: Home) -> bool:
    return home.own_tracking and home.mlflow_database.exists() and leads_elsewhere(home.mlflow_database, home.artifacts)


def _mended_copy(home: Home) -> Path:
    """A copy of the database, gone when this process ends."""
    try:
        folder = Path(tempfile.mkdtemp(prefix="thaw-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        copy = folder / home.mlflow_database.name
        copy_database(home.mlflow_database, copy)
    except (OSError, sqlite3.Error) as error:
        raise UserError(
            f"The home {home.root} can only be read, which takes a copy of {home.mlflow_database} in the folder for "
            f"temporary files, but: {error}. Name another folder with the variable TMPDIR."
        ) from error
    mend(copy, home.artifacts)
    return copy


def _check_path(root: Path) -> None:
    if root.exists() and not root.is_dir():
        raise UserError(f"A home is a folder, but {root} is a file. Choose another --home.")
    try:
        length = len(str(root.resolve()).encode())
    except UnicodeEncodeError as error:
        raise UserError(f"A home's path must be text in UTF-8, but {root} is not. Choose another --home.") from error
    if length > LONGEST_PATH:
        raise UserError(
            f"A home's path must have at most {LONGEST_PATH} bytes, for SQLite opens no longer one, but this one has "
            f"{length}: {root}. Choose a shorter --home."
        )


def _check_format(root: Path) -> None:
    if not _marker(root).exists():
        raise UserError(f"There is no home of thaw in {root}. Name the one that was given to `thaw run` as --home.")
    version = format_of(root)
    if version > VERSION:
        raise UserError(
            f"The home {root} was written by a newer thaw (format {version}); this one reads up to {VERSION}. "
            "Update thaw, or choose another --home."
        )


def format_of(root: Path) -> int:
    """The format of the home in `root`. Raises `UserError` where its marker is damaged."""
    marker = _marker(root)
    try:
        version = json.loads(marker.read_text("utf-8"))["version"]
        if type(version) is not int or version < 1:
            raise ValueError("a version is a whole number from 1 on")
        return version
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UserError(
            f"{marker} must say which version of thaw wrote this home, but it is damaged. Is {root} a home?"
        ) from error


def write_format(root: Path) -> None:
    """Mark `root` as a home of this format."""
    write_atomically(_marker(root), lambda file: file.write(json.dumps({"version": VERSION}).encode()))


def _marker(root: Path) -> Path:
    return root / "home.json"

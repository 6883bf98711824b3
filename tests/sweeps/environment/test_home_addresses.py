"""Copied, moved and read-only homes: addresses lead into the home itself, and nothing is written elsewhere."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from sweeps.environment.home import Home, find_home, open_home
from sweeps.environment.home_addresses import PLACES, copy_database, leads_elsewhere, mend
from sweeps.locks import contract
from sweeps.planning.plan import read_plan
from tests.sweeps.environment.mounts import READ_ONLY, run_mounted
from tracking.record import SweepRecord
from tracking.sqlite_address import address_of
from tracking.store.reader import Reader
from tracking.store.writer import Tracker
from trainer.errors import UserError


def addresses(database: Path) -> list[str]:
    with closing(sqlite3.connect(database)) as connection:
        return [
            address
            for table, _, column in PLACES
            for (address,) in connection.execute(f"SELECT {column} FROM {table} WHERE {column} LIKE 'file:%'")
        ]


def files(root: Path) -> dict[str, tuple[int, int]]:
    return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in sorted(root.rglob("*"))}


def copy(home: Path, to: Path) -> Path:
    to.mkdir(parents=True)
    for name in ("artifacts", "sweeps", "weights"):
        shutil.copytree(home / name, to / name)
    for name in ("home.json", "mlflow.db"):
        shutil.copy2(home / name, to / name)
    return to


@pytest.fixture
def copied(smoke_home: Path, tmp_path: Path) -> Iterator[Path]:
    """A copy under a name that an address has to quote; the original is as it was in the end."""
    before = files(smoke_home)
    yield copy(smoke_home, tmp_path / "why? #%41 ü")
    assert files(smoke_home) == before


def read(home: Home) -> SweepRecord:
    return Reader.connect(home.tracking_uri, home.artifact_folder).read_sweep()


@pytest.mark.parametrize("opening", [open_home, find_home])
def test_a_copy_belongs_to_itself(copied: Path, opening: Callable[[Path], Home]) -> None:
    home = opening(copied)
    inside = f"{home.artifacts.resolve().as_uri()}/"
    assert home == Home(copied)
    assert [address for address in addresses(home.mlflow_database) if not address.startswith(inside)] == []
    assert not leads_elsewhere(home.mlflow_database, home.artifacts)


def test_a_moved_home_is_read_and_written_where_it_is(copied: Path, tmp_path: Path) -> None:
    first = read(open_home(copied))
    copied.rename(tmp_path / "moved")
    home = open_home(tmp_path / "moved")
    assert {trial.run_id for trial in read(home).trials} == {trial.run_id for trial in first.trials}
    tracker = Tracker.connect(home.tracking_uri, home.artifact_folder)
    tracker.log_once(first.run_id, "new.bin", lambda: b"new")
    assert len([*home.artifacts.rglob("new.bin")]) == 1 and not copied.exists()
    plan = read_plan(home, first.info.name)
    assert Path(plan.weights).parent == home.weights.resolve() and Path(plan.weights).is_file()


def test_a_home_that_must_not_be_written_is_read_from_a_mended_copy(
    copied: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sweeps.environment.home.can_be_written", lambda root: False)
    before = files(copied)
    home = find_home(copied)
    assert home.database is not None and copied not in home.database.parents
    assert read(home).trials
    assert files(copied) == before


def test_one_that_was_opened_under_another_path_is_left_alone_while_a_sweep_runs(copied: Path) -> None:
    before = addresses(copied / "mlflow.db")
    with Home(copied).locks.present(contract.workers("s")):
        with pytest.raises(UserError, match=r"A sweep is running in the home .* another path"):
            open_home(copied)
        home = find_home(copied)
    assert home.database is not None and addresses(copied / "mlflow.db") == before
    assert open_home(copied) == Home(copied) and addresses(copied / "mlflow.db") != before


def test_what_lies_at_the_former_place_only_stays_there(copied: Path, smoke_home: Path) -> None:
    """As runs do that were recorded in a copy before copies knew that they are some."""
    home = Home(copied)
    (run, *_) = sorted((smoke_home / "artifacts").glob("*/*/artifacts"))
    shutil.rmtree(home.artifacts / run.relative_to(smoke_home / "artifacts"))
    mend(home.mlflow_database, home.artifacts)
    outside = [address for address in addresses(home.mlflow_database) if "why" not in address]
    assert outside == [run.as_uri()]
    assert not leads_elsewhere(home.mlflow_database, home.artifacts)


def test_experiments_of_others_and_other_databases_are_not_touched(tmp_path: Path) -> None:
    database = tmp_path / "mlflow.db"
    tracker = Tracker.connect(address_of(database), tmp_path / "artifacts")
    tracker.client.create_experiment("theirs", artifact_location="file:///srv/theirs")
    tracker.client.create_experiment("s3", artifact_location="s3://bucket/s3", tags={"thaw.kind": "sweep"})
    assert mend(database, tmp_path / "artifacts") == 0
    with closing(sqlite3.connect(tmp_path / "empty.db")):
        assert mend(tmp_path / "empty.db", tmp_path / "artifacts") == 0


def damage(database: Path) -> None:
    """Overwrite a page in the middle, which a look at the table of contents does not meet."""
    content = bytearray(database.read_bytes())
    size = int.from_bytes(content[16:18], "big")
    content[size:] = b"\xff" * (len(content) - size)
    database.write_bytes(content)


@pytest.mark.parametrize("opening", [open_home, find_home])
@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda database: database.write_bytes(b"no database" * 100), "file is not a database"),
        (lambda database: database.write_bytes(database.read_bytes()[:4096]), "disk image is malformed"),
        (damage, "disk image is malformed"),
        (lambda database: (database.unlink(), database.mkdir()), "unable to open database file"),
    ],
)
def test_a_database_that_cannot_be_read_is_told(
    opening: Callable[[Path], Home], spoil: Callable[[Path], object], words: str, tmp_path: Path
) -> None:
    home = open_home(tmp_path)
    with closing(sqlite3.connect(home.mlflow_database)) as connection:
        connection.execute("CREATE TABLE experiments (experiment_id, name, artifact_location)")
        connection.execute("CREATE TABLE experiment_tags (experiment_id, key)")
        connection.commit()
    assert opening(tmp_path) == home
    spoil(home.mlflow_database)
    with pytest.raises(UserError, match=f"mlflow.db must be MLflow's database.*{words}"):
        opening(tmp_path)


CUT_OFF = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("CREATE TABLE t (x)")
connection.execute("PRAGMA cache_size = 1")
connection.execute("BEGIN")
connection.executemany("INSERT INTO t VALUES (?)", [("x" * 1000,)] * 1000)
os._exit(0)
"""
READS = """
import sys
from pathlib import Path
from sweeps.environment.home_addresses import copy_database
from trainer.errors import UserError
try:
    copy_database(Path(sys.argv[1]), Path(sys.argv[2]))
except UserError as error:
    print(error)
"""


@pytest.fixture
def cut_off(tmp_path: Path) -> Path:
    """A database whose last write was cut off: its file is half new, the journal has what was there before."""
    database = tmp_path / "home" / "mlflow.db"
    database.parent.mkdir()
    subprocess.run([sys.executable, "-c", CUT_OFF, str(database)], check=True)
    assert database.with_name("mlflow.db-journal").stat().st_size
    return database


def test_a_write_that_was_cut_off_is_taken_back(cut_off: Path, tmp_path: Path) -> None:
    copy_database(cut_off, tmp_path / "copy.db")
    with closing(sqlite3.connect(tmp_path / "copy.db")) as connection:
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (0,)


@pytest.mark.slow
def test_where_it_cannot_be_taken_back_it_is_not_read_as_if_it_were_whole(cut_off: Path, tmp_path: Path) -> None:
    said = run_mounted(READ_ONLY, cut_off.parent, READS, cut_off, tmp_path / "copy.db")
    assert "was cut off while it was written" in said

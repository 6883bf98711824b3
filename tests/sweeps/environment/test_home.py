"""A home: made, opened, refused."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from sweeps.environment.home import LONGEST_PATH, VERSION, find_home, open_home
from trainer.errors import UserError


def test_a_home_is_made_and_opened_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    home = open_home(tmp_path / "a" / "b")
    assert open_home(home.root) == home
    assert home.tracking_uri.startswith("sqlite:////") and home.own_tracking
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")
    assert home.tracking_uri == "http://127.0.0.1:1" and not home.own_tracking and home.artifact_folder is None
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:////elsewhere/mlflow.db")
    assert home.artifact_folder == home.artifacts  # a database keeps no files


@pytest.mark.parametrize(
    ("marker", "words"),
    [
        (json.dumps({"version": VERSION + 1}), "written by a newer thaw.*Update thaw"),
        ("{", "is damaged"),
        ("{}", "is damaged"),
    ],
)
def test_homes_that_cannot_be_read(tmp_path: Path, marker: str, words: str) -> None:
    (tmp_path / "home.json").write_text(marker)
    with pytest.raises(UserError, match=words):
        open_home(tmp_path)


def test_a_path_that_no_database_can_have(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"at most 440 bytes.*has \d+"):
        open_home(tmp_path / "/".join(["x" * 200] * 3))
    with pytest.raises(UserError, match="must be text in UTF-8"):
        find_home(tmp_path / "\udcfc")
    assert list(tmp_path.iterdir()) == []


def test_the_longest_path_works(tmp_path: Path) -> None:
    missing = LONGEST_PATH - len(str(tmp_path.resolve())) - 1
    home = open_home(tmp_path / ("x" * 150) / ("y" * (missing - 151)))
    with closing(sqlite3.connect(home.mlflow_database.with_name(f".mlflow.db.{'x' * 12}"))) as connection:
        connection.execute("CREATE TABLE t (x)")


def test_a_home_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"Cannot write .*home.json.*choose a writable place"):
        open_home(tmp_path / "file" / "home")

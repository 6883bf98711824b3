"""A home: made, opened, refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sweeps.environment.home import VERSION, open_home
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


def test_a_home_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"Cannot write .*home.json.*choose a writable place"):
        open_home(tmp_path / "file" / "home")

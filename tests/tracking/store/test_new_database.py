from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tracking.sqlite_address import file_of
from tracking.store.new_database import make_aside
from tracking.store.writer import Tracker

CONNECTS = "import sys; from tracking.store.writer import Tracker; Tracker.connect('sqlite:///' + sys.argv[1])"


def path_of(uri: str) -> Path:
    path = file_of(uri)
    assert path is not None
    return path


@pytest.mark.slow
def test_killed_while_it_is_made_there_is_no_database_yet(tmp_path: Path) -> None:
    path = tmp_path / "mlflow.db"
    maker = subprocess.Popen([sys.executable, "-c", CONNECTS, str(path)])
    while not any(part.stat().st_size for part in tmp_path.glob(".mlflow.db.*") if part.suffix[-8:] != "-journal"):
        assert maker.poll() is None, "it ended before it could be killed"
        time.sleep(0.005)
    os.kill(maker.pid, signal.SIGKILL)
    maker.wait()
    assert not path.exists()
    assert Tracker.connect(f"sqlite:///{path}").client.search_experiments()


@pytest.mark.slow
def test_two_at_once_make_one_and_leave_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "mlflow.db"
    makers = [subprocess.Popen([sys.executable, "-c", CONNECTS, str(path)]) for _ in range(2)]
    assert [maker.wait(120) for maker in makers] == [0, 0]
    assert list(tmp_path.iterdir()) == [path]


def test_what_another_has_made_meanwhile_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "mlflow.db"

    def overtaken(uri: str) -> None:
        path_of(uri).write_bytes(b"ours")
        path.write_bytes(b"another's")

    make_aside(path, overtaken)
    assert path.read_bytes() == b"another's" and list(tmp_path.iterdir()) == [path]


def test_without_hard_links_it_is_renamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(*_: object) -> None:
        raise PermissionError("Operation not permitted")

    monkeypatch.setattr(os, "link", refuses)
    path = tmp_path / "ml[1].db"
    for content in (b"first", b"second"):  # the second finds the first's
        make_aside(path, lambda uri, content=content: path_of(uri).write_bytes(content))  # type: ignore[misc]
        assert path.read_bytes() == b"first" and list(tmp_path.iterdir()) == [path]


def test_what_could_not_be_made_leaves_nothing(tmp_path: Path) -> None:
    def fails(uri: str) -> None:
        path_of(uri + "-journal").touch()
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        make_aside(tmp_path / "new" / "mlflow.db", fails)
    assert list((tmp_path / "new").iterdir()) == []

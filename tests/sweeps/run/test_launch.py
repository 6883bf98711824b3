"""Workers are started, heard, replaced when killed, and never left behind."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from sweeps.environment.home import open_home
from sweeps.run.launch import REPLACEMENTS, default_workers, launch
from trainer.errors import UserError, WorkerCrashed

PYTHON = sys.executable
SAY = "import json, os, sys, time; print(json.dumps({'event': 'ready'}), flush=True); "


def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, code: str, workers: int = 2) -> list[dict[str, Any]]:
    """Launch workers that run `code` instead of ours."""
    home, heard = open_home(tmp_path), list[dict[str, Any]]()
    (tmp_path / "sweeps_stub.py").write_text(code)
    stub = tmp_path / "python"
    stub.write_text(f"#!/bin/sh\nexec '{PYTHON}' '{tmp_path}/sweeps_stub.py'\n")
    stub.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(stub))
    launch(home, "s", workers, heard.append)
    return heard


def test_every_worker_is_heard_and_noise_is_ignored(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert run(monkeypatch, tmp_path, SAY + "print('noise')") == [{"event": "ready"}] * 2


def test_a_users_mistake_in_a_worker_is_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    code = SAY + "print(json.dumps({'event': 'error', 'message': 'disk full'}), flush=True); sys.exit(2)"
    with pytest.raises(UserError, match="disk full"):
        run(monkeypatch, tmp_path, code)


def test_a_bug_stops_all_workers_and_shows_the_log(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    marker = tmp_path / "first"
    code = (
        f"import os, sys, time\ntry:\n    os.close(os.open({str(marker)!r}, os.O_CREAT | os.O_EXCL))\n"
        "except FileExistsError:\n    time.sleep(600)\n"
        "print('KeyError: typo', file=sys.stderr); sys.exit(1)\n"
    )
    with pytest.raises(WorkerCrashed, match=r"(?s)exit code 1.*KeyError: typo"):
        run(monkeypatch, tmp_path, code)


def test_a_killed_worker_is_replaced_three_times(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    code = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    with pytest.raises(WorkerCrashed, match="ended by signal 9"):
        run(monkeypatch, tmp_path, f"open({str(tmp_path / 'starts')!r}, 'a').write('x'); {code}", workers=1)
    assert (tmp_path / "starts").read_text() == "x" * (1 + REPLACEMENTS)


def test_as_many_workers_as_cores() -> None:
    assert default_workers() >= 1

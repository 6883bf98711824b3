"""Workers are started, heard, replaced when killed, and never left behind."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from sweeps.environment.home import open_home
from sweeps.run.launchers import local
from sweeps.run.launchers.contract import Crew
from sweeps.run.launchers.deaths import REPLACEMENTS
from sweeps.run.launchers.local import LocalLauncher, visible_gpus
from sweeps.run.messages import Error, Left, Message, Ready, Replaced, Stopping, to_line
from trainer.errors import Preempted, UserError, WorkerCrashed

PYTHON = sys.executable
SAY = f"import os, sys, time; print({to_line(Ready())!r}, flush=True); "


def run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, code: str, workers: int = 2, heard: list[Message] | None = None
) -> list[Message]:
    """Launch workers that run `code` instead of ours."""
    home, heard = open_home(tmp_path), [] if heard is None else heard
    (tmp_path / "sweeps_stub.py").write_text(code)
    stub = tmp_path / "python"
    stub.write_text(f"#!/bin/sh\nexec '{PYTHON}' '{tmp_path}/sweeps_stub.py'\n")
    stub.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(stub))
    LocalLauncher().launch(Crew(home, "s", workers), heard.append)
    return heard


def test_every_worker_is_heard_and_noise_is_ignored(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert run(monkeypatch, tmp_path, SAY + "print('noise'); print('{}')") == [Ready()] * 2


def test_a_users_mistake_in_a_worker_is_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    code = SAY + f"print({to_line(Error('disk full'))!r}, flush=True); sys.exit(2)"
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


def test_a_replacement_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    marker = tmp_path / "first"
    code = (
        f"import os, signal\ntry:\n    os.close(os.open({str(marker)!r}, os.O_CREAT | os.O_EXCL))\n"
        "except FileExistsError:\n    raise SystemExit\nos.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert run(monkeypatch, tmp_path, code, workers=1) == [Replaced(1, 9)]


def test_as_many_workers_as_cores() -> None:
    assert LocalLauncher().default_workers() >= 1


def test_gpus_are_dealt_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,2,GPU-7,5")
    launcher = LocalLauncher(gpus=2)
    home = open_home(tmp_path)
    assert launcher.default_workers() == 2
    launcher.check(home, 2)
    say = ("-c", "import os, sys; print(os.environ['CUDA_VISIBLE_DEVICES'], file=sys.stderr)")
    launcher.launch(Crew(home, "s", 2, say), lambda message: None)
    assert [home.worker_log("s", number).read_text() for number in (1, 2)] == ["0,2\n", "GPU-7,5\n"]
    with pytest.raises(UserError, match=r"3 workers with --gpus-per-worker 2 need 6 GPUs, but this machine shows 4"):
        launcher.check(home, 3)


@pytest.mark.parametrize(("listed", "gpus"), [("", 0), ("GPU 0: A100\n  MIG 1g\nGPU 1: A100\n", 2)])
def test_gpus_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, listed: str, gpus: int) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    if listed:
        (tmp_path / "nvidia-smi").write_text(f"#!/bin/sh\necho '{listed}'")
        (tmp_path / "nvidia-smi").chmod(0o755)
    assert visible_gpus() == [str(number) for number in range(gpus)]


def test_a_worker_that_was_told_to_stop_is_not_replaced(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    marker = tmp_path / "first"
    code = (
        f"import os, sys\ntry:\n    os.close(os.open({str(marker)!r}, os.O_CREAT | os.O_EXCL))\n"
        "except FileExistsError:\n    raise SystemExit\nsys.exit(143)\n"
    )
    (left,) = run(monkeypatch, tmp_path, code)
    assert isinstance(left, Left)


def test_where_all_were_told_to_stop_so_is_the_sweep(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(Preempted, match="goes on from there"):
        run(monkeypatch, tmp_path, "import os, signal; os.kill(os.getpid(), signal.SIGTERM)")


def test_who_does_not_leave_in_time_is_killed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(local, "LEAVE_SECONDS", 0.5)
    said = to_line(Error("the disk is full"))
    code = (
        "import signal, time\nsignal.signal(signal.SIGTERM, lambda *_: None)\n"
        f"print({said!r}, flush=True)\nwhile True: time.sleep(1)\n"
    )
    heard: list[Message] = []
    with pytest.raises(UserError, match="the disk is full"):
        run(monkeypatch, tmp_path, code, 2, heard)
    assert heard == [Stopping(2)]

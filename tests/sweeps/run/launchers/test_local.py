"""Workers are started, heard, replaced when killed, and never left behind."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from sweeps.environment.home import open_home
from sweeps.run.launchers import local
from sweeps.run.launchers.contract import Crew
from sweeps.run.launchers.deaths import REPLACEMENTS
from sweeps.run.launchers.gpu_share import CAP, GpuShare
from sweeps.run.launchers.local import LocalLauncher
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


SHOW = ("-c", f"import os, sys; print(*map(os.environ.get, ('CUDA_VISIBLE_DEVICES', {CAP!r})), file=sys.stderr)")


@pytest.mark.parametrize(
    ("share", "workers", "dealt"),
    [
        (GpuShare(gpus=2), 2, ["0,2 0.900", "GPU-7,5 0.900"]),
        (GpuShare(per_gpu=2), 8, ["0 0.450", "0 0.450", "2 0.450"]),
        (GpuShare(), 4, ["0 0.900", "2 0.900", "GPU-7 0.900", "5 0.900"]),
    ],
)
def test_gpus_are_dealt_out(
    share: GpuShare, workers: int, dealt: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,2,GPU-7,5")
    monkeypatch.setattr("sweeps.environment.gpus._has_cuda", lambda backend: True)
    launcher, home = LocalLauncher(share), open_home(tmp_path)
    assert launcher.default_workers() == workers
    launcher.check(home, workers)
    launcher.launch(Crew(home, "s", len(dealt), SHOW), lambda message: None)
    assert [home.worker_log("s", number + 1).read_text().strip() for number in range(len(dealt))] == dealt


def test_more_workers_than_the_gpus_hold(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    with pytest.raises(UserError, match="must have 2 GPUs, but this machine shows 1"):
        LocalLauncher(GpuShare(per_gpu=2)).check(open_home(tmp_path), 3)


def test_gpus_that_the_backend_cannot_use_decide_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    cores = LocalLauncher().default_workers()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", ",".join(map(str, range(cores + 1))))
    monkeypatch.setattr("sweeps.environment.gpus._has_cuda", lambda backend: False)
    monkeypatch.delenv(CAP, raising=False)
    home = open_home(tmp_path)
    assert LocalLauncher().default_workers() == cores
    LocalLauncher().launch(Crew(home, "s", 1, SHOW), lambda message: None)
    assert home.worker_log("s", 1).read_text() == f"{','.join(map(str, range(cores + 1)))} None\n"


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

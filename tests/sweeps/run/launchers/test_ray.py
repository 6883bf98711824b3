"""Ray: what is refused before anything is trained, what a task reports, and which nodes have room. What it does with a
cluster: test_contract.py, test_ray_nodes.py.
"""

from __future__ import annotations

import _thread
import importlib.util
import signal
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from sweeps.environment.home import Home
from sweeps.run.launchers.gpu_share import GpuShare
from sweeps.run.launchers.ray import Ended, RayLauncher, run_worker
from sweeps.run.messages import Error, to_line
from tests.component import missing
from trainer.errors import UserError


@pytest.fixture
def with_ray() -> None:
    if importlib.util.find_spec("ray") is None:
        missing("Ray is missing: make setup EXTRAS=ray")


def test_without_ray_its_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UserError, match="make setup EXTRAS=ray"):
        RayLauncher().check(Home(tmp_path), 1)


@pytest.mark.parametrize("address", ["127.0.0.1:{port}", "ray://127.0.0.1:{port}", "127.0.0.1:port"])
def test_no_cluster_at_the_address(with_ray: None, tmp_path: Path, address: str) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        given = address.format(port=free.getsockname()[1])
        with pytest.raises(UserError, match=r"(?s)Ray cluster at --address .*nothing answers there.*ray start --head"):
            RayLauncher(given).check(Home(tmp_path), 1)


def test_no_cluster_on_this_machine(with_ray: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import ray

    def init(**options: Any) -> None:
        raise ConnectionError("Could not find any running Ray instance.\nPlease")

    monkeypatch.setattr(ray, "init", init)
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(UserError, match=r"at --address auto.*Could not find any running Ray instance\. Start one"):
        RayLauncher().check(Home(tmp_path), 1)
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize(
    ("resources", "share", "room"),
    [
        ({"CPU": 8.0}, GpuShare(), 8),
        ({"CPU": 8.0, "GPU": 4.0}, GpuShare(2), 2),
        ({"CPU": 1.0, "GPU": 4.0}, GpuShare(1), 1),
        ({"CPU": 8.0}, GpuShare(1), 0),
        ({"CPU": 8.0, "GPU": 2.0}, GpuShare(per_gpu=3), 6),
        ({"CPU": 8.0}, GpuShare(per_gpu=3), 0),
    ],
)
def test_how_many_workers_a_node_holds(resources: dict[str, float], share: GpuShare, room: int) -> None:
    assert RayLauncher(share=share)._room({"Resources": resources}) == room


def ended(code: str) -> Ended:
    return run_worker(["-c", code], {"MLFLOW_TRACKING_TOKEN": "given"})


def test_a_task_says_how_its_worker_ended() -> None:
    said = "import os, sys; print(os.environ['MLFLOW_TRACKING_TOKEN'], 'to http://ann:secret@host', file=sys.stderr)"
    assert (one := ended(said)).code == 0 and one.last_lines == "given to http://***@host\n"
    mistaken = ended(f"import sys; print({to_line(Error('the disk is full'))!r}); sys.exit(2)")
    assert (mistaken.code, mistaken.mistake, mistaken.last_lines) == (2, "the disk is full", "")
    assert ended("import os; os.kill(os.getpid(), 9)").code == -9


def test_a_task_that_is_stopped_lets_its_worker_stop_first(tmp_path: Path) -> None:
    """Ray cancels a task by a Ctrl-C that interrupts no system call."""
    code = (
        "import pathlib, signal, sys, time\n"
        f"signal.signal(signal.SIGTERM, lambda *_: (pathlib.Path({str(tmp_path / 'kept')!r}).touch(), sys.exit(143)))\n"
        f"pathlib.Path({str(tmp_path / 'begun')!r}).touch()\ntime.sleep(60)"
    )

    def interrupt() -> None:
        while not (tmp_path / "begun").exists():
            time.sleep(0.01)
        _thread.interrupt_main()

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in a shell's job in the background
    try:
        threading.Thread(target=interrupt).start()
        with pytest.raises(KeyboardInterrupt):
            ended(code)
    finally:
        signal.signal(signal.SIGINT, before)
    assert (tmp_path / "kept").exists()

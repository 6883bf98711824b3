"""`thaw ui` as a user stops it: nothing of the server stays behind and holds the port."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from sweeps.commands import serve as module
from sweeps.commands.serve import serve
from sweeps.environment.home import Home
from tests.component import needs_driver

ROOT = Path(__file__).parents[3]

# A server that starts another, which keeps the port and is deaf to SIGTERM, as a hung worker is.
DEAF = """
import os, signal, socket, subprocess, sys
held = socket.create_server(("127.0.0.1", int(sys.argv[1])))
held.set_inheritable(True)
subprocess.Popen([sys.executable, "-c", "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
                  "print('deaf', flush=True); time.sleep(60)"], close_fds=False)
signal.pause()
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_the_exit_code_of_a_server_that_ends_by_itself() -> None:
    assert serve([sys.executable, "-c", "raise SystemExit(7)"], os.environ) == 7


def test_what_is_deaf_is_ended_after_the_grace_period() -> None:
    port = free_port()
    code = "import os, sys; from sweeps.commands import serve; serve.GRACE = 0.5; serve.serve(sys.argv[1:], os.environ)"
    command = [sys.executable, "-c", code, sys.executable, "-c", DEAF, str(port)]
    serving = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert serving.stdout is not None
    with serving.stdout as errors:
        assert errors.readline() == "deaf\n" and listens(port)
        serving.send_signal(signal.SIGTERM)
        serving.wait(90)
    assert not listens(port)


def _hearing_ctrl_c() -> None:
    """A shell's background jobs are deaf to Ctrl-C, and so are the tests that one of them runs."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@needs_driver
def test_pages_are_for_this_machine_only_and_no_argument_holds_a_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = "postgresql+psycopg://ann:hush@db.lab/thaw"
    served: list[tuple[Sequence[str], Mapping[str, str]]] = []

    def remember(command: Sequence[str], environment: Mapping[str, str]) -> int:
        served.append((command, environment))
        return 0

    monkeypatch.setattr(module, "serve", remember)
    monkeypatch.setattr(module, "find_spec", lambda name: True)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("THAW_STORAGE", address)
    home = Home(tmp_path)
    assert module.serve_dashboard(home, free_port()) == module.serve_mlflow(home, free_port()) == 0
    for command, _ in served:
        assert command[command.index("--host") + 1] == "127.0.0.1" and "hush" not in " ".join(command)
    assert served[0][1][module.STUDIES] == address


def test_the_dashboard_gets_the_address_as_its_first_argument(tmp_path: Path) -> None:
    (tmp_path / "optuna_dashboard").mkdir()
    (tmp_path / "optuna_dashboard" / "__init__.py").touch()
    code = "import os, sys; print(sys.argv[1:], 'THAW_STUDIES' in os.environ)"
    (tmp_path / "optuna_dashboard" / "_cli.py").write_text(code)
    environment = os.environ | {module.STUDIES: "sqlite:///x", "PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-c", module.DASHBOARD, "--host", "127.0.0.1"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "['sqlite:///x', '--host', '127.0.0.1'] False\n"


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_ui_leaves_its_port_free(number: signal.Signals, smoke_home: Path) -> None:
    port = free_port()
    command = [sys.executable, "-m", "sweeps.cli", "ui", "--port", str(port), "--home", str(smoke_home)]
    ui = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, preexec_fn=_hearing_ctrl_c
    )
    try:
        wait_for(port, ui)
        ui.send_signal(number)
        _, errors = ui.communicate(timeout=90)
    finally:
        ui.terminate()
    assert not listens(port)
    assert ui.returncode == 130 and "Traceback" not in errors


def wait_for(port: int, ui: subprocess.Popen[str]) -> None:
    end = time.monotonic() + 120
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5):
                return
        except OSError:
            assert ui.poll() is None, f"`thaw ui` ended by itself with {ui.returncode}"
            assert time.monotonic() < end, "`thaw ui` did not answer within two minutes"
            time.sleep(0.2)

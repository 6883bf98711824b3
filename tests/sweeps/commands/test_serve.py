"""`thaw ui` as a user stops it: nothing of the server stays behind and holds the port."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from sweeps.commands.serve import serve

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

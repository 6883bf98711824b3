"""Other tools' pages over a home, on this machine only: MLflow's and optuna-dashboard's.

When this process is asked to stop, the server and all that it started stop, too.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from importlib.util import find_spec

from sweeps.environment.home import Home
from sweeps.environment.terminal import tell
from trainer.errors import UserError

GRACE = 5.0  # seconds in which a server may finish its answers


def serve(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a server until it ends, and return its exit code; Ctrl-C, SIGTERM and SIGHUP end its whole process group.

    MLflow's server is a parent of uvicorn, which is a parent of workers: a signal to the first leaves the others
    holding the port. Raises `KeyboardInterrupt` once all are gone.
    """
    # Its own session gets no signal of the terminal: a closed one (SIGHUP) has to be passed on, too.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    server = subprocess.Popen(command, env=environment, start_new_session=True)
    try:
        return server.wait()
    finally:
        _end(server)


def _end(server: subprocess.Popen[bytes]) -> None:
    """Ask the group to end, and make it after the grace period, or at once when asked to stop a second time."""
    try:
        alive, deadline = _signal_group(server, signal.SIGTERM), time.monotonic() + GRACE
        while alive and time.monotonic() < deadline:
            time.sleep(0.05)
            server.poll()  # else the first of them stays in the group, dead
            alive = _signal_group(server, 0)
    except KeyboardInterrupt:
        pass
    finally:
        _signal_group(server, signal.SIGKILL)
        server.wait()


def _signal_group(server: subprocess.Popen[bytes], number: int) -> bool:
    """Send a signal to the group; whether any of its processes was alive. Signal 0 only asks."""
    try:
        os.killpg(server.pid, number)
    except (ProcessLookupError, PermissionError):  # the second is macOS's word for a group of the dead
        return False
    return True


LOOPBACK = "127.0.0.1"
STUDIES = "THAW_STUDIES"
# optuna-dashboard wants the database's address as an argument, where `ps` would show a password in it to everybody.
DASHBOARD = (
    f"import os, runpy, sys; sys.argv.insert(1, os.environ.pop('{STUDIES}'));"
    " runpy.run_module('optuna_dashboard._cli', run_name='__main__')"
)


def serve_mlflow(home: Home, port: int) -> int:
    """MLflow's pages over all sweeps, until they are stopped; returns the exit code."""
    if not home.own_tracking:
        raise UserError("MLFLOW_TRACKING_URI points to a server of your own: open its address in a browser.")
    _announce(port)
    command = [sys.executable, "-m", "mlflow", "server", "--host", LOOPBACK, "--port", str(port)]
    command += ["--backend-store-uri", home.tracking_uri]
    command += ["--artifacts-destination", home.artifacts.resolve().as_uri()]
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_LOGGING_LEVEL": "WARNING"}
    quiet["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] = "false"  # else a dozen processes wait for jobs that nobody sends
    return serve(command, os.environ | quiet)


def serve_dashboard(home: Home, port: int) -> int:
    """Optuna's pages over all studies, until they are stopped; returns the exit code."""
    if find_spec("optuna_dashboard") is None:
        raise UserError(
            "`thaw dashboard` needs the extra `dashboard`, which is not installed. Install it in the folder that holds "
            "thaw's Makefile: make setup EXTRAS=dashboard"
        )
    if home.shared_storage is None and not (home.root / "optuna.db").exists():
        raise UserError(f"No search was run in {home.root} yet: there is no study to show. Run `thaw run` first.")
    _announce(port)
    command = [sys.executable, "-c", DASHBOARD, "--host", LOOPBACK, "--port", str(port), "--server", "wsgiref"]
    return serve(command, os.environ | {STUDIES: home.storage_url})


def _announce(port: int) -> None:
    """Say where the pages will be. Raises `UserError` where something listens there already."""
    with socket.socket() as probe:
        if probe.connect_ex((LOOPBACK, port)) == 0:
            raise UserError(f"Port {port} of {LOOPBACK} is in use. Stop what listens there, or choose another --port.")
    tell(f"Open http://{LOOPBACK}:{port} and stop with Ctrl-C.")

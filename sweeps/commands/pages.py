"""Other tools' pages over a home, on this machine only: MLflow's and optuna-dashboard's."""

from __future__ import annotations

import os
import socket
import sys
from importlib.util import find_spec

from sweeps.commands.serve import serve
from sweeps.environment.home import Home
from sweeps.environment.screen import tell
from trainer.config import UserError

LOOPBACK = "127.0.0.1"


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
            "`thaw dashboard` needs optuna-dashboard, which is not installed. Install it beside thaw: "
            f"{sys.executable} -m pip install optuna-dashboard"
        )
    if not (home.root / "optuna.db").exists():
        raise UserError(f"No search was run in {home.root} yet: there is no study to show. Run `thaw run` first.")
    _announce(port)
    command = [sys.executable, "-m", "optuna_dashboard._cli", home.storage_url, "--host", LOOPBACK]
    return serve([*command, "--port", str(port), "--server", "wsgiref"], os.environ)


def _announce(port: int) -> None:
    """Say where the pages will be. Raises `UserError` where something listens there already."""
    with socket.socket() as probe:
        if probe.connect_ex((LOOPBACK, port)) == 0:
            raise UserError(f"Port {port} of {LOOPBACK} is in use. Stop what listens there, or choose another --port.")
    tell(f"Open http://{LOOPBACK}:{port} and stop with Ctrl-C.")

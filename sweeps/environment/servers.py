"""A worker waits for the servers of its sweep: it may be started before they are, or in the midst of an outage."""

from __future__ import annotations

import os
from collections.abc import Callable

from sweeps.environment.storage_address import VARIABLE
from sweeps.locks.waiting import wait_for_database
from tracking.patience import patience
from tracking.server_probe import wait_for_server
from trainer.stopping import StopAsked, never


def wait_for_servers(say: Callable[[str], None], stop_asked: StopAsked = never) -> None:
    """Return once the MLflow server answers, and let this process wait for the study's database whenever it is away.

    Raises `UserError` when patience ends, `Preempted` where `stop_asked` says so while it waits for the database.
    """
    if uri := os.environ.get("MLFLOW_TRACKING_URI"):
        wait_for_server(uri, say, patience())
    if storage := os.environ.get(VARIABLE):
        wait_for_database(storage, say, stop_asked)

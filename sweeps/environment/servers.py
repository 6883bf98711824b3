"""A worker waits for the servers of its sweep: it may be started before they are, or in the midst of an outage."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TypeVar

from sweeps.environment.storage_address import VARIABLE
from sweeps.locks.waiting import wait_for_database
from tracking.patience import patience
from tracking.server_probe import wait_for_server
from trainer.errors import StoreAway
from trainer.stopping import StopAsked, never

R = TypeVar("R")
Say = Callable[[str], None]


def with_servers(call: Callable[[], R], say: Say, stop_asked: StopAsked = never) -> R:
    """What `call` gives, which needs the servers: made again whenever they go away in its midst.

    Raises `UserError` when patience ends, and what else `call` raises.
    """
    while True:
        wait_for_servers(say, stop_asked)
        try:
            return call()
        except StoreAway as error:
            say(f"{error} Trying again.")


def wait_for_servers(say: Say, stop_asked: StopAsked = never) -> None:
    """Return once the MLflow server answers, and let this process wait for the study's database whenever it is away.

    Raises `UserError` when patience ends, `Preempted` where `stop_asked` says so while it waits for the database.
    """
    if uri := os.environ.get("MLFLOW_TRACKING_URI"):
        wait_for_server(uri, say, patience())
    if storage := os.environ.get(VARIABLE):
        wait_for_database(storage, say, stop_asked)

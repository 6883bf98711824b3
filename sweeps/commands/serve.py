"""Serve pages in the foreground: when this process is asked to stop, the server and all that it started stop, too."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence

GRACE = 5.0  # seconds in which a server may answer what it was asked


def serve(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a server until it ends, and return its exit code; Ctrl-C, SIGTERM and SIGHUP end its whole process group.

    MLflow's server is a parent of uvicorn, which is a parent of workers: a signal to the first leaves the others
    holding the port. Raises `KeyboardInterrupt` once all are gone.
    """
    # A session of its own does not hear the terminal: that it was closed (SIGHUP) has to be passed on, too.
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
        there, late = _signal_group(server, signal.SIGTERM), time.monotonic() + GRACE
        while there and time.monotonic() < late:
            time.sleep(0.05)
            server.poll()  # else the first of them stays in the group, dead
            there = _signal_group(server, 0)
    except KeyboardInterrupt:
        pass
    finally:
        _signal_group(server, signal.SIGKILL)
        server.wait()


def _signal_group(server: subprocess.Popen[bytes], number: int) -> bool:
    """Whether any of them was still there to hear it; 0 only asks."""
    try:
        os.killpg(server.pid, number)
    except (ProcessLookupError, PermissionError):  # the second is macOS's word for a group of the dead
        return False
    return True

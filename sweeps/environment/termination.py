"""SIGTERM and Ctrl-C in a worker: what runs is ended in order, within ten seconds.

Python runs a handler in the main thread, between two of its steps. So the handler only notes the signal, and the work
asks for it where it can stop (`trainer.stopping`). A call that takes longer than the grace, such as a large training
step, is cut off by a thread, which learns of the signal from the kernel at once (`signal.set_wakeup_fd`).
"""

from __future__ import annotations

import atexit
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

from trainer.stopping import Stop

SIGNALS = (signal.SIGTERM, signal.SIGINT)
LEAVE_SECONDS = 10.0  # whoever told a process to stop may kill it then
WORK_SECONDS, LAST_SECONDS = 8.0, 1.5  # of these: for the work to end by itself, then for what is done at last


def exit_code(number: int) -> int:
    """The exit code of a process that a signal told to stop: 143 for SIGTERM, 130 for Ctrl-C."""
    return 128 + number


STOPPED = frozenset({*map(exit_code, SIGNALS), *(-number for number in SIGNALS)})  # exit codes of who was told to stop


class Termination:
    """Notes the first signal that tells this process to stop."""

    def __init__(self) -> None:
        self.signal: int | None = None
        self.stop = Stop(lambda: self.signal is not None)

    @property
    def exit_code(self) -> int:
        """With what the process ends that was told to stop."""
        return exit_code(self.signal or signal.SIGTERM)

    def note(self, number: int, *_: object) -> None:
        """Note a signal; the handler of them all."""
        self.signal = self.signal or number

    def end(self) -> NoReturn:
        """End the process that was told to stop, now: Python's own end takes seconds where TensorFlow is loaded, and no
        thread can cut it off.
        """
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        os._exit(self.exit_code)


def end_process(code: int) -> NoReturn:
    """End this process when its work is done, without Python's own end: where TensorFlow is loaded, that takes apart a
    million objects for a second or more, while somebody waits.
    """
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        sys.exit(code)  # Python says what is wrong
    atexit._run_exitfuncs()
    os._exit(code)


def obey_signals(work_seconds: float = WORK_SECONDS) -> Termination:
    """Note from now on when this process is told to stop, and end it if that takes the work too long. For the
    beginning of a process, in its main thread.
    """
    termination = Termination()
    told, tells = socket.socketpair()
    tells.setblocking(False)
    for number in SIGNALS:
        signal.signal(number, termination.note)
    signal.set_wakeup_fd(tells.detach(), warn_on_full_buffer=False)
    threading.Thread(target=_end_in_time, args=(told, termination, work_seconds), daemon=True).start()
    return termination


def _end_in_time(told: socket.socket, termination: Termination, work_seconds: float) -> None:
    while (number := told.recv(1)[0]) not in SIGNALS:
        pass
    time.sleep(work_seconds)
    last = [threading.Thread(target=_do, args=(action,), daemon=True) for action in termination.stop.at_last]
    for thread in last:
        thread.start()
    until = time.monotonic() + LAST_SECONDS
    for thread in last:
        thread.join(max(0.0, until - time.monotonic()))
    os._exit(exit_code(number))


def _do(action: Callable[[], object]) -> None:
    with suppress(Exception):  # nobody is left to tell
        action()

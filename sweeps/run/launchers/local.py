"""Start the workers of a sweep on this machine, listen to them, replace one that was killed, stop them all on a bug."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, ClassVar

from sweeps.environment.gpus import usable_gpus, visible_gpus
from sweeps.environment.home import Home
from sweeps.environment.keras_backend import chosen_backend
from sweeps.environment.termination import LEAVE_SECONDS, STOPPED
from sweeps.run.launchers.contract import Crew, Listen
from sweeps.run.launchers.deaths import Deaths
from sweeps.run.launchers.gpu_share import NOTHING_SAID, GpuShare
from sweeps.run.messages import Error, Left, Message, Replaced, Stopping, from_line
from sweeps.run.worker import USER_ERROR
from tracking.redact import redact
from trainer.errors import UserError, WorkerCrashed
from trainer.stopping import leave

LAST_LINES = 20

Mail = queue.Queue[tuple[int, Message | None]]  # worker and message; None: the worker has ended


@dataclass(frozen=True)
class LocalLauncher:
    """Workers are processes of this machine, which end with the launcher; each sees its part of the GPUs alone."""

    share: GpuShare = NOTHING_SAID
    elsewhere: ClassVar[bool] = False

    @property
    def follows(self) -> bool:
        """It does."""
        return True

    def default_workers(self) -> int:
        """As many as the GPUs hold; without one, as many as there are cores that this process may use."""
        gpus = self._gpus()
        if gpus or self.share.is_said:
            return max(1, self.share.room(len(gpus)))
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

    def check(self, home: Home, workers: int) -> None:
        """Raise `UserError` where there are not as many GPUs as the workers are to have."""
        self.share.check(workers, len(self._gpus()))

    def preview(self, crew: Crew) -> str:
        """Nothing is submitted."""
        return ""

    def launch(self, crew: Crew, listen: Listen) -> None:
        """Run the workers until the sweep's list is drained, handing every message of theirs to `listen`.

        A worker that was killed from outside (out of memory, say) is replaced, at most three times without progress;
        its candidate is taken up again through the study's heartbeat. One that somebody told to stop is not. Raises
        `UserError` for a mistake that a worker met, `WorkerCrashed` for a bug, `Preempted` when all workers were told
        to stop. However this ends, no worker is left behind: each has ten seconds to keep what it has trained.
        """
        messages: Mail = queue.Queue()
        gpus = self._gpus()

        def start(number: int) -> subprocess.Popen[str]:
            return _start(crew, number, messages, self.share.environment(number, crew.workers, gpus))

        running = {number: start(number) for number in range(1, crew.workers + 1)}
        deaths, told, drained = Deaths(), False, False
        try:
            while running:
                number, message = messages.get()
                if isinstance(message, Error):
                    raise UserError(message.message)
                if message is not None:
                    deaths.hear(number, message)
                    listen(message)
                    continue
                code = running.pop(number).wait()
                told, drained = told or code in STOPPED, drained or code == 0
                if code in STOPPED:
                    listen(Left(number))
                elif code < 0 and deaths.may_be_replaced(number):
                    listen(Replaced(number, -code))
                    running[number] = start(number)
                elif code not in (0, USER_ERROR):
                    raise WorkerCrashed(_crash_message(crew.home.worker_log(crew.sweep, number), code))
            if told and not drained:
                leave()
        finally:
            if running:
                listen(Stopping(len(running)))
            _end(running.values())

    def _gpus(self) -> list[str]:
        """The GPUs to deal out: all where somebody asked for some, else those that the backend has packages for."""
        return visible_gpus() if self.share.is_said else usable_gpus(chosen_backend())


def _end(processes: Collection[subprocess.Popen[str]]) -> None:
    """Tell processes to stop, and kill those that are still there when their time is up."""
    for process in processes:
        process.terminate()
    until = time.monotonic() + LEAVE_SECONDS
    for process in processes:
        try:
            process.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _start(crew: Crew, number: int, messages: Mail, environment: Mapping[str, str]) -> subprocess.Popen[str]:
    log = crew.home.worker_log(crew.sweep, number)
    log.parent.mkdir(parents=True, exist_ok=True)
    program = crew.program or ("-m", "sweeps.run.worker", str(crew.home.root), crew.sweep)
    with log.open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, *program],
            env=os.environ | environment,
            stdout=subprocess.PIPE,
            stderr=errors,
            stdin=subprocess.DEVNULL,
            encoding="utf-8",
            errors="replace",
        )
    assert process.stdout is not None
    threading.Thread(target=_forward_messages, args=(process.stdout, number, messages), daemon=True).start()
    return process


def _forward_messages(output: IO[str], number: int, messages: Mail) -> None:
    with output:
        for line in output:
            if (message := from_line(line)) is not None:
                messages.put((number, message))
    messages.put((number, None))


def _crash_message(log: Path, code: int) -> str:
    lines = log.read_text(errors="replace").splitlines()[-LAST_LINES:]
    cause = f"was ended by signal {-code}" if code < 0 else f"stopped with exit code {code}"
    message = f"A worker {cause}; the sweep stops, and what is finished is kept. The end of {log}:\n" + "\n".join(lines)
    return redact(message)

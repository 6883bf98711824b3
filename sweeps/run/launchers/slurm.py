"""Workers as an array of a SLURM cluster: thaw writes the script and submits it, and SLURM runs it when there is room.

The jobs are SLURM's from then on. It starts an element again where its node fails or is taken for something else, and
tells the worker before the time limit. To follow them is to look at the queue and at the study, and ends nothing.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from sweeps.environment.home import DEFAULT_HOME, Home
from sweeps.run.launchers.contract import Crew, Listen, Submitted
from sweeps.run.launchers.following import LOOK_EVERY, Follower
from sweeps.run.launchers.reach import check_shared, worker_command
from sweeps.run.launchers.sbatch_script import elements, output_pattern, script
from sweeps.run.messages import Error, from_line
from sweeps.run.worker import USER_ERROR
from tracking.redact import redact
from trainer.errors import UserError, WorkerCrashed
from trainer.files import write_atomically

WAITING = ("PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED", "SPECIAL_EXIT")
AT_WORK = ("RUNNING", "COMPLETING", "SUSPENDED", "STAGE_OUT", "STOPPED", "SIGNALING", "RESIZING")
LAST_LINES = 20
TOLD_TO_STOP = 143  # the exit code of a worker that was sent SIGTERM
PATIENCE_SECONDS = 600.0  # SLURM's controller may be away that long


@dataclass(frozen=True)
class Element:
    """One element of an array: its number, SLURM's word for its state, its exit code."""

    number: str
    state: str
    code: int

    @property
    def is_over(self) -> bool:
        """Whether it will not run any more."""
        return self.state not in (*WAITING, *AT_WORK)


@dataclass(frozen=True)
class SlurmLauncher:
    """Workers are elements of an array, each with one CPU and `gpus` GPUs.

    `options` of sbatch replace or add to thaw's own. `wait`: follow until the array has left the queue. `worker_home`:
    the folder that workers keep their cache in, on whatever machine; None: that of the launcher.
    """

    options: Mapping[str, str] = field(default_factory=dict)
    gpus: int = 0
    wait: bool = False
    worker_home: Path | None = None
    elsewhere: ClassVar[bool] = True

    @property
    def follows(self) -> bool:
        """Whether that was asked for."""
        return self.wait

    def default_workers(self) -> int:
        """As many as `array` has elements. Raises `UserError` where nobody said how many."""
        if "array" in self.options:
            return elements(self.options["array"])
        raise UserError("--launcher slurm needs to know how many jobs to submit, one worker each: --workers 8.")

    def check(self, home: Home, workers: int) -> None:
        """Raise `UserError` where SLURM is missing or has no GPUs, or where other machines would not find the study."""
        if shutil.which("sbatch") is None:
            raise UserError(
                "--launcher slurm submits with SLURM's program sbatch, which is not here. Run this where you submit "
                "your jobs (a login node); --dry-run prints the script anywhere."
            )
        check_shared(home, "slurm")
        if "array" in self.options and elements(self.options["array"]) != workers:
            raise UserError(f"--slurm array={self.options['array']} and --workers {workers} differ. Give one of them.")
        offered = _call("sinfo", "--noheader", "--format=%G").split()
        if self.gpus and not any(gres.startswith("gpu") for gres in offered):
            raise UserError(
                f"--gpus-per-worker {self.gpus} asks for GPUs, but no node of this SLURM cluster offers any (sinfo "
                "--format=%G). Leave it out, or give what your cluster calls them as --slurm gres=... or --slurm "
                "constraint=..."
            )

    def preview(self, crew: Crew) -> str:
        """The script that `launch` submits."""
        home = self.worker_home or crew.home.root.resolve()
        program = crew.program or worker_command(crew.sweep, home)
        return script(crew.sweep, crew.workers, self.gpus, self.options, program)

    def launch(self, crew: Crew, listen: Listen) -> Submitted | None:
        """Submit the array; follow it where that was asked for, until it has left the queue.

        Raises `UserError` where SLURM refuses it, for a mistake that a worker met, and where the array is over before
        the list is drained; `WorkerCrashed` for a bug. None of these ends what SLURM still runs.
        """
        path = crew.home.plan(crew.sweep).with_name("slurm.sh")
        write_atomically(path, lambda file: file.write(self.preview(crew).encode()))
        follower = Follower(crew.home, crew.sweep, listen) if self.wait else None
        job = _call("sbatch", "--parsable", str(path)).strip().partition(";")[0]
        submitted = Submitted(_how_to_follow(job, crew))
        if follower is None:
            return submitted
        try:
            self._follow(job, crew, follower)
        except KeyboardInterrupt:
            return submitted
        return None

    def _follow(self, job: str, crew: Crew, follower: Follower) -> None:
        known: dict[str, Element] = {}
        while True:
            seen = {element.number: element for element in _patiently(lambda: read_queue(job))}
            known |= seen
            for element in known.values():
                _stop_on_a_fault(element, job, self._log(crew, job, element.number))
            if all(element.is_over or element.number not in seen for element in known.values()):
                break  # what SLURM has forgotten was over
            follower.look()
            time.sleep(LOOK_EVERY)
        follower.look_now()
        if not any(element.state == "COMPLETED" for element in known.values()):  # it found the list drained
            counts = Counter(element.state for element in known.values())
            states = ", ".join(f"{count} {state}" for state, count in counts.items())
            raise UserError(
                f"The array {job} is over ({states}), but the sweep is not. What is finished is kept; the same command "
                "goes on from there. Each worker gets more time with --slurm time=..."
            )

    def _log(self, crew: Crew, job: str, number: str) -> Path:
        """Where an element writes to, seen from here."""
        pattern = self.options.get("output") or output_pattern(crew.sweep)
        return Path(pattern.replace("%A", job).replace("%a", number))


def read_queue(job: str) -> list[Element]:
    """Every element of an array that SLURM still knows; it forgets those that ended some minutes ago."""
    fields = ("ArrayTaskID:16", "State:24", "exit_code:16")
    try:
        lines = _call(
            "squeue", "--noheader", "--array", "--states=all", f"--jobs={job}", f"--Format={','.join(fields)}"
        )
    except UserError as error:
        if "Invalid job id" in str(error):
            return []
        raise
    return [
        Element(number, state, os.waitstatus_to_exitcode(int(status)))
        for number, state, status in map(str.split, lines.splitlines())
    ]


def _stop_on_a_fault(element: Element, job: str, log: Path) -> None:
    """Raise what a worker's exit code says, where it ended by itself: others would end alike."""
    if not element.is_over or element.code <= 0 or element.code == TOLD_TO_STOP:
        return
    last_lines = _end_of(log)
    if element.code == USER_ERROR:
        raise UserError(f"A worker of the array {job} says:\n{last_lines}")
    raise WorkerCrashed(
        f"A worker of the array {job} stopped with exit code {element.code}; what is finished is kept, and `scancel "
        f"{job}` ends the others. The end of {log}:\n{last_lines}"
    )


def _end_of(log: Path) -> str:
    try:
        lines = log.read_text(errors="replace").splitlines()[-LAST_LINES:]
    except OSError:
        return f"(see {log} on its node)"
    messages = [message.message for line in lines if isinstance(message := from_line(line), Error)]
    return redact("\n".join(messages or lines))


def _how_to_follow(job: str, crew: Crew) -> str:
    home = "" if crew.home.root == DEFAULT_HOME else f" --home {shlex.quote(str(crew.home.root))}"
    sweep = shlex.quote(crew.sweep)
    return (
        f"SLURM has the workers of '{crew.sweep}': array {job} of {crew.workers}, which begin when there is room.\n"
        f"  queue     squeue --jobs={job}      (scancel {job} ends them; what is finished is kept)\n"
        f"  report    thaw report {sweep}{home}     (at any moment: what is recorded so far)\n"
        "The same command adds workers, or goes on when these have ended; --wait follows them."
    )


def _patiently(look: Callable[[], list[Element]]) -> list[Element]:
    """Look at the queue; a controller that is away for some minutes is asked again."""
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return look()
        except UserError:
            if time.monotonic() > end:
                raise
            time.sleep(LOOK_EVERY)


def _call(*command: str) -> str:
    """What one of SLURM's programs printed. Raises `UserError` with its own words where it refuses."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    except FileNotFoundError as error:
        raise UserError(f"SLURM's program {command[0]} is not here. Run this where you submit your jobs.") from error
    if done.returncode:
        reason = redact(done.stderr.strip() or f"exit code {done.returncode}")
        raise UserError(f"SLURM refuses `{command[0]}`: {reason}. Options of sbatch are given as --slurm key=value.")
    return done.stdout

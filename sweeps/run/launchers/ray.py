"""Workers as tasks of a Ray cluster: Ray finds a node with room for each, and starts it again where a node dies.

A task runs one worker process and says how it ended. The addresses of database and MLflow server, which may hold
passwords, are an argument of the task: Ray shows a task's name and resources, but no arguments.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, ClassVar

from sweeps.environment.home import Home
from sweeps.run.launchers.contract import Crew, Listen
from sweeps.run.launchers.following import LOOK_EVERY, Follower
from sweeps.run.launchers.gpu_share import NOTHING_SAID, GpuShare, memory_cap
from sweeps.run.launchers.reach import worker_command, worker_environment
from sweeps.run.messages import Error, Notice, Replaced, from_line
from sweeps.run.worker import ENDS_WITH, USER_ERROR
from tracking.redact import redact
from trainer.errors import UserError, WorkerCrashed

REPLACEMENTS = 3  # of a worker that was killed while its node lived on
LAST_LINES = 20
STOP_SECONDS = 15.0  # a worker that is told to stop keeps its state first, in at most ten
CONNECT_SECONDS = 10.0
POLL_SECONDS = 0.2


@dataclass(frozen=True)
class Ended:
    """How a worker ended: its exit code (negative: the signal), a mistake of the user, the end of what it wrote."""

    code: int
    mistake: str
    last_lines: str
    node: str


@dataclass(frozen=True)
class RayLauncher:
    """Workers are tasks of the Ray cluster at `address`, each with one CPU and its `share` of GPUs.

    `worker_home`: the folder that workers keep their cache in, on whatever machine; None: that of the launcher. With a
    study or a record in files, all of them run on this machine.
    """

    address: str = "auto"
    share: GpuShare = NOTHING_SAID
    worker_home: Path | None = None
    elsewhere: ClassVar[bool] = True

    @property
    def follows(self) -> bool:
        """It does."""
        return True

    def default_workers(self) -> int:
        """As many as the cluster has room for when nothing else runs on it, at least one."""
        with _cluster(self.address) as ray:
            return max(1, sum(self._room(node) for node in ray.nodes() if node["Alive"]))

    def check(self, home: Home, workers: int) -> None:
        """Raise `UserError` where Ray or its cluster is missing, or no node has what a worker needs."""
        with _cluster(self.address) as ray:
            here, nodes = ray.get_runtime_context().get_node_id(), [node for node in ray.nodes() if node["Alive"]]
        if not home.many_machines:
            if self.address.startswith("ray://"):
                raise UserError(
                    f"--address {self.address} is a cluster on other machines, which reach neither a study nor a "
                    "record in files of this one. Give --storage postgresql+psycopg://... and "
                    "MLFLOW_TRACKING_URI=http://...; docs/many-machines.md shows how."
                )
            nodes = [node for node in nodes if node["NodeID"] == here]
        if any(self._room(node) for node in nodes):
            return
        where = f"the {len(nodes)} nodes of the Ray cluster" if home.many_machines else "this machine's own Ray node"
        has = "; ".join(
            f"{node['NodeName']}: {_amount(node, 'CPU')} CPUs, {_amount(node, 'GPU')} GPUs" for node in nodes
        )
        raise UserError(
            f"Each worker needs 1 CPU and {self.share.of_one} GPUs ({self.share.option}) on one node, but {where} have "
            f"no such one ({has}). Add a node that has them, or ask for fewer GPUs."
        )

    def _room(self, node: Mapping[str, Any]) -> int:
        """How many workers a node can hold at a time."""
        cpus, gpus = _amount(node, "CPU"), _amount(node, "GPU")
        return min(cpus, self.share.room(gpus)) if self.share.is_said else cpus

    def preview(self, crew: Crew) -> str:
        """Nothing is submitted."""
        return ""

    def launch(self, crew: Crew, listen: Listen) -> None:
        """Keep one task per worker until all have ended, telling from the study how far they are.

        A task whose node died is started again on another one, as often as that happens; a worker that was killed
        alone at most three times. Raises `UserError` for a mistake that a worker met, `WorkerCrashed` for a bug. On
        every other end workers are told to stop, and keep what they have.
        """
        follower = Follower(crew.home, crew.sweep, listen)
        with _cluster(self.address) as ray:
            tasks = {self._start(ray, crew, number): number for number in range(1, crew.workers + 1)}
            try:
                self._wait(ray, crew, tasks, follower, listen)
            finally:
                for task in tasks:
                    ray.cancel(task)
                ray.wait(list(tasks), num_returns=len(tasks), timeout=STOP_SECONDS) if tasks else None
        follower.look_now()

    def _wait(self, ray: Any, crew: Crew, tasks: dict[Any, int], follower: Follower, listen: Listen) -> None:
        replacements, alive = 0, _alive(ray)
        while tasks:
            ready, _ = ray.wait(list(tasks), timeout=LOOK_EVERY)
            follower.look()
            before, alive = alive, _alive(ray)
            for name in (name for node, name in before.items() if node not in alive):
                listen(Notice(f"Ray lost the node {name}; its workers start again where there is room."))
            for task in ready:
                ended, number = _result(ray, task), tasks.pop(task)
                if ended.code < 0 and replacements < REPLACEMENTS:
                    replacements += 1
                    listen(Replaced(number, -ended.code))
                    tasks[self._start(ray, crew, number)] = number
                elif ended.code == USER_ERROR:
                    raise UserError(f"A worker on {ended.node}: {ended.mistake or ended.last_lines}")
                elif ended.code:
                    raise WorkerCrashed(_crash_message(ended))

    def _start(self, ray: Any, crew: Crew, number: int) -> Any:
        home = crew.home.root.resolve()
        if self.worker_home is not None and crew.home.many_machines:
            home = self.worker_home
        options: dict[str, Any] = {"num_cpus": 1, "num_gpus": self.share.of_one, "max_retries": -1}
        options["name"] = f"thaw worker {number} of {crew.sweep}"
        options["scheduling_strategy"] = "SPREAD" if crew.home.many_machines else _here(ray)
        arguments = crew.program or tuple(worker_command(crew.sweep, home))
        cap = memory_cap(max(1, self.share.per_gpu)) if self.share.is_said else {}
        return ray.remote(**options)(run_worker).remote(arguments, worker_environment() | cap)


def run_worker(arguments: Sequence[str], environment: Mapping[str, str]) -> Ended:
    """The task: run one worker process on this node to its end. Stopped, it first lets the worker stop."""
    process = subprocess.Popen(
        [sys.executable, *arguments],
        env=os.environ | environment | {ENDS_WITH: str(os.getpid())},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    )
    mistakes: list[str] = []
    last_lines: deque[str] = deque(maxlen=LAST_LINES)
    reading = threading.Thread(target=_read, args=(process.stdout, mistakes, last_lines), daemon=True)
    reading.start()
    try:
        while process.poll() is None:
            time.sleep(POLL_SECONDS)  # Ray's Ctrl-C ends no call that waits, so none may wait for long
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
        reading.join(STOP_SECONDS)
    return Ended(process.returncode, redact("".join(mistakes)), redact("".join(last_lines)), socket.gethostname())


def _read(output: IO[str], mistakes: list[str], last_lines: deque[str]) -> None:
    with output:
        for line in output:
            if isinstance(message := from_line(line), Error):
                mistakes.append(message.message)
            elif message is None:
                last_lines.append(line)


def _result(ray: Any, task: Any) -> Ended:
    """How a worker ended. Raises `UserError` where its node cannot run thaw."""
    try:
        ended: Ended = ray.get(task)
    except ray.exceptions.RayError as error:
        reason = str(error).strip().splitlines()[-1]
        raise UserError(
            f"A node of the Ray cluster could not run a worker: {redact(reason)}. The same thaw must be installed for "
            "the Python that Ray runs with on every node."
        ) from error
    return ended


def _crash_message(ended: Ended) -> str:
    cause = f"was ended by signal {-ended.code}" if ended.code < 0 else f"stopped with exit code {ended.code}"
    return (
        f"A worker on {ended.node} {cause}; the sweep stops, and what is finished is kept. The end of what it wrote:\n"
        f"{ended.last_lines}"
    )


def _alive(ray: Any) -> dict[str, str]:
    """The nodes that are there: identity -> name."""
    return {node["NodeID"]: str(node["NodeName"]) for node in ray.nodes() if node["Alive"]}


def _amount(node: Mapping[str, Any], resource: str) -> int:
    return int(node["Resources"].get(resource, 0))


def _here(ray: Any) -> Any:
    """The strategy that places a task on this machine: files of a home are no good on another."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    return NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)


@contextmanager
def _cluster(address: str) -> Iterator[Any]:
    """Be connected to a Ray cluster; yields the module. Raises `UserError` where that cannot be."""
    try:
        import ray
    except ModuleNotFoundError as error:
        raise UserError("--launcher ray needs Ray, which is not installed: make setup EXTRAS=ray") from error
    _check_address(address)
    _silence(ray)
    before = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise UserError(
            f"There must be a Ray cluster at --address {address}, which this machine belongs to, but: "
            f"{str(error).strip().splitlines()[0].rstrip('.')}. Start one with `ray start --head`, or join one with "
            "`ray start --address=HOST:6379`."
        ) from error
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, before)  # Ray has one of its own, which ends the program with another code
    try:
        yield ray
    finally:
        ray.shutdown()


def _silence(ray: Any) -> None:
    """Keep pages of Ray's own state off the screen when a node dies: no option of Ray does."""
    driver = ray._private.worker
    if hasattr(driver, "print_to_stdstream"):
        driver.print_to_stdstream = lambda *_, **__: None


def _check_address(address: str) -> None:
    """Raise `UserError` where nobody listens at HOST:PORT: Ray itself would ask for a minute."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host:  # auto, local
        return
    try:
        socket.create_connection((host, int(port)), CONNECT_SECONDS).close()
    except (OSError, ValueError) as error:
        raise UserError(
            f"There must be a Ray cluster at --address {address}, but nothing answers there: {error}. Check the "
            "address (HOST:6379 as `ray start --head` prints it), or start the cluster."
        ) from error

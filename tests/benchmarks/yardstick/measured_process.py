"""A command as a process of its own: wall time, processor time with all its children, peak memory."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.yardstick.profiles import ROOT

PROC = Path("/proc")
SETTINGS_OF_OTHERS = ("KERAS_", "MLFLOW_", "OPTUNA_", "THAW_", "TF_", "XLA_", "PYTHON", "OMP_", "OPENBLAS_", "CUDA_")
LAST_CHARACTERS = 3000
MIB = 2**20


@dataclass(frozen=True)
class Usage:
    """Seconds of wall and processor (user and system, all child processes too), and MiB of memory.

    `largest`: the peak of the largest process; `together`: the most that all processes held at one time, what they may
    share counted once, looked at once a second. `others`: how many cores all other programs kept busy meanwhile, on the
    average: near 0, or the wall time is too long. Both are None where the system does not tell (they need /proc).
    """

    wall: float
    processor: float
    largest: float
    together: float | None
    others: float | None


def measure(command: Sequence[str], cwd: Path, log: Path, more: dict[str, str] | None = None) -> Usage:
    """Run a command in surroundings without anybody's settings; ends the program where it fails, with its last words.

    `more`: variables that it has besides. Its output goes to `log`.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        started, busy = time.perf_counter(), _busy_seconds()
        process = subprocess.Popen(
            command, cwd=cwd, env=surroundings() | (more or {}), stdout=output, stderr=output, start_new_session=True
        )
        watch = _Watch(process.pid)
        try:
            _, status, used = os.wait4(process.pid, 0)
        except BaseException:
            process.terminate()  # thaw's workers end with it
            process.wait()
            raise
        finally:
            watch.end()
        wall, busy_then = time.perf_counter() - started, _busy_seconds()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        last = log.read_text(errors="replace")[-LAST_CHARACTERS:]
        raise SystemExit(f"{' '.join(command)}\nended with {process.returncode}:\n{last}")
    processor = used.ru_utime + used.ru_stime
    others = None if busy is None or busy_then is None else max(0.0, busy_then - busy - processor) / wall
    return Usage(wall, processor, _bytes(used) / MIB, watch.together, others)


def python(*words: str) -> list[str]:
    """A command of this interpreter."""
    return [sys.executable, "-m", *words]


def run(command: Sequence[str], log: Path) -> Usage:
    """The same for a command of this project."""
    return measure(command, ROOT, log)


def surroundings() -> dict[str, str]:
    """The environment without what settings of libraries somebody may have made."""
    return {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS_OF_OTHERS)}


def _bytes(used: resource.struct_rusage) -> int:
    return used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _busy_seconds() -> float | None:
    """Seconds that all cores together have worked since the system started."""
    try:
        first = (PROC / "stat").read_text().splitlines()[0]
    except OSError:
        return None
    user, nice, system = map(int, first.split()[1:4])
    return (user + nice + system) / os.sysconf("SC_CLK_TCK")


class _Watch:
    """Looks once a second at the memory of every process of a session."""

    def __init__(self, session: int) -> None:
        self._session = session
        self._ended = threading.Event()
        self._most = 0
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    @property
    def together(self) -> float | None:
        return self._most / MIB if self._most else None

    def end(self) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ended.wait(1.0):
            held = [memory for process in _session_of(self._session) if (memory := _memory(process))]
            if held:
                self._most = max(self._most, sum(own for own, _ in held) + max(shared for _, shared in held))


def _session_of(session: int) -> list[int]:
    """The processes of a session."""
    found = []
    for path in PROC.glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        if int(fields[3]) == session:
            found.append(int(path.parent.name))
    return found


def _memory(process: int) -> tuple[int, int] | None:
    """Bytes that a process has to itself, and those of files and memory that others may share."""
    try:
        _, resident, shared, *_ = map(int, (PROC / str(process) / "statm").read_text().split())
    except OSError:
        return None
    page = os.sysconf("SC_PAGE_SIZE")
    return (resident - shared) * page, shared * page

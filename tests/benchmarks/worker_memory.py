"""Whether a worker's memory stays flat: its resident memory every ten trials, in one process, as the launcher runs it.

    python -m tests.benchmarks.worker_memory [--trials 300] [--neurons 1 9]

The trials are as cheap as can be (8 images of 32 px, 2 filters, 1 epoch, 2 folds), each of another mask: whatever is
kept for a mask or a trial adds up. Exits with 1 where the memory is more than 5 % above that after 20 trials.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from itertools import combinations, islice
from pathlib import Path

from rich.console import Console

from sweeps.environment.home import open_home
from sweeps.environment.terminal import Board
from sweeps.planning.plan import read_plan
from sweeps.run.launchers.contract import Crew, Listen
from sweeps.run.launchers.local import LocalLauncher
from sweeps.run.messages import Dropped, Failed, Message, TrialFinished
from sweeps.run.worker import run_worker
from sweeps.spec.load import load_spec
from sweeps.sweep import run_sweep
from tests.small import SMALL
from trainer.stopping import Stop

NAME, BLOCKS = "s", 9
EVERY, SETTLED, ALLOWED = 10, 20, 1.05


class Nobody(LocalLauncher):
    """Starts no worker: the sweep is left as its workers would find it."""

    def launch(self, crew: Crew, listen: Listen) -> None:
        """Nothing."""


def prepare(home: Path, trials: int, neurons: list[int]) -> None:
    """Plan and list a sweep of so many masks."""
    subsets = (subset for size in range(1, BLOCKS + 1) for subset in combinations(range(1, BLOCKS + 1), size))
    masks = [",".join(map(str, subset)) for subset in islice(subsets, trials)]
    sets = [*SMALL, "search.epochs=[1]", f"search.masks={masks}", f"search.neurons={neurons}", "folds=2"]
    board = Board(Console(quiet=True))
    run_sweep(load_spec("smoke", sets=sets), open_home(home), board, workers=1, name=NAME, launcher=Nobody())


def resident() -> float:
    """This process's memory in MiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def measured(home: Path) -> list[float]:
    """Work through the list here; the memory after every ten trials, printed as it comes."""
    ended, found = 0, []

    def emit(message: Message) -> None:
        nonlocal ended
        if isinstance(message, TrialFinished | Dropped | Failed):
            ended += 1
            if ended % EVERY == 0:
                found.append(resident())
                print(f"{ended:4d} trials: {found[-1]:7.1f} MiB", flush=True)

    opened = open_home(home)
    run_worker(opened, read_plan(opened, NAME), emit, Stop())
    return found


def main(arguments: list[str]) -> int:
    """Prepare a sweep in a process of its own, work through it in this one, and judge."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--trials", type=int, default=300)
    parser.add_argument("--neurons", type=int, nargs="*", default=[1, 9])
    parser.add_argument("--prepare", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.prepare is not None:
        prepare(given.prepare, given.trials, given.neurons)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "tests.benchmarks.worker_memory", "--prepare", folder, *arguments]
        subprocess.run(command, check=True)
        found = measured(Path(folder))
    settled = found[SETTLED // EVERY - 1]
    print(f"from {settled:.1f} MiB after {SETTLED} trials to at most {max(found):.1f}: {max(found) / settled - 1:+.1%}")
    return int(max(found[SETTLED // EVERY :]) > ALLOWED * settled)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

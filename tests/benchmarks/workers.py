"""How much faster two workers are than one: wall-clock of the same sweep in two empty homes, as a ratio.

    .venv/bin/python tests/benchmarks/workers.py [SPEC] [--set key=value ...]

Both homes start with the same images and starting weights (made beforehand, not timed), so what is timed is the
trainings, their records in MLflow and the report. Takes about a quarter of an hour for the `ultrasound` spec.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
CACHES = ("data", "weights")


def run(home: Path, workers: int, arguments: list[str]) -> float:
    """Seconds of one `thaw run`; its output goes to the screen only when it fails."""
    command = [sys.executable, "-m", "sweeps.cli", "run", *arguments, "--home", str(home), "--workers", str(workers)]
    started = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    return time.perf_counter() - started


def main(arguments: list[str]) -> None:
    """Print seconds with one worker and with two, and their ratio."""
    with tempfile.TemporaryDirectory() as folder:
        first_home = Path(folder) / "prepared"
        run(
            first_home,
            1,
            [*arguments, "--set", "search.space=masks", "--set", "search.masks=['9']", "--set", "search.epochs=[1]"],
        )
        seconds = {}
        for workers in (1, 2):
            home = Path(folder) / f"home-{workers}"
            for cache in CACHES:
                shutil.copytree(first_home / cache, home / cache)
            seconds[workers] = run(home, workers, arguments)
            print(f"{workers} worker{'s' if workers > 1 else ''}: {seconds[workers]:.0f} s", flush=True)
    print(f"two workers are {seconds[1] / seconds[2]:.2f} times as fast as one")


if __name__ == "__main__":
    main(sys.argv[1:] or ["ultrasound"])

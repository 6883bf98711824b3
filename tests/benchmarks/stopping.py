"""How long a sweep takes to leave when it is told to stop: seconds from SIGTERM to the end of all its processes.

    PYTHONPATH=. .venv/bin/python tests/benchmarks/stopping.py [TIMES]

The default sweep with two workers is stopped at a random moment of its training and goes on again, so many TIMES (5).
A node that is taken away gives a process ten seconds or more before it is killed.
"""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.sweeps.kills import children

ROOT = Path(__file__).parents[2]


def stopped_after(home: Path, pause: float) -> float:
    """Start the sweep, stop it `pause` seconds after its workers began; how many seconds it took to leave."""
    command = [sys.executable, "-m", "sweeps.cli", "run", "ultrasound", "--workers", "2", "--home", str(home)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as launcher:
        assert launcher.stdout is not None
        for line in launcher.stdout:
            if "trials to run" in line:
                break
        time.sleep(pause)
        workers = children(launcher.pid)
        began = time.monotonic()
        launcher.send_signal(signal.SIGTERM)
        launcher.stdout.read()
        launcher.wait()
        while any(Path(f"/proc/{pid}").exists() for pid in workers):
            time.sleep(0.01)
        return time.monotonic() - began


def main(times: int) -> None:
    """Measure so many stops of one sweep."""
    draw = random.Random(0)
    with tempfile.TemporaryDirectory() as home:
        seconds = [stopped_after(Path(home), draw.uniform(8.0, 25.0)) for _ in range(times)]
    print("seconds from SIGTERM to the end of all processes:", ", ".join(f"{one:.1f}" for one in seconds))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)

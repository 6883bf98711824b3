"""What a measurement was made on: processor, cores, versions, commit, and what else is at work."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

from tests.benchmarks.yardstick.profiles import ROOT

LIBRARIES = ("tensorflow", "keras", "optuna", "mlflow")
BUSY = 0.3  # load average above which somebody else is at work


def machine() -> str:
    """One line that says where, and of what."""
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return (
        f"{_processor()}, {os.cpu_count()} cores; Python {platform.python_version()}, {libraries}; thaw at {_commit()}"
    )


def busy() -> str:
    """A warning where other programs want the processor, too; else nothing."""
    load = os.getloadavg()[0]
    return f"Note: the load is {load:.1f} before the first run, so wall times are too long.\n" if load > BUSY else ""


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())


def _commit() -> str:
    command = ["git", "describe", "--always", "--dirty"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "no commit"

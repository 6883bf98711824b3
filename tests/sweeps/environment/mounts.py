"""File systems of a process's own: read-only or tiny ones, where the system lets this user make them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def run_mounted(mount: str, folder: Path, code: str, *arguments: object, cwd: Path | None = None) -> str:
    """What `code` prints on both streams in a process that sees another file system at `folder`, its HOME, too.

    `mount`: commands that make it, with `$0` for the folder. Skips the test where the system refuses them.
    """
    unshared = ["unshare", "--mount", "--map-root-user", "sh", "-ec"] if os.getuid() else ["unshare", "-m", "sh", "-ec"]
    if subprocess.run([*unshared, mount, str(folder)], capture_output=True, check=False).returncode:
        pytest.skip("this system lets us mount nothing")
    command = [*unshared, f'{mount}; exec "$@"', str(folder), sys.executable, "-c", code, *map(str, arguments)]
    environment = {**os.environ, "HOME": str(folder), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout + done.stderr


READ_ONLY = 'mount --bind "$0" "$0"; mount -o remount,ro,bind "$0"'
TINY = 'mount -t tmpfs -o size=64k tmpfs "$0"'

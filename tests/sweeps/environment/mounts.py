"""File systems of a process's own: read-only or tiny ones, where the system lets this user make them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.component import missing

ROOT = Path(__file__).parents[3]
# What a system says that lets this user mount nothing; the last where it allows no name spaces.
REFUSED = ("Operation not permitted", "ermission denied", "must be superuser", "No space left on device")


def run_mounted(mount: str, folder: Path, code: str, *arguments: object, cwd: Path | None = None) -> str:
    """What `code` prints on both streams in a process that sees another file system at `folder`, its HOME, too.

    `mount`: commands that make it, with `$0` for the folder. Where the system refuses them, as most containers do, the
    test is skipped, in CI, too: that is nothing to install.
    """
    if shutil.which("unshare") is None:
        missing("no `unshare` found: install the package `util-linux` (Linux only) to run the tests with mounts")
    unshared = ["unshare", "--mount", "--map-root-user", "sh", "-ec"] if os.getuid() else ["unshare", "-m", "sh", "-ec"]
    english = {**os.environ, "LC_ALL": "C"}
    tried = subprocess.run([*unshared, mount, str(folder)], env=english, capture_output=True, text=True, check=False)
    if any(words in tried.stderr for words in REFUSED):
        pytest.skip(f"this system lets us mount nothing: {tried.stderr.strip()}")
    assert tried.returncode == 0, tried.stderr
    command = [*unshared, f'{mount}; exec "$@"', str(folder), sys.executable, "-c", code, *map(str, arguments)]
    environment = {**os.environ, "HOME": str(folder), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout + done.stderr


READ_ONLY = 'mount --bind "$0" "$0"; mount -o remount,ro,bind "$0"'
TINY = 'mount -t tmpfs -o size=64k tmpfs "$0"'

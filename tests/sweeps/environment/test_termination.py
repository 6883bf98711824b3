"""A process that is told to stop ends by itself, and by a thread where it cannot."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

CODE = """
import hashlib, os, sys, threading
from pathlib import Path
from sweeps.environment.termination import obey_signals
termination, marker = obey_signals(float(sys.argv[3])), Path(sys.argv[1])
print(end="ready", flush=True)
if sys.argv[2] == "steps":
    while not termination.stop.asked():
        threading.Event().wait(0.01)
    termination.end()
with termination.stop.doing_at_last(lambda: marker.write_text("done")):
    hashlib.pbkdf2_hmac("sha256", b"", b"", 10**9)  # stands for one long training step: no handler runs before its end
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize(("work", "grace", "done"), [("steps", 60, False), ("one step", 0.1, True)])
def test_it_leaves_with_the_code_of_the_signal(
    tmp_path: Path, work: str, grace: float, done: bool, number: int
) -> None:
    command = [sys.executable, "-c", CODE, str(tmp_path / "marker"), work, str(grace)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.read(5) == b"ready"
        os.kill(process.pid, number)
        assert process.wait(30) == 128 + number
    assert (tmp_path / "marker").exists() == done

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


ENDS = """
import atexit, sys
from sweeps.environment.termination import end_process
class Slow:
    def __del__(self):
        print("taken apart", flush=True)
slow = Slow()
atexit.register(lambda: print("at exit", flush=True))
print("last words")
end_process(3)
"""


def test_a_process_ends_without_being_taken_apart() -> None:
    done = subprocess.run([sys.executable, "-c", ENDS], stdout=subprocess.PIPE, text=True)
    assert (done.returncode, done.stdout) == (3, "last words\nat exit\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_what_cannot_be_written_at_last_is_said() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    code = "from sweeps.environment.termination import end_process\nprint('last words')\nend_process(0)"
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert done.returncode == 120 and "No space left" in done.stderr

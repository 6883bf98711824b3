"""Kill a sweep at random moments, again and again, and compare what it gives with a sweep that nothing killed.

    python -m tests.sweeps.kills --kills 100 --seed 0

Each blow strikes the launcher or one of its workers, by SIGKILL or, one time in four besides, by SIGTERM. What ended is
started again by the same command. A sweep that ends before all blows are spent is compared, and another one begun.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.sweeps.whole import numbers, report, runs, started

WORKERS = ("--workers", "2")
# Seconds between two blows: mostly long enough for a worker to begin and to keep something, for a trial that three
# processes die of without progress is given up, and rightly so.
LONGEST_PAUSE = 40.0
RESTARTS = 5  # of an undisturbed command, before its failure counts
SHARE_OF_TERM = 0.25


def timeless(table: dict[str, Any]) -> str:
    """The report's numbers without those that a clock gave: seconds, and what is chosen by them."""

    def without(part: Any) -> Any:
        if isinstance(part, dict):
            return {key: without(value) for key, value in part.items() if key != "seconds"}
        return [without(one) for one in part] if isinstance(part, list) else part

    cleaned: dict[str, Any] = without(table)
    return numbers(cleaned)


def children(pid: int) -> list[int]:
    """The processes that a process has started, and that live."""
    return [int(path.parent.name) for path in Path("/proc").glob("[0-9]*/stat") if _parent(path) == pid]


def _parent(stat: Path) -> int:
    """The process that started the one of a /proc file; -1 where it has ended."""
    with suppress(OSError):
        state, parent = stat.read_text().rpartition(")")[2].split()[:2]
        return -1 if state == "Z" else int(parent)
    return -1


def strike(launcher: subprocess.Popen[bytes], draw: random.Random, victims: str) -> str:
    """Send a signal to the launcher or to one of its workers; what was struck, in words, or nothing."""
    workers = children(launcher.pid) if victims == "any" else []
    victim = draw.choice([launcher.pid, *workers, *workers])
    number = signal.SIGTERM if draw.random() < SHARE_OF_TERM else signal.SIGKILL
    try:
        if launcher.poll() is not None:
            return ""
        os.kill(victim, number)
    except OSError:  # it has ended meanwhile
        return ""
    return f"{'launcher' if victim == launcher.pid else 'worker'} {number.name}"


def disturbed(home: Path, kills: int, draw: random.Random, longest_pause: float = LONGEST_PAUSE) -> Counter[str]:
    """Run the sweep in `home` to its end, striking it at random moments by at most `kills` SIGKILLs; blows by kind.

    The last blow hits the launcher, so that nobody waits for heartbeats of the dead to grow stale.
    """
    struck: Counter[str] = Counter()
    launcher = started(home, *WORKERS)
    while killed(struck) < kills:
        pause = draw.uniform(0.0, longest_pause)
        with suppress(subprocess.TimeoutExpired):
            if launcher.wait(pause) == 0:
                return struck
            launcher = started(home, *WORKERS)
            continue
        last = killed(struck) == kills - 1
        if blow := strike(launcher, draw, "launcher" if last else "any"):
            struck[blow] += 1
    for _ in range(RESTARTS):
        if launcher.wait() == 0:
            return struck
        launcher = started(home, *WORKERS)
    launcher.kill()
    raise AssertionError(f"the sweep in {home} does not end")


def killed(struck: Counter[str]) -> int:
    """How many of the blows were SIGKILLs."""
    return sum(count for kind, count in struck.items() if kind.endswith("SIGKILL"))


def main(kills: int, seed: int, longest_pause: float = LONGEST_PAUSE, say: Callable[[str], object] = print) -> int:
    """Strike until all blows are spent; 1 where a sweep differs from the undisturbed one."""
    draw, folder = random.Random(seed), Path(tempfile.mkdtemp(prefix="thaw-kills-"))
    began = time.monotonic()
    assert started(folder / "undisturbed", *WORKERS).wait() == 0
    expected = report(folder / "undisturbed")
    say(f"undisturbed: {len(expected['trials'])} trials in {time.monotonic() - began:.0f} s")
    struck: Counter[str] = Counter()
    different = sweeps = 0
    while killed(struck) < kills:
        home, began = folder / f"sweep-{sweeps}", time.monotonic()
        blows = disturbed(home, kills - killed(struck), draw, longest_pause)
        struck, sweeps = struck + blows, sweeps + 1
        same = timeless(report(home)) == timeless(expected) and set(runs(home)) == {"FINISHED"}
        different += not same
        say(
            f"sweep {sweeps}: {dict(blows)} in {time.monotonic() - began:.0f} s, {killed(struck)} kills in all; "
            f"{'JSON equal' if same else f'DIFFERENT, see {home}'}; runs {dict(runs(home))}"
        )
    say(f"{killed(struck)} kills ({dict(struck)}) on {sweeps} sweeps, {different} of them different")
    return int(different > 0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--longest-pause", type=float, default=LONGEST_PAUSE, help="seconds between two blows")
    sys.exit(main(**vars(parser.parse_args())))

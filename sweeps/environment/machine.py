"""What this machine has free, and quantities as text."""

from __future__ import annotations

import os
from pathlib import Path

GIB = 2**30


def free_memory(root: Path = Path("/")) -> int:
    """Bytes that new processes may use: what the system says is available, or less where a container's limit is near.

    Where the system does not say (macOS), half of what is built in. `root` is where /proc and /sys lie.
    """
    try:
        lines = (root / "proc/meminfo").read_text().splitlines()
        (free,) = [1024 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")]
    except (OSError, ValueError):
        free = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    try:
        group = root / "sys/fs/cgroup"
        limit, used = ((group / f"memory.{name}").read_text() for name in ("max", "current"))
        return min(free, max(0, int(limit) - int(used)))
    except (OSError, ValueError):  # no container, or one without a limit ("max")
        return free


def overloaded() -> bool:
    """Whether more programs want to run than there are cores (by the load of the last minute)."""
    return os.getloadavg()[0] > (os.cpu_count() or 1)


def gib(size: float) -> str:
    """Bytes as `1.2 GiB`."""
    return f"{size / GIB:.1f} GiB"


def on_disk(size: float) -> str:
    """Bytes in the units that `du` prints.

    >>> on_disk(48e6), on_disk(3.2e9), on_disk(1.2e12)
    ('46 MB', '3.0 GB', '1.1 TB')
    """
    for unit, length in (("TB", 2**40), ("GB", 2**30)):
        if size >= length:
            return f"{size / length:.1f} {unit}"
    return f"{size / 2**20:.0f} MB"


def duration(seconds: float) -> str:
    """Seconds as the largest unit that leaves at least two of it.

    >>> duration(90), duration(7200), duration(4e6)
    ('90 s', '120 minutes', '46 days')
    """
    for unit, length in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= (2 if unit != "hours" else 3) * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s" if seconds >= 1 else f"{1000 * seconds:.0f} ms"

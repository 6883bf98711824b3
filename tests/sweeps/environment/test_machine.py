"""What is free, and quantities in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from sweeps.environment.machine import GIB, duration, free_memory, gib


def system(root: Path, available: int, limit: str = "max", used: int = 0) -> Path:
    """A made-up /proc and /sys: KiB available, and a container's limit in bytes."""
    (root / "proc").mkdir()
    (root / "proc/meminfo").write_text(f"MemTotal: 99999999 kB\nMemAvailable: {available} kB\n")
    (root / "sys/fs/cgroup").mkdir(parents=True)
    (root / "sys/fs/cgroup/memory.max").write_text(f"{limit}\n")
    (root / "sys/fs/cgroup/memory.current").write_text(f"{used}\n")
    return root


@pytest.mark.parametrize(
    ("limit", "used", "free"),
    [("max", 0, 4 * GIB), (str(3 * GIB), GIB, 2 * GIB), (str(9 * GIB), GIB, 4 * GIB), (str(GIB), 2 * GIB, 0)],
)
def test_free_is_what_the_system_and_the_container_leave(tmp_path: Path, limit: str, used: int, free: int) -> None:
    assert free_memory(system(tmp_path, 4 * 2**20, limit, used)) == free


def test_a_system_that_does_not_say_counts_half_of_what_is_built_in(tmp_path: Path) -> None:
    assert 0 < free_memory(tmp_path) < 2**50


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.0123, "12 ms"), (90, "90 s"), (1200, "20 minutes"), (3 * 3600, "3 hours"), (45 * 86400, "45 days")],
)
def test_durations_are_in_a_unit_that_fits(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_gib() -> None:
    assert gib(1.25 * GIB) == "1.2 GiB"

"""Thaw's own time by kind: a sweep whose processes are watched by `time_by_kind.py`, which Python itself imports."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks.yardstick.time_by_kind import OTHER

WAITING = "waiting"
SITECUSTOMIZE = """
import importlib.util, pathlib
spec = importlib.util.spec_from_file_location("time_by_kind", {source!r})
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
module.start(pathlib.Path({out!r}))
"""


@dataclass(frozen=True)
class Times:
    """Seconds by kind: of the launcher, and of all workers together, by the clock and of processor time.

    `others`: function of thaw's -> seconds, of what no kind was found for. `workers`: how many there were.
    """

    workers: int
    launcher: dict[str, float]
    crew: dict[str, float]
    processor: dict[str, float]
    others: dict[str, float]

    @property
    def kinds(self) -> list[str]:
        """All kinds, that with most time first."""
        total = Counter(self.launcher) + Counter(self.crew)
        return sorted(total, key=lambda kind: -total[kind])

    @property
    def counted(self) -> float:
        """Seconds of all processes, without those in which the launcher waits for its workers."""
        return sum(self.launcher.values()) + sum(self.crew.values()) - self.launcher.get(WAITING, 0.0)


def watching(folder: Path) -> dict[str, str]:
    """Make the variables under which every Python process is watched, and writes what it found below `folder`."""
    source, out = Path(__file__).with_name("time_by_kind.py"), folder / "processes"
    out.mkdir(parents=True)
    (folder / "sitecustomize.py").write_text(SITECUSTOMIZE.format(source=str(source), out=str(out)))
    return {"PYTHONPATH": str(folder)}


def read_times(folder: Path) -> Times:
    """What the processes wrote; those that are neither launcher nor worker took no time worth telling."""
    found = [json.loads(path.read_text()) for path in (folder / "processes").glob("*.json")]
    crew = [process for process in found if "sweeps.run.worker" in process["command"]]
    launcher = [process for process in found if "sweeps.cli" in process["command"]]
    others = _sum(launcher + crew, "others")
    return Times(
        len(crew),
        _sum(launcher, "wall"),
        _sum(crew, "wall"),
        _sum(launcher + crew, "processor"),
        dict(Counter(others).most_common(12)),
    )


def _sum(processes: Iterable[dict[str, Any]], key: str) -> dict[str, float]:
    total: Counter[str] = Counter()
    for process in processes:
        total.update(process[key])
    return dict(total)


def times_text(times: Times) -> str:
    """The table; shares are of the seconds of all processes, without those in which the launcher waits for workers."""
    lines = [
        f"{'thaw, ' + str(times.workers) + ' worker' + 's' * (times.workers > 1):24}"
        f"{'launcher s':>12}{'workers s':>12}{'share':>8}{'processor s':>13}"
    ]
    for kind in times.kinds:
        launcher, crew = times.launcher.get(kind, 0.0), times.crew.get(kind, 0.0)
        share = (crew + (0.0 if kind == WAITING else launcher)) / times.counted
        lines.append(f"{kind:24}{launcher:12.1f}{crew:12.1f}{share:8.1%}{times.processor.get(kind, 0.0):13.1f}")
    launcher, crew = sum(times.launcher.values()), sum(times.crew.values())
    lines.append(f"{'all':24}{launcher:12.1f}{crew:12.1f}{1:8.1%}{sum(times.processor.values()):13.1f}")
    largest = [f"{name} {seconds:.1f} s" for name, seconds in times.others.items() if seconds > times.counted / 500]
    return "\n".join(lines) + (f"\nof {OTHER}: {', '.join(largest)}" if largest else "")

"""How near thaw is to the limit: its time against that of the same convolutions alone."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

from tests.benchmarks.yardstick.measured_process import python, surroundings
from tests.benchmarks.yardstick.profiles import ROOT
from tests.benchmarks.yardstick.task import Task


@dataclass(frozen=True)
class Limit:
    """Of the convolutions alone, measured in so many `processes` at once, one thread each: means over them.

    `seconds` and `flops` of one training step, by mask. With mask `all`: `thaw_step`, seconds of thaw's whole step, and
    `all_in_turn`, those of its convolutions alone, taken in turn.
    """

    processes: int
    seconds: dict[str, float]
    flops: dict[str, int]
    thaw_step: float
    all_in_turn: float

    @property
    def rate(self) -> float:
        """GFLOP/s of one process, mask `all`."""
        return self.flops["all"] / self.all_in_turn / 1e9

    def whole(self, task: Task) -> float:
        """Seconds that the convolutions of all training steps of a task take."""
        return task.steps * sum(self.seconds[mask] for mask in task.masks)


def measure_limit(task: Path, out: Path, processes: int) -> Limit:
    """Measure in so many processes at once; raises `CalledProcessError` where one fails."""
    files = [out / f"limit-{processes}-{number}.json" for number in range(processes)]
    command = python("tests.benchmarks.yardstick.convolution_limit", str(task), "--out")
    running = [subprocess.Popen([*command, str(file)], cwd=ROOT, env=surroundings()) for file in files]
    for process in running:
        if code := process.wait():
            raise subprocess.CalledProcessError(code, process.args)
    return _mean_of([json.loads(file.read_text()) for file in files])


def _mean_of(tables: list[dict[str, Any]]) -> Limit:
    seconds = {mask: mean(table["seconds"][mask] for table in tables) for mask in tables[0]["seconds"]}
    step, in_turn = (mean(table[name] for table in tables) for name in ("thaw_step", "all_in_turn"))
    return Limit(len(tables), seconds, tables[0]["flops"], step, in_turn)


def limit_text(limit: Limit, task: Task, walls: Mapping[str, float]) -> str:
    """In words; `walls`: contender -> seconds of thaw with as many workers as there were processes."""
    alone, step, whole = 1000 * limit.all_in_turn, 1000 * limit.thaw_step, limit.whole(task)
    lines = [
        f"Convolutions alone, {limit.processes} at once: {limit.rate:.0f} GFLOP/s each; mask all "
        f"{alone:.1f} ms a step, {alone / step:.0%} of thaw's {step:.1f} ms",
        f"  all steps of {len(task.masks)} masks: {whole:.0f} s",
    ]
    for name, wall in walls.items():
        spent = wall * limit.processes
        lines.append(f"  {whole / spent:.0%} of the {spent:.0f} s that {name} takes (wall time x workers)")
    return "\n".join(lines)

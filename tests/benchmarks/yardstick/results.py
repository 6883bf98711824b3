"""What the yardstick has found so far, printed and kept as it comes: a run of hours may be stopped at any moment."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.benchmarks.yardstick.agreement import HEAD, Agreement, Scores, compare
from tests.benchmarks.yardstick.contenders import GRID, TOGETHER
from tests.benchmarks.yardstick.kind_table import Times, times_text
from tests.benchmarks.yardstick.limit_table import Limit, limit_text
from tests.benchmarks.yardstick.machine import machine
from tests.benchmarks.yardstick.measured_process import Usage
from tests.benchmarks.yardstick.profiles import Profile
from tests.benchmarks.yardstick.task import Task
from tests.benchmarks.yardstick.usage_table import middle, once, usage_text

LOOPS = (TOGETHER, GRID)  # the one that is run again with another seed first


@dataclass
class Results:
    """`runs`: contender -> seed, usage and scores of every round. `abouts`: contender -> what it is, in words.

    `again`: seed and scores of a loop with another seed, where no round had one. All numbers go to `file` at once.
    """

    profile: Profile
    task: Task
    file: Path | None = None
    abouts: dict[str, str] = field(default_factory=dict)
    runs: dict[str, list[tuple[int, Usage, Scores]]] = field(default_factory=dict)
    again: dict[str, Scores] = field(default_factory=dict)
    times: list[Times] = field(default_factory=list)
    limits: list[Limit] = field(default_factory=list)

    def add_run(self, name: str, about: str, number: int, used: Usage, scores: Scores) -> None:
        """A contender has done a round."""
        self.abouts[name] = about
        self.runs.setdefault(name, []).append((number, used, scores))
        self._say(f"round {number + 1}, {name}: {once(used)}")

    def took(self, name: str) -> Usage:
        """The medians over the rounds of a contender."""
        return middle([used for _, used, _ in self.runs[name]])

    def say_usage(self) -> None:
        """Print what all contenders took."""
        if self.runs:
            self._say("\n" + usage_text([(name, self.abouts[name], self.took(name)) for name in self.runs]))

    def loop_to_repeat(self) -> str | None:
        """The loop that has to run with another seed, so that one knows what chance alone does; None for none."""
        loop = next((name for name in LOOPS if name in self.runs), None)
        return loop if loop and len(self.runs[loop]) == 1 else None

    def agreements(self) -> list[Agreement]:
        """Every contender's scores against those of thaw, and two seeds of the loop against each other."""
        scores = {name: rounds[0][2] for name, rounds in self.runs.items()}
        thaw = next((name for name in scores if name not in LOOPS), None)
        pairs = [((name, thaw), scores[name], scores[thaw]) for name in scores if name != thaw] if thaw else []
        found = [compare(names, one, other) for names, one, other in pairs]
        for loop in LOOPS:
            seeds = [(seed, own) for seed, _, own in self.runs.get(loop, [])]
            seeds += [(1, self.again[loop])] if loop in self.again else []
            if len(seeds) > 1:
                found.append(compare((f"{loop} seed {seeds[0][0]}", f"seed {seeds[1][0]}"), seeds[0][1], seeds[1][1]))
        return found

    def say_agreements(self) -> None:
        """Print how far the scores lie apart."""
        if agreements := self.agreements():
            self._say("\n".join(["", HEAD, *map(str, agreements)]))

    def add_times(self, times: Times, used: Usage) -> None:
        """A watched sweep has ended."""
        self.times.append(times)
        name = f"b{times.workers}"
        beside = f"; unwatched: {self.took(name).processor:.0f} s of processor" if name in self.runs else ""
        self._say(f"\n{times_text(times)}\n(watched: {once(used)}{beside})")

    def add_limit(self, limit: Limit, crews: dict[str, int]) -> None:
        """The limit for a number of processes; `crews`: contender -> its workers."""
        self.limits.append(limit)
        walls = {name: self.took(name).wall for name in self.runs if crews[name] == limit.processes}
        self._say(f"\n{limit_text(limit, self.task, walls)}")

    def _say(self, text: str) -> None:
        print(text, flush=True)
        if self.file is not None:
            self.file.write_text(json.dumps(self._table(), indent=1))

    def _table(self) -> dict[str, Any]:
        return {
            "machine": machine(),
            "profile": self.profile.name,
            "images": self.profile.images,
            "task": asdict(self.task),
            "contenders": {
                name: [{"seed": seed, **asdict(used), "dice": _cells(scores)} for seed, used, scores in rounds]
                for name, rounds in self.runs.items()
            },
            "again": {name: _cells(scores) for name, scores in self.again.items()},
            "agreement": [asdict(agreement) for agreement in self.agreements()],
            "kinds": [asdict(one) for one in self.times],
            "limit": [asdict(one) | {"whole": one.whole(self.task)} for one in self.limits],
        }


def _cells(scores: Scores) -> list[tuple[str, int, float]]:
    return [(mask, epochs, dice) for (mask, epochs), dice in scores.items()]

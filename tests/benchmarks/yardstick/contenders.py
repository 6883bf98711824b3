"""Who takes part: the hand-written loop in two forms, and thaw with so many workers, of this checkout or of another."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.yardstick.agreement import Scores
from tests.benchmarks.yardstick.measured_process import Usage, measure, python, surroundings
from tests.benchmarks.yardstick.profiles import ROOT, Profile
from tests.benchmarks.yardstick.task import WEIGHTS

GRID, ANEW, TOGETHER = "a", "a-", "a+"
ABOUT = {
    GRID: "by hand: Optuna's grid, Keras, MLflow; one training for each mask and epoch count",
    ANEW: "the same, a network built and compiled for each fold",
    TOGETHER: "the same, one training for each mask, scored at every epoch count",
}


@dataclass(frozen=True)
class Contender:
    """One of those that run the task; `workers` is 0 for the hand-written loop, `root` thaw's checkout."""

    name: str
    workers: int = 0
    root: Path = ROOT

    @property
    def about(self) -> str:
        """What it is, in words."""
        where = "" if self.root == ROOT else f" of {self.name.partition(':')[0]}"
        return ABOUT.get(self.name) or f"thaw{where}, {self.workers} worker{'s' * (self.workers > 1)}"

    def run(self, profile: Profile, task: Path, out: Path, seed: int = 0) -> tuple[Usage, Scores]:
        """Run the whole task in an empty folder `out`; what it took, and the mean Dice by mask and epochs.

        `seed` draws batches and dropout of the hand-written loop; thaw has the seed of its spec.
        """
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir(parents=True)
        log = out.with_suffix(".log")
        if self.workers:
            home = out / "home"
            used = measure(python("sweeps.cli", *profile.thaw(task / WEIGHTS, home, self.workers)), self.root, log)
            scores = scores_of_home(home, self.root)
        else:
            used = measure(hand_written(self.name, task, out, seed), ROOT, log)
            scores = scores_of_loop(out)
        shutil.rmtree(out)
        return used, scores


def hand_written(name: str, task: Path, out: Path, seed: int) -> list[str]:
    """The command of the loop in one of its forms."""
    form = {ANEW: ["--anew"], TOGETHER: ["--together"]}.get(name, [])
    return python("tests.benchmarks.yardstick.hand_written", str(task), str(out), *form, "--seed", str(seed))


def scores_of_loop(out: Path) -> Scores:
    """What the hand-written loop left."""
    table: Mapping[str, Mapping[str, float]] = json.loads((out / "scores.json").read_text())
    return {(mask, int(epochs)): dice for mask, cells in table.items() for epochs, dice in cells.items()}


def scores_of_home(home: Path, root: Path) -> Scores:
    """What thaw reports of the only sweep in a home: its trials, without the baselines."""
    command = python("sweeps.cli", "report", "--home", str(home), "--format", "json")
    done = subprocess.run(command, cwd=root, env=surroundings(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    trials = json.loads(done.stdout)["trials"]
    return {(trial["mask"], trial["epochs"]): trial["dice"]["mean"] for trial in trials if trial["role"] == "trial"}


def contender(name: str, others: Mapping[str, Path]) -> Contender:
    """The contender of a name: `a`, `a+`, `b2`, or `before:b2` with the checkout that `others` has under `before`."""
    label, _, short = name.rpartition(":")
    if name in ABOUT:
        return Contender(name)
    if short.startswith("b") and short[1:].isdigit() and int(short[1:]) > 0 and (not label or label in others):
        return Contender(name, int(short[1:]), others.get(label, ROOT))
    raise SystemExit(
        f"Contenders are a, a-, a+ and bN (thaw with N workers), for --thaw LABEL=PATH LABEL:bN. Got {name!r}."
    )

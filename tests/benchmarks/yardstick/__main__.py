"""The yardstick: thaw against the loop written by hand, on the same task. `make bench [PROFILE=busi] [ROUNDS=3]`.

    python -m tests.benchmarks.yardstick [--profile quick] [--rounds N] [--only a+,b1,kinds] [--thaw before=PATH]

Contenders: `a`, Optuna's grid with Keras, scikit-learn and MLflow; `a-`, the same with a network built for each fold;
`a+`, with one training of a mask for all epoch counts; `bN`, thaw with N workers. All have the same masks,
folds, augmented images, starting weights and epochs, and each runs in a process of its own, in turn. `kinds` says what
thaw spends its time on, `limit` how long the convolutions alone take. docs/speed.md tells what to make of it.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.yardstick.contenders import GRID, TOGETHER, contender
from tests.benchmarks.yardstick.kind_table import read_times, watching
from tests.benchmarks.yardstick.limit_table import measure_limit
from tests.benchmarks.yardstick.machine import busy, machine
from tests.benchmarks.yardstick.measured_process import measure, python, run
from tests.benchmarks.yardstick.profiles import PROFILES, ROOT, Profile
from tests.benchmarks.yardstick.results import Results
from tests.benchmarks.yardstick.task import WEIGHTS, Task, read_task

KINDS, LIMIT = "kinds", "limit"
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
CREWS = sorted({1, CORES})  # numbers of workers
NOTES = """Not timed: pre-training, and making the augmented images of a and a+. thaw reads and augments them itself.
Besides, it trains all blocks from scratch, scores zero-shot, draws neurons, keeps every training, writes the report,
and refits and registers the winner. All that `thaw run` does by default is in its time."""


def main() -> None:
    """Prepare, run all rounds, compare; print and keep what is found as it comes."""
    given = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what runs just now ends, too
    profile = PROFILES[given.profile]
    folder = (given.folder or ROOT / "build" / "bench" / profile.name).resolve()
    others = {label: Path(path).resolve() for label, _, path in (text.partition("=") for text in given.thaw)}
    parts = given.only.split(",") if given.only else default_parts(list(others))
    contenders = [contender(name, others) for name in parts if name not in (KINDS, LIMIT)]
    results = Results(profile, prepared(profile, folder), given.json)
    print(f"Profile {profile.name}: {profile.images}; {results.task}\n{NOTES}\n{busy()}", flush=True)
    for number in range(given.rounds or profile.rounds):
        for one in contenders:
            name = f"{one.name.replace(':', '-')}-{number + 1}"
            results.add_run(one.name, one.about, number, *one.run(profile, folder, folder / "runs" / name, number))
    results.say_usage()
    if KINDS in parts:
        for crew in CREWS:
            watch(results, folder, crew)
    if LIMIT in parts:
        for crew in CREWS:
            limit = measure_limit(folder, folder / "runs", crew)
            results.add_limit(limit, {one.name: one.workers for one in contenders})
    if loop := results.loop_to_repeat():
        _, results.again[loop] = contender(loop, {}).run(profile, folder, folder / "runs" / "another-seed", seed=1)
    results.say_agreements()


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profile", choices=PROFILES, default="busi")
    parser.add_argument("--rounds", type=int, help="of every contender; the median counts")
    parser.add_argument(
        "--only", help="contenders and parts, joined by commas: a, a-, a+, b1, b2, before:b2, kinds, limit"
    )
    parser.add_argument(
        "--thaw", action="append", default=[], metavar="LABEL=PATH", help="thaw of another checkout too"
    )
    parser.add_argument("--folder", type=Path, help="where the task is kept (default: build/bench/PROFILE)")
    parser.add_argument("--json", type=Path, help="file for all numbers")
    return parser.parse_args()


def default_parts(labels: Sequence[str]) -> list[str]:
    """Everything: the loop in both forms, thaw with one worker and with one per core, here and elsewhere."""
    crews = [f"b{crew}" for crew in CREWS]
    return [GRID, TOGETHER, *crews, *(f"{label}:{crew}" for label in labels for crew in crews), KINDS, LIMIT]


def prepared(profile: Profile, folder: Path) -> Task:
    """The task of a profile, made in a process of its own, so that this one stays small."""
    shutil.rmtree(folder / "runs", ignore_errors=True)
    (folder / "runs").mkdir(parents=True)
    print(machine(), flush=True)
    command = python("tests.benchmarks.yardstick.preparation", profile.name, str(folder))
    run(command, folder / "runs" / "preparation.log")
    return read_task(folder)


def watch(results: Results, folder: Path, crew: int) -> None:
    """Run thaw with so many workers once more, its processes watched."""
    out = folder / "runs" / f"kinds-{crew}"
    command = python("sweeps.cli", *results.profile.thaw(folder / WEIGHTS, out / "home", crew))
    used = measure(command, ROOT, folder / "runs" / f"kinds-{crew}.log", watching(out / "watching"))
    results.add_times(read_times(out / "watching"), used)
    shutil.rmtree(out)


if __name__ == "__main__":
    main()

"""The yardstick: thaw against the loop written by hand, on the same task. `make bench [PROFILE=busi] [ROUNDS=3]`.

    python -m tests.benchmarks.yardstick [--profile quick] [--rounds N] [--only a+,b1,kinds] [--thaw before=PATH]

Contenders: `a`, Optuna's grid with Keras, scikit-learn and MLflow; `a+`, the same with one training of a mask for all
epoch counts; `bN`, thaw with N workers. All have the same masks, folds, augmented images, starting weights and epochs,
and each runs in a process of its own, in turn. `kinds` says what thaw spends its time on, `limit` how long the
convolutions alone take. docs/speed.md tells what to make of it.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.benchmarks.yardstick.agreement import HEAD, Agreement, Scores, compare
from tests.benchmarks.yardstick.contenders import GRID, TOGETHER, Contender, contender
from tests.benchmarks.yardstick.kind_table import Times, read_times, times_text, watching
from tests.benchmarks.yardstick.limit_table import Limit, limit_text, measure_limit
from tests.benchmarks.yardstick.machine import busy, machine
from tests.benchmarks.yardstick.measured_process import Usage, measure, python, run
from tests.benchmarks.yardstick.profiles import PROFILES, ROOT, Profile
from tests.benchmarks.yardstick.task import WEIGHTS, Task, read_task
from tests.benchmarks.yardstick.usage_table import middle, once, usage_text

KINDS, LIMIT = "kinds", "limit"
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
CREWS = sorted({1, CORES})  # numbers of workers
NOTES = """Not timed: pre-training, and making the augmented images of a and a+. thaw reads and augments them itself.
Besides, it trains all blocks from scratch, scores zero-shot, draws neurons, keeps every training, writes the report,
and refits and registers the winner. All that `thaw run` does by default is in its time."""

Runs = dict[str, list[tuple[int, Usage, Scores]]]  # contender -> seed, usage and scores of every round


def main() -> None:
    """Prepare, run all rounds, compare, and print."""
    given = arguments()
    profile = PROFILES[given.profile]
    folder = (given.folder or ROOT / "build" / "bench" / profile.name).resolve()
    others = {label: Path(path).resolve() for label, _, path in (text.partition("=") for text in given.thaw)}
    parts = given.only.split(",") if given.only else default_parts(list(others))
    contenders = [contender(name, others) for name in parts if name not in (KINDS, LIMIT)]
    shutil.rmtree(folder / "runs", ignore_errors=True)
    (folder / "runs").mkdir(parents=True)
    print(machine(), flush=True)
    run(
        python("tests.benchmarks.yardstick.preparation", profile.name, str(folder)), folder / "runs" / "preparation.log"
    )
    task = read_task(folder)
    print(f"Profile {profile.name}: {profile.images}; {task}\n{NOTES}\n{busy()}", flush=True)
    runs = run_rounds(profile, folder, contenders, given.rounds or profile.rounds)
    if runs:
        print("\n" + usage_text([(one.name, one.about, took(runs, one.name)) for one in contenders]))
    agreements = agree(profile, folder, runs)
    if agreements:
        print("\n".join(["", HEAD, *map(str, agreements)]), flush=True)
    times = [kinds(profile, folder, crew, runs) for crew in CREWS if KINDS in parts]
    limits = [limit(task, folder, crew, contenders, runs) for crew in CREWS if LIMIT in parts]
    if given.json:
        given.json.write_text(json.dumps(as_table(profile, task, runs, agreements, times, limits), indent=1))


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profile", choices=PROFILES, default="busi")
    parser.add_argument("--rounds", type=int, help="of every contender; the median counts")
    parser.add_argument("--only", help="contenders and parts, joined by commas: a, a+, b1, b2, before:b2, kinds, limit")
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


def run_rounds(profile: Profile, folder: Path, contenders: Sequence[Contender], rounds: int) -> Runs:
    """Run all contenders, one after the other, round by round; each round has a seed of its own."""
    runs: Runs = defaultdict(list)
    for number in range(rounds):
        for one in contenders:
            used, scores = one.run(
                profile, folder, folder / "runs" / f"{one.name.replace(':', '-')}-{number + 1}", number
            )
            runs[one.name].append((number, used, scores))
            print(f"round {number + 1}, {one.name}: {once(used)}", flush=True)
    return runs


def took(runs: Runs, name: str) -> Usage:
    """The medians over the rounds of a contender."""
    return middle([used for _, used, _ in runs[name]])


def agree(profile: Profile, folder: Path, runs: Runs) -> list[Agreement]:
    """Every contender's scores against thaw's, and how far two seeds of the loop lie apart by chance alone."""
    agreements = []
    thaws = [name for name in runs if name not in (GRID, TOGETHER)]
    for name, rounds in runs.items() if thaws else ():
        if name != thaws[0]:
            agreements.append(compare((name, thaws[0]), rounds[0][2], runs[thaws[0]][0][2]))
    if loop := next((name for name in (TOGETHER, GRID) if name in runs), None):
        first, *more = runs[loop]
        if not more:
            again = contender(loop, {}).run(profile, folder, folder / "runs" / "another-seed", seed=1)
            more = [(1, *again)]
        agreements.append(compare((f"{loop} seed 0", f"seed {more[0][0]}"), first[2], more[0][2]))
    return agreements


def kinds(profile: Profile, folder: Path, crew: int, runs: Runs) -> Times:
    """A watched run of thaw, and the table of what it found."""
    out = folder / "runs" / f"kinds-{crew}"
    command = python("sweeps.cli", *profile.thaw(folder / WEIGHTS, out / "home", crew))
    used = measure(command, ROOT, folder / "runs" / f"kinds-{crew}.log", watching(out / "watching"))
    times = read_times(out / "watching")
    shutil.rmtree(out)
    print(f"\n{times_text(times)}")
    if f"b{crew}" in runs:
        unwatched = took(runs, f"b{crew}").processor
        print(f"(watched: {once(used)}; unwatched: {unwatched:.0f} s of processor)", flush=True)
    return times


def limit(task: Task, folder: Path, crew: int, contenders: Sequence[Contender], runs: Runs) -> Limit:
    """The convolutions alone, in as many processes as there are workers, and how much of thaw's time that is."""
    measured = measure_limit(folder, folder / "runs", crew)
    walls = {one.name: took(runs, one.name).wall for one in contenders if one.workers == crew}
    print(f"\n{limit_text(measured, task, walls)}", flush=True)
    return measured


def as_table(
    profile: Profile, task: Task, runs: Runs, agreements: list[Agreement], times: list[Times], limits: list[Limit]
) -> dict[str, Any]:
    """All numbers, for `--json`."""
    return {
        "machine": machine(),
        "profile": profile.name,
        "images": profile.images,
        "task": asdict(task),
        "contenders": {
            name: [
                {"seed": seed, **asdict(used), "dice": [[*cell, dice] for cell, dice in scores.items()]}
                for seed, used, scores in rounds
            ]
            for name, rounds in runs.items()
        },
        "agreement": [asdict(agreement) for agreement in agreements],
        "kinds": [asdict(one) for one in times],
        "limit": [asdict(one) | {"whole": one.whole(task)} for one in limits],
    }


if __name__ == "__main__":
    main()

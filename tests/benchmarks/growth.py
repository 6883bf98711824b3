"""How what a trial takes grows with the trials that are there, and what `thaw report` and `thaw best` take of many.

    PYTHONPATH=. .venv/bin/python tests/benchmarks/growth.py [--folder FOLDER] trial [SIZES ...]
    PYTHONPATH=. .venv/bin/python tests/benchmarks/growth.py [--folder FOLDER] read [TRIALS]
    PYTHONPATH=. .venv/bin/python tests/benchmarks/growth.py [--folder FOLDER] served [TRIALS]

`trial`: processor seconds of opening a trial, of recording it, of handing a candidate out and taking its score back, of
going on with a sweep up to its first worker, and of a strategy's next proposal, for 17, 170, 1,700 and 10,000 trials
beside each other. `read`: seconds and peak memory of `thaw report` (JSON, HTML) and `thaw best` on 10,000 trials in
SQLite. `served`: the same on 1,000 through a MLflow server on this machine, with the number of requests and the seconds
inside them. Nothing is trained: trials of 30 images are made up, their rows written straight into SQLite
(`read_many.make_home`); `FOLDER` keeps them between runs.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice, product
from pathlib import Path

import numpy as np
from optuna.distributions import distribution_to_json
from optuna.trial import FrozenTrial

from sweeps.engines import optuna_queue
from sweeps.engines.optuna_trials import to_frozen_trial
from sweeps.run.enlist import past_trials
from sweeps.spec.search_section import Search
from sweeps.spec.space import Space, space_of
from sweeps.strategies.history import Claim, History, PastTrial, Scored
from sweeps.strategies.list_windows import next_of_list, not_handed_out
from sweeps.strategies.propose import strategy_of
from tests.benchmarks import read_many
from tests.tracking.made_up import BLOCK_PARAMS
from tracking.record import TrialInfo
from tracking.store.writer import Tracker
from trainer.candidate import Candidate
from trainer.config import Settings
from trainer.masks import names, orders_and_depths, parse

SIZES, IMAGES, MORE = (17, 170, 1700, 10_000), 30, 20
EPOCHS, RATES = (3, 6, 12, 24, 48), (1e-4, 3e-4, 1e-3, 3e-3, 1e-2)
COMMAND = """
import json, resource, sys, time
import requests
times = []
send = requests.Session.request
def counted(*args, **kwargs):
    began = time.perf_counter()
    try:
        return send(*args, **kwargs)
    finally:
        times.append(time.perf_counter() - began)
requests.Session.request = counted
from mlflow import MlflowClient
inside = []
for name in ("search_runs", "get_run", "search_experiments", "download_artifacts", "list_artifacts"):
    def timed(*args, _call=getattr(MlflowClient, name), **kwargs):
        began = time.perf_counter()
        try:
            return _call(*args, **kwargs)
        finally:
            inside.append(time.perf_counter() - began)
    setattr(MlflowClient, name, timed)
from sweeps.cli import app
began = time.perf_counter()
app(sys.argv[1:], standalone_mode=False)
memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps([time.perf_counter() - began, time.process_time(), memory, len(times), sum(inside)]), file=sys.stderr)
"""


def space() -> Space:
    """12,775 candidates: all sets of nine blocks at 25 settings."""
    return space_of(Search(space="subsets", epochs=EPOCHS, learning_rate=RATES), BLOCK_PARAMS, Settings())


def trials() -> Iterator[TrialInfo]:
    """The candidates of the space, all sets at one setting, then at the next."""
    searched = space()
    for epochs, rate in product(EPOCHS, RATES):
        for mask, thawed in zip(searched.masks, searched.parameters, strict=True):
            candidate = searched.candidate(mask, epochs, rate)
            yield TrialInfo(candidate, mask.blocks, orders_and_depths(mask), names(mask), thawed)


def home_of(folder: Path, size: int) -> Path:
    """A home with so many recorded trials, made where it is not there yet."""
    home = folder / f"home-{size}"
    if not (home / "whole").exists():
        shutil.rmtree(home, ignore_errors=True)
        read_many.make_home(home, size, IMAGES, trials())
        (home / "whole").touch()
    return home


def past(size: int) -> tuple[PastTrial, ...]:
    """So many trials with a score, in random order."""
    draw, every = np.random.default_rng(0), list(space().candidates())
    return tuple(
        PastTrial(every[index], "done", 0.4 + 0.03 * len(parse(every[index].mask, 9).blocks) + 0.01 * draw.normal(), 5)
        for index in draw.permutation(len(every))[:size]
    )


def study_of(folder: Path, size: int, trials: Sequence[PastTrial] = (), name: str = "study") -> str:
    """The address of a study with so many finished trials, filled where it is not there yet."""
    file = folder / f"{name}-{size}.db"
    url = f"sqlite:///{file}"
    if not file.with_suffix(".whole").exists():
        file.unlink(missing_ok=True)
        trials = trials or past(size)
        optuna_queue.fill(url, "s", "digest", trials[:1], 9)
        with sqlite3.connect(file) as database:
            for number, trial in enumerate(trials[1:], 1):
                _insert(database, number, to_frozen_trial(trial, 9))
        assert list(optuna_queue.history(url, "s")) == list(trials)
        file.with_suffix(".whole").touch()
    return url


def _insert(database: sqlite3.Connection, number: int, trial: FrozenTrial) -> None:
    """The rows that Optuna makes of a finished trial, a tenth of a second each by itself."""
    trial_id, when = number + 1, trial.datetime_start.isoformat(" ") if trial.datetime_start else ""
    database.execute(
        "insert into trials (trial_id, number, study_id, state, datetime_start, datetime_complete) "
        "values (?, ?, 1, ?, ?, ?)",
        (trial_id, number, trial.state.name, when, when),
    )
    database.executemany(
        "insert into trial_params (trial_id, param_name, param_value, distribution_json) values (?, ?, ?, ?)",
        [
            (trial_id, name, kind.to_internal_repr(trial.params[name]), distribution_to_json(kind))
            for name, kind in trial.distributions.items()
        ],
    )
    database.executemany(
        "insert into trial_user_attributes (trial_id, key, value_json) values (?, ?, ?)",
        [(trial_id, key, json.dumps(value)) for key, value in trial.user_attrs.items()],
    )
    database.execute(
        "insert into trial_values (trial_id, objective, value, value_type) values (?, 0, ?, 'FINITE')",
        (trial_id, trial.value),
    )


def seconds(act: Callable[[], object], times: int = 1) -> float:
    """Processor seconds of one time."""
    began = time.process_time()
    for _ in range(times):
        act()
    return (time.process_time() - began) / times


def measure_recording(folder: Path, size: int) -> dict[str, float]:
    """Opening and recording more trials of a sweep that has so many, on a copy of its database."""
    home, taken = home_of(folder, size), folder / "copy"
    taken.mkdir(exist_ok=True)
    shutil.copy(home / "mlflow.db", taken / "mlflow.db")
    tracker = Tracker.connect(f"sqlite:///{taken / 'mlflow.db'}", taken / "artifacts")
    sweep = tracker._sweep_run(None).info.run_id
    results = read_many.results_of(next(trials()), read_many.large_sweep(IMAGES), np.random.default_rng(1))
    more = iter(list(islice(trials(), size, size + 2 * MORE)))
    opened: list[str] = []

    def look_up_and_open() -> None:
        info = next(more)
        assert tracker.trial(sweep, info.candidate) is None
        opened.append(tracker.open_trial(sweep, info))

    def record() -> None:
        run = opened.pop()
        for result in results:
            tracker.log_fold(run, result)
        tracker.finish_trial(run, results, b"")

    return {"open": seconds(look_up_and_open, MORE), "record": seconds(record, MORE)}


def measure_queue(folder: Path, size: int) -> dict[str, float]:
    """Handing out the next window of a list, one by one, with a study that has so many trials."""
    copy = folder / "copy.db"
    shutil.copy(study_of(folder, size).removeprefix("sqlite:///"), copy)
    taken = {trial.candidate for trial in past(size)}
    wanted = list(islice((one for one in space().candidates() if one not in taken), MORE))

    def evaluate(candidate: Candidate, claim: Claim) -> Scored:
        return Scored(0.5, 5, 1.0, 100)

    more = next_of_list(wanted)
    return {"queue": seconds(lambda: optuna_queue.drain(f"sqlite:///{copy}", "s", evaluate, 9, more)) / MORE}


def measure_resuming(folder: Path, size: int) -> dict[str, float]:
    """Going on with a sweep that has so many trials, all of them, up to the first worker, as `enlist` does."""
    home = home_of(folder, size)
    tracker = Tracker.connect(f"sqlite:///{home / 'mlflow.db'}", home / "artifacts")
    sweep = tracker._sweep_run(None).info.run_id
    url = study_of(folder, size, past_trials(tracker.trials(sweep).values()), "recorded")
    wanted = list(space().candidates())

    def resume() -> None:
        known = past_trials(tracker.trials(sweep).values())
        optuna_queue.fill(url, "s", "digest", known, 9)
        new = list(not_handed_out(wanted, optuna_queue.history(url, "s")))
        assert len(new) == len(wanted) - size

    return {"resume, whole": seconds(resume)}


def measure_proposals(size: int) -> dict[str, float]:
    """The next proposal of some strategies after so many trials."""
    history, searched = History(past(size)), space()
    strategies = {name: strategy_of(name) for name in ("guided", "tpe", "greedy", "nsga2")}
    for strategy in strategies.values():
        strategy(searched, History(history.trials[:3]), 0)  # what is made once
    return {
        name: seconds(lambda strategy=strategy: strategy(searched, history, 0))  # type: ignore[misc]
        for name, strategy in strategies.items()
    }


def show_trials(folder: Path, sizes: list[int]) -> None:
    """The processor seconds of a trial at each size, side by side."""
    table = {
        size: measure_recording(folder, size)
        | measure_queue(folder, size)
        | measure_resuming(folder, size)
        | measure_proposals(size)
        for size in sizes
    }
    print(f"{'trials there':<14}", *(f"{size:>9,}" for size in sizes))
    for what in table[sizes[0]]:
        print(f"{what:<14}", *(f"{table[size][what]:>9.4f}" for size in sizes))


def run(what: str, *arguments: str, environment: dict[str, str] | None = None) -> None:
    """One command in a process of its own, and what it took."""
    command = [sys.executable, "-c", COMMAND, *arguments]
    done = subprocess.run(
        command, cwd=read_many.ROOT, capture_output=True, text=True, check=True, env=environment and {**environment}
    )
    clock, processor, memory, requests, inside = json.loads(done.stderr.splitlines()[-1])
    print(
        f"{what:<14} {clock:6.1f} s, {processor:6.1f} s of the processor, {memory:5.0f} MB, {requests:3.0f} requests, "
        f"{inside:5.1f} s inside MLflow",
        flush=True,
    )


def show_reading(home: Path, out: Path, environment: dict[str, str] | None = None) -> None:
    """Report and best of a home."""
    at = ("--home", str(home))
    run("report --json", "report", *at, "--format", "json", environment=environment)
    run("report --out", "report", *at, "--out", str(out), environment=environment)
    run("best", "best", *at, environment=environment)
    print(f"the page has {(out / 'report.html').stat().st_size / 1e6:.1f} MB")


def show_served(folder: Path, size: int) -> None:
    """The same through an MLflow server, which has the home's runs and artifacts."""
    home = home_of(folder, size)
    with read_many.served(home, home / "artifacts") as address, tempfile.TemporaryDirectory() as temporary:
        show_reading(Path(temporary) / "home", Path(temporary) / "out", os.environ | {"MLFLOW_TRACKING_URI": address})


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("what", choices=["trial", "read", "served"])
    parser.add_argument("sizes", type=int, nargs="*")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = asked.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        if asked.what == "trial":
            show_trials(folder, asked.sizes or list(SIZES))
        elif asked.what == "read":
            show_reading(home_of(folder, (asked.sizes or [10_000])[0]), folder / "out")
        else:
            show_served(folder, (asked.sizes or [1000])[0])


if __name__ == "__main__":
    main()

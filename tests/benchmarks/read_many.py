"""What it takes to read a large sweep: its scores from tags, and from one artifact per trial (what was before).

    PYTHONPATH=. .venv/bin/python tests/benchmarks/read_many.py [TRIALS] [IMAGES] [--server]

Makes a sweep of made-up trials over all sets of nine blocks (its rows straight into SQLite, in seconds) and reads it
twice: as it is written today, and without the tags. 2000 trials of 160 images, unless told. Every measurement has a
process of its own: processor seconds of `read_sweep` and of a whole `thaw report --format json`, and the peak of memory
with all libraries. The two reports must be equal. With `--server`, the seconds of `read_sweep` by the clock through a
real MLflow server on this machine; a server further away makes each of its requests longer.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count, islice
from pathlib import Path

import numpy as np

from sweeps.environment.home import open_home
from tests.servers import mlflow_server
from tests.tracking.made_up import BLOCK_PARAMS, sweep_info
from tracking.record import SweepInfo, TrialInfo
from tracking.store import schema
from tracking.store.score_tags import TAG, scores_to_tags
from tracking.store.writer import Tracker
from trainer.candidate import Candidate
from trainer.masks import Mask, names, orders_and_depths
from trainer.results import FoldResult, Score

ROOT = Path(__file__).parents[2]
FOLDS, PIXELS = 5, 128 * 128
READING = """
import resource, sys, time
from tracking.store.writer import Tracker
tracker = Tracker.connect(sys.argv[1])
start, clock = time.process_time(), time.perf_counter()
record = tracker.read_sweep()
print(time.process_time() - start, time.perf_counter() - clock)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, len(record.trials))
"""
REPORTING = """
import resource, sys, time
from sweeps.cli import app
app(["report", "--home", sys.argv[1], "--format", "json"], standalone_mode=False)
print(time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, file=sys.stderr)
"""


@dataclass(frozen=True)
class Measured:
    """Processor seconds and peak memory in MB, of `read_sweep` and of a whole report, and the report's text."""

    read: float
    read_memory: float
    report: float
    report_memory: float
    text: str


def large_sweep(images: int) -> SweepInfo:
    """A search over all sets of nine blocks, on so many images in five folds."""
    cases = [[f"benign/scan {number}" for number in range(fold, images, FOLDS)] for fold in range(FOLDS)]
    labels = [["benign" for _ in fold] for fold in cases]
    return replace(sweep_info("large"), folds=cases, labels=labels, spec={"search": {"strategy": "random"}})


def trials() -> Iterator[TrialInfo]:
    """Endless candidates: all 511 sets of blocks at one epoch, then at two, and so on."""
    for epochs in count(1):
        for bits in range(1, 512):
            mask = Mask(tuple(block for block in range(1, 10) if bits >> block - 1 & 1), 9)
            params = sum(BLOCK_PARAMS[block - 1] for block in mask.blocks)
            yield TrialInfo(
                Candidate(str(mask), epochs, 1e-3), mask.blocks, orders_and_depths(mask), names(mask), params
            )


def results_of(info: TrialInfo, sweep: SweepInfo, draw: np.random.Generator) -> list[FoldResult]:
    """Made-up counts whose Dice rises with the blocks and the epochs."""
    level = 0.4 + 0.03 * len(info.blocks) + 0.02 * min(info.candidate.epochs, 10)
    return [
        FoldResult(
            fold,
            info.candidate.epochs,
            tuple(_score(case, level + 0.05 * draw.normal(), draw) for case in cases),
            (0.5,) * info.candidate.epochs,
            80,
            1.0,
            1,
        )
        for fold, cases in enumerate(sweep.folds, 1)
    ]


def _score(case: str, dice: float, draw: np.random.Generator) -> Score:
    truth = int(draw.integers(300, 4000))
    hit = round(truth * min(max(dice, 0), 1))
    distances = 20 * (1 - dice), min(max(dice, 0), 1)
    return Score.of_counts(case, "benign", hit, truth - hit, truth - hit, PIXELS - 2 * truth + hit, *distances)


def make_home(home: Path, n_trials: int, images: int, infos: Iterable[TrialInfo] = ()) -> None:
    """A home with one finished sweep of so many trials, the first of `infos` (`trials()` by default)."""
    open_home(home)
    tracker = Tracker.connect(f"sqlite:///{home / 'mlflow.db'}", home / "artifacts")
    sweep, draw = large_sweep(images), np.random.default_rng(0)
    parent = tracker.open_sweep(sweep)
    with sqlite3.connect(home / "mlflow.db") as database:
        for number, info in enumerate(islice(infos or trials(), n_trials)):
            _insert(database, parent, number, info, results_of(info, sweep, draw))
    tracker.finish_sweep(parent, "")


def _insert(database: sqlite3.Connection, parent: str, number: int, info: TrialInfo, results: list[FoldResult]) -> None:
    """The rows and the artifact that `Tracker` makes of a finished trial; the run's own row after the parent's."""
    run = f"{number:032x}"
    row = database.execute("select * from runs where run_uuid = ?", [parent])
    columns = [column[0] for column in row.description]
    values = dict(zip(columns, row.fetchone(), strict=True))
    where = str(values["artifact_uri"]).replace(parent, run)
    values |= {"run_uuid": run, "name": info.candidate.name, "status": "FINISHED", "artifact_uri": where}
    values |= {"start_time": number, "end_time": number + 1}
    database.execute(f"insert into runs values ({', '.join('?' * len(columns))})", list(values.values()))
    params = schema.trial_params(info)
    tags = {
        "mlflow.parentRunId": parent,
        "mlflow.runName": info.candidate.name,
        "thaw.kind": "trial",
        "thaw.synthetic": "true",
        schema.VERSION_TAG: str(schema.TRIAL_VERSION),
        "thaw.candidate": info.candidate.key,
        "thaw.trial": schema.trial_to_json(info),
        **{f"thaw.{key}": params[key] for key in ("mask", "order", "depth", "epochs")},
        **scores_to_tags([(result.fold, score) for result in results for score in result.scores]),
    }
    points = {key: value for result in results for key, value, _ in schema.fold_metrics(result)}
    points |= schema.summary_metrics(results) | {"trainable_params": info.trainable_params}
    database.executemany(
        "insert into tags (key, value, run_uuid) values (?, ?, ?)", [(key, value, run) for key, value in tags.items()]
    )
    database.executemany(
        "insert into params (key, value, run_uuid) values (?, ?, ?)",
        [(key, value, run) for key, value in params.items()],
    )
    database.executemany(
        "insert into latest_metrics (key, value, timestamp, step, is_nan, run_uuid) values (?, ?, 0, 0, ?, ?)",
        [(key, 0.0 if math.isnan(value) else value, math.isnan(value), run) for key, value in points.items()],
    )
    folder = Path(where.removeprefix("file://"))
    folder.mkdir(parents=True)
    (folder / "scores.json").write_text(schema.scores_to_table(results))


def without_tags(home: Path, to: Path) -> None:
    """The same home as it was before its scores stood in tags; the artifacts stay where they are."""
    to.mkdir()
    for name in ("mlflow.db", "home.json"):
        if (home / name).exists():
            shutil.copy(home / name, to / name)
    with sqlite3.connect(to / "mlflow.db") as database:
        database.execute("delete from tags where key like ?", [f"{TAG}%"])


def measure(home: Path) -> Measured:
    """Read the home's sweep, then report it, each in a process of its own."""
    read, _, read_memory, _ = _run(READING, f"sqlite:///{home / 'mlflow.db'}").stdout.split()
    report = _run(REPORTING, str(home))
    seconds, memory = report.stderr.split()[-2:]
    return Measured(float(read), float(read_memory), float(seconds), float(memory), report.stdout)


@contextmanager
def served(home: Path, artifacts: Path) -> Iterator[str]:
    """The address of an MLflow server on this machine that has a home's runs and their `artifacts`."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        database = folder / "mlflow.db"
        shutil.copy(home / "mlflow.db", database)
        (folder / "mlflow").mkdir()
        (folder / "mlflow" / "artifacts").symlink_to(artifacts.resolve())  # where `mlflow_server` keeps them
        for table, column in (("runs", "artifact_uri"), ("experiments", "artifact_location")):
            with sqlite3.connect(database) as connection:
                change = f"update {table} set {column} = replace({column}, ?, 'mlflow-artifacts:')"
                connection.execute(change, [artifacts.resolve().as_uri()])
        with mlflow_server(folder, f"sqlite:///{database}") as server:
            yield server.address


def seconds_through_a_server(home: Path, artifacts: Path) -> float:
    """The time of `read_sweep` by the clock, through a server that has the home's runs and their `artifacts`."""
    with served(home, artifacts) as address:
        return float(_run(READING, address).stdout.split()[1])


def _run(code: str, what: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, what]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)


def show(trials: int, images: int, folder: Path, server: bool) -> None:
    """Make both homes, measure both, print them side by side."""
    start = time.perf_counter()
    make_home(folder / "tags", trials, images)
    without_tags(folder / "tags", folder / "artifacts-only")
    print(f"{trials} trials of {images} images, made in {time.perf_counter() - start:.0f} s")
    if server:
        homes = (folder / "artifacts-only", folder / "tags")
        old, new = (seconds_through_a_server(home, folder / "tags" / "artifacts") for home in homes)
        print(f"through a server artifacts {old:7.1f} s   tags {new:8.1f} s   ratio {old / new:5.1f}")
        return
    before, after = measure(folder / "artifacts-only"), measure(folder / "tags")
    assert _numbers(before.text) == _numbers(after.text), "the two reports differ"
    for name, old, new, unit in (
        ("read_sweep", before.read, after.read, "s"),
        ("  peak memory", before.read_memory, after.read_memory, "MB"),
        ("thaw report", before.report, after.report, "s"),
        ("  peak memory", before.report_memory, after.report_memory, "MB"),
    ):
        print(f"{name:<15} artifacts {old:8.1f} {unit:<2}  tags {new:8.1f} {unit:<2}  ratio {old / new:5.1f}")


def _numbers(text: str) -> object:
    report = json.loads(text)
    report.pop("provenance")
    return report


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trials", type=int, nargs="?", default=2000)
    parser.add_argument("images", type=int, nargs="?", default=160)
    parser.add_argument("--server", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        show(asked.trials, asked.images, Path(temporary), asked.server)

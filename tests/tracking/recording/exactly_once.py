"""Everything is recorded exactly once, whatever call fails, before or after it took effect, and whoever dies.

    python -m tests.tracking.recording.exactly_once --cases 1000 [--seed 0]

One case: workers, each with a home of its own, record a few trials through spools to an MLflow server in memory. Calls
fail at random, singly or for a while; a worker is killed inside a call or between two, and started again; a trial is
taken over by another worker while the first goes on with it. At the end the record is compared with what was trained.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from itertools import count
from pathlib import Path

from tests.tracking.made_up import fold_results, trial_info
from tests.tracking.recording.fake_mlflow import FakeServer, FakeTracker, gone
from tracking.attempt import Attempt
from tracking.record import TrialInfo
from tracking.recording.contract import Ending
from tracking.recording.spool import undelivered
from tracking.recording.spooled import SpooledRecorder
from tracking.store import schema
from tracking.store.attempts import FOLDS as FOLDS_TAG
from tracking.store.attempts import TRAINING
from trainer.errors import LeaseLost
from trainer.results import FoldResult

FOLDS = 3
TRIALS = [trial_info("shallow-first", 2, 3), trial_info("shallow-first", 2, 2), trial_info("deep-first", 4, 3)]


class Killed(BaseException):
    """The worker's process ends here."""


@cache
def results_of(key: str) -> Sequence[FoldResult]:
    """What training a trial gives: the same for every attempt."""
    info = next(one for one in TRIALS if one.candidate.key == key)
    return [replace(result, scores=result.scores[:2], traces=0) for result in fold_results(info)[:FOLDS]]


@cache
def png() -> bytes:
    """A picture of four pixels."""
    import io

    from PIL import Image

    buffer = io.BytesIO()
    Image.new("L", (2, 2)).save(buffer, "png")
    return buffer.getvalue()


def file_of(info: TrialInfo, fold: int, epochs: int) -> bytes:
    """What a ledger keeps of a fold."""
    return f"{info.candidate.training} {fold} {epochs}".encode()


@dataclass
class Faults:
    """Lets a `share` of all calls fail, while `down` all, and ends the worker inside some; `left` faults in all."""

    draw: random.Random
    share: float
    kill: float
    left: int = 40
    down: int = 0

    def __call__(self, call: str, done: bool) -> None:
        if self.down > 0:
            self.down -= 1
            raise gone()
        chance = self.draw.random()
        if self.left > 0 and chance < self.kill:
            self.left -= 8
            raise Killed
        if self.left > 0 and chance < self.kill + self.share:
            self.left -= 1
            self.down = self.draw.choice([0, 0, 0, 3, 12])
            raise gone()

    def end(self) -> None:
        """No more of them."""
        self.left = self.down = 0


@dataclass
class Home:
    """A worker's home: its spool and its ledger, which outlive it."""

    root: Path
    ledger: set[tuple[str, int, int]] = field(default_factory=set)


@dataclass
class Case:
    """One case, and what is known to be true in it."""

    draw: random.Random
    folder: Path
    server: FakeServer = field(default_factory=FakeServer)
    numbers: count[int] = field(default_factory=count)
    trained: Counter[tuple[str, int, int]] = field(default_factory=Counter)
    wasted: list[str] = field(default_factory=list)
    owner: dict[str, int] = field(default_factory=dict)  # what the study says: candidate -> the newest attempt
    blind: bool = False  # the fence lets everybody through: MLflow alone must keep the attempts apart

    def run(self) -> None:
        """Let two homes work off all trials, then check the record."""
        faults = Faults(self.draw, self.draw.choice([0.0, 0.02, 0.05, 0.15]), self.draw.choice([0.0, 0.01, 0.03]))
        self.server.fault, self.blind = faults, self.draw.random() < 0.5
        homes = [Home(self.folder / name) for name in ("one", "two")]
        ends = {info.candidate.key: self.draw.choice(["finish", "finish", "fail", "drop"]) for info in TRIALS}
        for info in TRIALS:
            self.try_until_ended(info, ends[info.candidate.key], homes)
        faults.end()
        for home in homes:
            self.recorder(home).close()
        self.check(ends, homes)

    def recorder(self, home: Home) -> SpooledRecorder:
        """A new worker in a home. The sweep's run is read while the server is there, as a worker's start demands."""
        fault, self.server.fault = self.server.fault, lambda call, done: None
        tracker = FakeTracker(self.server)
        folder = home.root / "spool" / "s"
        recorder = SpooledRecorder(tracker, "sweep", folder, lambda text: None, (2, 3), patience=600, pause=0.001)
        self.server.fault = fault
        return recorder

    def try_until_ended(self, info: TrialInfo, end: str, homes: Sequence[Home]) -> None:
        """Attempts at one trial by workers that may die, until one ends it."""
        first = True
        while True:
            home = self.draw.choice(homes)
            recorder = self.recorder(home)
            attempt = self.new_attempt(info, first)
            try:
                self.attempt(recorder, home, info, end, attempt)
                self.still_mine(info, attempt.number)  # what the study says when it is told
                if self.draw.random() < 0.7:  # else it dies with what it has spooled
                    recorder.close()
                else:
                    die(recorder)
                return
            except (Killed, LeaseLost):
                die(recorder)
                first = False

    def new_attempt(self, info: TrialInfo, first: bool) -> Attempt:
        """The study hands the trial out."""
        number = self.owner[info.candidate.key] = next(self.numbers)
        fence = (lambda: None) if self.blind else partial(self.still_mine, info, number)
        return Attempt(number, fence, first)

    def still_mine(self, info: TrialInfo, number: int | None) -> None:
        """What the study says of an attempt."""
        if self.owner[info.candidate.key] != number:
            raise LeaseLost("taken over")

    def attempt(self, recorder: SpooledRecorder, home: Home, info: TrialInfo, end: str, attempt: Attempt) -> None:
        """One attempt; a rival may take the trial over on the way, and this one, that knows nothing of it, goes on."""
        state = recorder.look(info.candidate, attempt)
        if state is not None and state.status == "FINISHED":
            return
        trial = recorder.open(info, attempt)
        for result in results_of(info.candidate.key):
            for epochs in (2, 3)[: 1 + (info.candidate.epochs == 3)]:
                place = info.candidate.training, result.fold, epochs
                if place not in home.ledger:
                    self.fetch_or_train(list(trial.kept(result.fold)), home, info, place)
                trial.fold(replace(result, epochs=epochs), partial(file_of, info, result.fold, epochs))
            if self.draw.random() < 0.05:
                raise Killed
            if self.draw.random() < 0.05:
                self.take_over(Home(self.folder / f"rival {next(self.numbers)}"), info)
        if end == "finish":
            ending = Ending(results_of(info.candidate.key), png(), {"am/1/0": png()}, b"packed", [("fold_1.npz", b"w")])
            trial.finish(ending)
        elif end == "fail":
            trial.fail("diverged")
        else:
            trial.drop("worse", 0.5)

    def fetch_or_train(self, kept: Sequence[bytes], home: Home, info: TrialInfo, place: tuple[str, int, int]) -> None:
        training, fold, epochs = place
        for content in kept:
            text = content.decode().split()
            assert text[:2] == [training, str(fold)]
            home.ledger.add((training, fold, int(text[2])))
        if place not in home.ledger:
            runs = [run for run in self.server.runs.values() if run.active and run.tags.get(TRAINING) == training]
            if any(f'"{fold}":' in run.tags.get(f"{FOLDS_TAG}{epochs}", "") for run in runs):
                self.wasted.append(f"{place} was recorded, and trained again")
            self.trained[place] += 1
            home.ledger.add(place)

    def take_over(self, home: Home, info: TrialInfo) -> None:
        """Another worker opens the trial, and dies."""
        recorder = self.recorder(home)
        try:
            recorder.open(info, self.new_attempt(info, first=False))
        except (Killed, LeaseLost):
            pass
        finally:
            die(recorder)

    def check(self, ends: dict[str, str], homes: Sequence[Home]) -> None:
        """One run of every trial, every point once and of the right value, every file once, nothing left in a spool."""
        states = FakeTracker(self.server).trials("sweep")
        for info in TRIALS:
            key = info.candidate.key
            (run,) = self.server.active(key)
            end = {"finish": "FINISHED", "fail": "FAILED", "drop": "DROPPED"}[ends[key]]
            assert states[key].status == end, (states[key], end)
            results = results_of(key)
            points = [point for result in results for point in schema.fold_metrics(result)]
            points.append(("trainable_params", info.trainable_params, 0))
            if end == "FINISHED":
                summary = schema.summary_metrics(results)
                points += [(name, value, info.candidate.epochs) for name, value in summary.items()]
                self.check_files(list(run.files))
            written = sorted((point.key, repr(float(point.value)), point.step) for point in run.points)
            assert written == sorted((name, repr(float(value)), step) for name, value, step in points)
        assert not self.wasted, self.wasted
        for home in homes:
            assert list(undelivered(home.root)) == []

    def check_files(self, paths: Sequence[str]) -> None:
        wanted = ["predictions.npz", "scores.json", "checkpoints/fold_1.npz"]
        assert sorted(path for path in paths if not path.startswith(("images/", "folds/"))) == sorted(wanted)
        images = Counter(path.split("+")[0] for path in paths if path.startswith("images/"))
        assert images == {"images/am~1~0": 2, "images/montage": 2}, paths


def die(recorder: SpooledRecorder) -> None:
    """What the death of a process leaves: its thread ends, its locks open, its files stay."""
    delivery = recorder._sweep.delivery
    delivery._ended = True
    with delivery._changed:
        delivery._changed.notify_all()
    delivery._thread.join()
    delivery._spool._open.close()


def run_case(seed: int) -> None:
    """One case of a seed. Raises `AssertionError` where something is missing or doubled."""
    with tempfile.TemporaryDirectory() as folder:
        Case(random.Random(seed), Path(folder)).run()


def main() -> None:
    """Run the cases, and say how many held."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    began = time.perf_counter()
    for seed in range(options.seed, options.seed + options.cases):
        try:
            run_case(seed)
        except BaseException:
            print(f"case {seed} failed")
            raise
    seconds = time.perf_counter() - began
    print(f"{options.cases} cases in {seconds:.0f} seconds: every point once, one run of every trial.")


if __name__ == "__main__":
    main()

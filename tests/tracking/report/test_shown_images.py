"""Images come back from MLflow for the trials that are shown, and a sweep without them still reads."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.tracking.made_up import montage_png, record_trial, repeated, sweep_images, sweep_info, trial_info
from tracking.analysis.seeds import Repeats, read
from tracking.image_archive import IMAGES, PREDICTIONS, pack_images, pack_masks
from tracking.record import SweepRecord
from tracking.report.shown_images import shown_trials, with_images
from tracking.store.writer import Tracker

MASKS = {
    "contracting": trial_info("shallow-first", 5),
    "expanding": trial_info("deep-first", 4),
    "zero-shot": trial_info("", 0),
}
OTHER = trial_info("shallow-first", 5, 6)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Tracker:
    """A sweep of three trials that are shown and one that is not; every one with its predictions."""
    home = tmp_path_factory.mktemp("kept")
    shutil.copy(empty_store, home / "mlflow.db")
    tracker = Tracker.connect(f"sqlite:///{home / 'mlflow.db'}", home / "artifacts")
    sweep = tracker.open_sweep(sweep_info())
    given = sweep_images()
    tracker.log_once(sweep, IMAGES, lambda: pack_images(given))
    for info in (*MASKS.values(), OTHER):
        run = record_trial(tracker, sweep, info)
        tracker.log_bytes(run, PREDICTIONS, pack_masks([np.roll(given.truths, len(info.blocks), 1)]))
        if info is MASKS["contracting"]:
            tracker.log_file(run, _neuron(home), "images")
    return tracker


def _neuron(folder: Path) -> Path:
    """An image of block 2's filter 7, called as MLflow calls it."""
    path = folder / "am~2~7+step+12+timestamp+0+aa.png"
    path.write_bytes(montage_png())
    return path


def test_predictions_belong_to_their_images(kept: Tracker) -> None:
    seen = with_images(kept, kept.read_sweep()).shown_images
    given = sweep_images()
    assert seen.notes == () and seen.images is not None and seen.images.names == given.names
    assert seen.predictions.keys() == MASKS.keys()
    for name, info in MASKS.items():
        for place, case in enumerate(given.names):
            expected = np.roll(given.truths, len(info.blocks), 1)[place]
            assert np.array_equal(seen.predictions[name][case].mask, expected)
    contracting = shown_trials(kept.read_sweep(), Repeats())["contracting"]
    dice = {score.image: score.dice for _, score in contracting.scores}
    assert {case: one.dice for case, one in seen.predictions["contracting"].items()} == pytest.approx(dice, nan_ok=True)
    assert {name: list(blocks) for name, blocks in seen.neurons.items()} == {"contracting": [2], "expanding": []}


class Asked(Tracker):
    """A tracker that gives `content` in the place of every artifact called `name`, and notes what it was asked for."""

    def __init__(self, real: Tracker, name: str = "", content: bytes | None = None) -> None:
        super().__init__(real.client, real.uri, real.artifacts)
        self.name, self.content = name, content
        self.asked: list[tuple[str, str]] = []

    def read_file(self, run_id: str, path: str) -> bytes | None:
        self.asked.append((run_id, path))
        found: bytes | None = self.content if path == self.name else super().read_file(run_id, path)
        return found


def test_only_what_is_shown_is_read(kept: Tracker) -> None:
    record, asked = kept.read_sweep(), Asked(kept)
    with_images(asked, record)
    assert len([path for _, path in asked.asked if path == PREDICTIONS]) == 3
    shown = {trial.run_id for trial in shown_trials(record, Repeats()).values()}
    assert {run for run, _ in asked.asked} == shown | {record.run_id}


def test_only_the_montages_that_are_shown_are_read(kept: Tracker) -> None:
    record, asked = kept.read_sweep(), Asked(kept)
    for trial in record.trials:  # as trials of before predictions were recorded have it
        kept.log_bytes(trial.run_id, "montage.png", montage_png())
    assert all(trial.montage is None for trial in record.trials)
    montages = {trial.run_id: trial.montage for trial in with_images(asked, record).trials}
    shown = {trial.run_id for name, trial in shown_trials(record, Repeats()).items() if name != "zero-shot"}
    assert {run for run, montage in montages.items() if montage == montage_png()} == shown
    assert {run for run, path in asked.asked if path == "montage.png"} == shown and len(shown) == 2


@pytest.mark.parametrize(
    ("name", "content", "note"),
    [
        (PREDICTIONS, None, r"The predictions of .* are missing \(never recorded, or deleted\)"),
        (PREDICTIONS, b"damaged", r"The recorded predictions of .* cannot be read"),
        (PREDICTIONS, pack_masks([sweep_images().truths[:7]]), r"The recorded predictions of .* cannot be read"),
        (IMAGES, None, "The images of this sweep are missing"),
        (IMAGES, b"damaged", "The recorded images cannot be read"),
    ],
)
def test_what_is_not_there_or_cannot_be_read_is_a_note(
    kept: Tracker, name: str, content: bytes | None, note: str
) -> None:
    seen = with_images(Asked(kept, name, content), kept.read_sweep()).shown_images
    assert seen.notes and all(re.match(note, one) for one in seen.notes) and not seen.predictions


@pytest.mark.parametrize(("seeds", "first"), [((0, 1, 2), 0), ((1,), 1), ((2, 1), 2)])
def test_the_trials_shown_are_those_that_are_compared(record: SweepRecord, seeds: tuple[int, ...], first: int) -> None:
    whole = repeated(record)  # seeds 0, 1 and 2 of every trial
    spec = {**whole.info.spec, "search": {**dict(whole.info.spec.get("search") or {}), "seeds": list(seeds)}}
    reading = read(replace(whole, info=replace(whole.info, spec=spec)))
    shown = shown_trials(reading.honest, reading.repeats)
    assert list(shown) == ["zero-shot", "expanding", "contracting"]
    assert [one.info.candidate.epochs for one in shown.values()] == [0, 12, 12]
    assert {one.info.candidate.seed for name, one in shown.items() if name != "zero-shot"} == {first}


def test_a_failed_repeat_is_not_shown(record: SweepRecord) -> None:
    whole = repeated(record)
    failed = [
        replace(one, status="FAILED") if (one.info.candidate.epochs, one.info.candidate.seed) == (12, 1) else one
        for one in whole.trials
    ]
    reading = read(replace(whole, trials=tuple(failed)))
    shown = shown_trials(reading.honest, reading.repeats)
    assert {one.info.candidate.epochs for name, one in shown.items() if name != "zero-shot"} == {6}

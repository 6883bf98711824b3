"""Reads back what a report shows: the images of a sweep, and the predictions and neurons of three of its trials."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from tracking.analysis.comparisons import at_setting, main_setting
from tracking.analysis.seeds import Repeats, read
from tracking.foreign_images import is_png
from tracking.image_archive import IMAGES, PREDICTIONS, PRETRAINING, Images, unpack_images, unpack_masks
from tracking.record import Predicted, ShownImages, SweepRecord, TrialRecord
from trainer.candidate import PRETRAINED

if TYPE_CHECKING:  # heavy
    from tracking.store.writer import Tracker

MONTAGE = "montage.png"
TUNED = ("expanding", "contracting")


def shown_trials(honest: SweepRecord, repeats: Repeats) -> dict[str, TrialRecord]:
    """`zero-shot`, `expanding`, `contracting` -> the trial to show of a sweep as it is compared (`seeds.read`).

    At the main setting; of a repeated one, its first seed.
    """
    shown: dict[str, TrialRecord] = {}
    for trial in at_setting(honest.finished, *main_setting(honest.finished)):
        candidate = trial.info.candidate
        for name in TUNED:
            if candidate.mask == honest.info.named_masks.get(name):
                shown[name] = repeats.parts.get(candidate.key, (trial,))[0]
    for trial in honest.finished:
        if (trial.info.role, trial.info.candidate.start) == ("zero-shot", PRETRAINED):
            shown["zero-shot"] = trial
    return {name: shown[name] for name in ("zero-shot", *TUNED) if name in shown}


def with_images(tracker: Tracker, record: SweepRecord) -> SweepRecord:
    """The record with the images that its figures show. What was never recorded, or cannot be read, becomes a note."""
    notes: list[str] = []
    images = _read_images(tracker, record, notes)
    reading = read(record)
    trials = shown_trials(reading.honest, reading.repeats)
    predictions = {}
    for name, trial in trials.items() if images else ():
        by_image = _read_predictions(tracker, trial, notes)
        if by_image:
            predictions[name] = by_image
    content = tracker.read_file(record.run_id, PRETRAINING)
    pretraining = _unpack(content, notes) if content else None
    record = replace(record, trials=tuple(_with_montages(tracker, record)))
    neurons = {name: _read_neurons(tracker, trials[name].run_id) for name in TUNED if name in trials}
    return replace(record, shown_images=ShownImages(images, predictions, neurons, tuple(notes), pretraining))


def _with_montages(tracker: Tracker, record: SweepRecord) -> Iterator[TrialRecord]:
    """The trials; those that a page shows without predictions have their montages."""
    shown = {trial.run_id for name, trial in shown_trials(record, Repeats()).items() if name in TUNED}
    for trial in record.trials:
        montage = tracker.read_file(trial.run_id, MONTAGE) if trial.run_id in shown else None
        yield replace(trial, montage=montage) if montage and is_png(montage) else trial


def _read_images(tracker: Tracker, record: SweepRecord, notes: list[str]) -> Images | None:
    content = tracker.read_file(record.run_id, IMAGES)
    if content is None:
        notes.append("The images of this sweep are missing (never recorded, or deleted), so none are shown.")
        return None
    return _unpack(content, notes)


def _unpack(content: bytes, notes: list[str]) -> Images | None:
    try:
        return unpack_images(content)
    except ValueError as error:
        notes.append(f"The recorded images cannot be read: {error}.")
        return None


def _read_predictions(tracker: Tracker, trial: TrialRecord, notes: list[str]) -> Mapping[str, Predicted] | None:
    """image -> what the trial predicted: the masks have the order of its per-image scores."""
    name, content = trial.info.candidate.name, tracker.read_file(trial.run_id, PREDICTIONS)
    if content is None:
        notes.append(f"The predictions of {name} are missing (never recorded, or deleted), so none are shown.")
        return None
    try:
        masks = unpack_masks(content)
        scored = [score for _, score in trial.scores]
        return {score.image: Predicted(mask, score.dice) for score, mask in zip(scored, masks, strict=True)}
    except ValueError as error:
        notes.append(f"The recorded predictions of {name} cannot be read: {error}.")
        return None


def _read_neurons(tracker: Tracker, run_id: str) -> dict[int, bytes]:
    """block -> PNG; MLflow calls the files `am~<block>~<filter>+step+...png`."""
    sheets = {}
    for path in tracker.files(run_id, "images"):
        parts = PurePosixPath(path).name.split("+")[0].split("~")
        if parts[0] == "am" and len(parts) == 3 and parts[1].isdecimal() and path.endswith(".png"):
            content = tracker.read_file(run_id, path)
            if content is not None and is_png(content):
                sheets[int(parts[1])] = content
    return dict(sorted(sheets.items()))

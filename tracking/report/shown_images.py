"""Reading back what a report shows: a sweep's pictures, and predictions and neurons of three trials, never of all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from tracking.analysis.comparisons import main_setting
from tracking.analysis.seeds import Repeats, read
from tracking.image_archive import PICTURES, PREDICTIONS, PRETRAINING, Pictures, unpack_masks, unpack_pictures
from tracking.record import Predicted, Seen, SweepRecord, TrialRecord

if TYPE_CHECKING:  # heavy
    from tracking.store.writer import Tracker

MONTAGE = "montage.png"
TUNED = ("expanding", "contracting")


def shown_trials(honest: SweepRecord, repeats: Repeats) -> dict[str, TrialRecord]:
    """`zero-shot`, `expanding`, `contracting` -> the trial to show of a sweep as it is compared (`seeds.read`).

    At the main setting; of a repeated one, its first seed.
    """
    shown: dict[str, TrialRecord] = {}
    main = main_setting(honest.finished)
    for trial in honest.finished:
        candidate = trial.info.candidate
        for name in TUNED:
            meant = candidate.mask == honest.info.named_masks.get(name) and trial.info.role == "trial"
            if meant and (candidate.epochs, candidate.learning_rate) == main:
                shown[name] = repeats.parts.get(candidate.key, (trial,))[0]
        if trial.info.role == "zero-shot":
            shown["zero-shot"] = trial
    return {name: shown[name] for name in ("zero-shot", *TUNED) if name in shown}


def with_pictures(tracker: Tracker, record: SweepRecord) -> SweepRecord:
    """The record with all that its figures need; what was never recorded, or cannot be read, becomes a note."""
    notes: list[str] = []
    pictures = _pictures(tracker, record, notes)
    reading = read(record)
    trials = shown_trials(reading.honest, reading.repeats)
    predictions = {}
    for name, trial in trials.items() if pictures else ():
        predicted = _predictions(tracker, trial, notes)
        if predicted:
            predictions[name] = predicted
    before = tracker.read_file(record.run_id, PRETRAINING)
    pretraining = _unpacked(before, notes) if before else None
    record = replace(record, trials=tuple(_with_montages(tracker, record)))
    neurons = {name: _neurons(tracker, trials[name].run_id) for name in TUNED if name in trials}
    return replace(record, seen=Seen(pictures, predictions, neurons, tuple(notes), pretraining))


def _with_montages(tracker: Tracker, record: SweepRecord) -> Iterator[TrialRecord]:
    """The trials; those that a page shows without predictions have their montages."""
    shown = {trial.run_id for name, trial in shown_trials(record, Repeats()).items() if name in TUNED}
    for trial in record.trials:
        montage = tracker.read_file(trial.run_id, MONTAGE) if trial.run_id in shown else None
        yield replace(trial, montage=montage) if montage else trial


def _pictures(tracker: Tracker, record: SweepRecord, notes: list[str]) -> Pictures | None:
    content = tracker.read_file(record.run_id, PICTURES)
    if content is None:
        notes.append("The pictures of this sweep are missing (never recorded, or deleted), so none are shown.")
        return None
    return _unpacked(content, notes)


def _unpacked(content: bytes, notes: list[str]) -> Pictures | None:
    try:
        return unpack_pictures(content)
    except ValueError as error:
        notes.append(f"The recorded pictures cannot be read: {error}.")
        return None


def _predictions(tracker: Tracker, trial: TrialRecord, notes: list[str]) -> Mapping[str, Predicted] | None:
    """image -> what the trial predicted: the masks stand in the order of its per-image scores."""
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


def _neurons(tracker: Tracker, run_id: str) -> dict[int, bytes]:
    """block -> PNG; MLflow calls the files `am~<block>~<filter>+step+...png`."""
    sheets = {}
    for path in tracker.files(run_id, "images"):
        words = PurePosixPath(path).name.split("+")[0].split("~")
        if words[0] == "am" and len(words) == 3 and path.endswith(".png"):
            content = tracker.read_file(run_id, path)
            if content is not None:
                sheets[int(words[1])] = content
    return dict(sorted(sheets.items()))

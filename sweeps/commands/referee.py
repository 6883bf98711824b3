"""`thaw referee`: somebody else's out-of-fold predictions, scored and tested like a sweep's own trials."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sweeps.commands.best import read_record
from sweeps.environment.home import Home
from sweeps.environment.terminal import Board, console, tell
from tracking.analysis.formatting import from_start
from tracking.analysis.seeds import read
from tracking.best_mask.answer import best_mask
from tracking.best_mask.references import Against
from tracking.best_mask.sentences import OURS, apart
from tracking.image_archive import IMAGES, Images, pack_masks, unpack_images
from tracking.record import SweepInfo, SweepRecord, TrialInfo
from trainer.candidate import REFEREE, Candidate
from trainer.errors import UserError
from trainer.files import given_path
from trainer.results import FoldResult

if TYPE_CHECKING:  # heavy
    from tracking.store.writer import Tracker
    from trainer.data.predictions import Predictions

NAME = re.compile(r"[A-Za-z][A-Za-z0-9._ +-]{0,39}")
TAKEN = (*OURS, "none")
UNSTATED = "folds not stated"
DIGEST_TAG, SOURCE_TAG, READING_TAG = "thaw.predictions", "thaw.source", "thaw.reading"


def run(home: Home, sweep: str | None, given: Sequence[str]) -> None:
    """Score each NAME=FOLDER, record it as a run of the sweep, and say how far it lies from the best mask.

    Nothing is recorded unless all can be read. Raises `UserError` for predictions that are not those of the sweep's
    images in the sweep's folds.
    """
    from tracking.store.writer import Tracker
    from trainer.data.predictions import read_predictions

    folders = dict(map(_parted, given))
    if len(folders) < len(given):
        raise UserError("A name stands for one set of predictions, but one is given twice.")
    board = Board(console)
    record = read_record(home, sweep)
    tracker = Tracker.connect(home.tracking_uri, home.artifact_folder)
    images = _images(tracker, record)
    results = {}
    for name, folder in folders.items():
        with board.stage(f"reading the predictions of {name}"):
            predictions = read_predictions(folder, images.names, images.truths.shape[1])
        check_folds(predictions.fold_of, images.names, record.info, name)
        results[name] = predictions, fold_results(predictions.masks, images, record.info)
    for name, (predictions, _) in results.items():
        _check_name(tracker, record, name, predictions)
    for name, (predictions, scored) in results.items():
        marked = _marked(name, predictions)
        _record(tracker, record, marked, folders[name], predictions, scored)
        tell(f"{marked}: {predictions.reading}; mean Dice {_mean(scored):.3f} over {len(scored)} folds.")
    for line in comparisons(read_record(home, record.info.name)):
        tell(line)


def _parted(text: str) -> tuple[str, Path]:
    name, equals, folder = (part.strip() for part in text.partition("="))
    if not equals or not folder or not NAME.fullmatch(name) or name in TAKEN:
        raise UserError(
            "Predictions are given as NAME=FOLDER, such as nnU-Net=nnunet-predictions; a name begins with a letter, "
            f"has at most 40 letters, digits and . _ + - and is none of {', '.join(TAKEN)}, but got '{text}'."
        )
    return name, given_path(folder)


def _images(tracker: Tracker, record: SweepRecord) -> Images:
    """The sweep's images with their truths at working size, in the order of its folds.

    Raises `UserError` where they are not there, or some of their pixels take no part, which the record does not show.
    """
    content = tracker.read_file(record.run_id, IMAGES)
    if content is None:
        raise UserError(f"The images of the sweep '{record.info.name}' ({IMAGES}) are missing in MLflow.")
    images = unpack_images(content)
    place = {name: number for number, name in enumerate(images.names)}
    order = [place[name] for fold in record.info.folds for name in fold]
    names, labels = (tuple(texts[number] for number in order) for texts in (images.names, images.labels))
    images = Images(names, labels, images.images[order], images.truths[order])
    finished = [trial for trial in record.finished if trial.info.candidate.plain]
    if not finished:
        raise UserError(f"The sweep '{record.info.name}' has no finished trial to compare with. Let it finish first.")
    pixels = images.truths[0].size
    for (_, score), truth in zip(finished[0].scores, images.truths, strict=True):
        if score.tp + score.fp + score.fn + score.tn != pixels or score.tp + score.fn != int(truth.sum()):
            raise UserError(
                f"Predictions are scored on all pixels, but the sweep '{record.info.name}' ignores some "
                f"({score.image}), and its record does not say which. There is no fair comparison."
            )
    return images


def check_folds(fold_of: Sequence[int], names: Sequence[str], info: SweepInfo, who: str) -> None:
    """Raise `UserError` unless the stated folds divide the images as the sweep's do, whatever their numbers."""
    if not fold_of:
        return
    own = {name: number for number, fold in enumerate(info.folds, 1) for name in fold}
    stated: dict[int, set[int]] = {}
    for name, number in zip(names, fold_of, strict=True):
        stated.setdefault(number, set()).add(own[name])
    mixed = {number: folds for number, folds in stated.items() if len(folds) > 1}
    if mixed or len(stated) != len(info.folds):
        first = (
            f" Their fold {next(iter(mixed))} holds images of the sweep's folds {sorted(next(iter(mixed.values())))}."
        )
        raise UserError(
            f"Predictions can be compared where they were made in the sweep's own folds, but those of {who} were "
            f"made in others ({len(stated)} folds, the sweep has {len(info.folds)}).{first if mixed else ''} Train "
            f"in the folds that `thaw folds {info.name}` writes: else an image may have been trained on."
        )


def fold_results(masks: NDArray[np.uint8], images: Images, info: SweepInfo) -> list[FoldResult]:
    """The scores of predicted masks (n, H, W) in {0, 1}, in the order of `images`, fold by fold, by the sweep's own
    formulas.
    """
    from trainer.training.distances import with_distances
    from trainer.training.metrics import score

    results, start = [], 0
    for number, ((train, _), fold) in enumerate(zip(info.fold_sizes, info.folds, strict=True), 1):
        part = slice(start, start + len(fold))
        rows = zip(images.names[part], images.labels[part], images.truths[part], masks[part], strict=True)
        scores = tuple(score(name, label, truth, mask.astype(np.float32)) for name, label, truth, mask in rows)
        result = FoldResult(number, 0, scores, (), train, 0.0, 0, masks[part])
        if info.distances.get("unit") == "px":  # in mm: the record does not hold the spacing
            result = with_distances(result, images.truths[part], float(info.distances["tolerance"]))
        results.append(result)
        start = part.stop
    return results


def _mean(results: Sequence[FoldResult]) -> float:
    return float(np.nanmean([result.mean("dice") for result in results]))


def _marked(name: str, predictions: Predictions) -> str:
    return name if predictions.fold_of else f"{name} ({UNSTATED})"


def _digest(predictions: Predictions) -> str:
    return hashlib.sha256(predictions.masks.tobytes()).hexdigest()


def _check_name(tracker: Tracker, record: SweepRecord, name: str, predictions: Predictions) -> None:
    """Raise `UserError` where a name stands for other predictions already, with or without stated folds."""
    for spelled in (name, f"{name} ({UNSTATED})"):
        state = tracker.trial(record.run_id, _candidate(spelled))
        known = None if state is None else tracker.tag(state.run_id, DIGEST_TAG)
        other = spelled != _marked(name, predictions)
        if state is not None and (other or known not in (None, _digest(predictions))):
            how = "is recorded, too" if other else "was recorded with others"
            raise UserError(
                f"A name stands for one set of predictions, but {spelled!r} {how}. Give these another name, or delete "
                f"the run {state.run_id} in MLflow."
            )


def _candidate(name: str) -> Candidate:
    return Candidate(name, 0, 0.0, REFEREE)


def _record(
    tracker: Tracker,
    record: SweepRecord,
    name: str,
    folder: Path,
    predictions: Predictions,
    results: Sequence[FoldResult],
) -> None:
    """Keep predictions as a run of the sweep; the same ones once."""
    packed = pack_masks([result.predictions for result in results])
    info = TrialInfo(_candidate(name), (), (), (), 0, "referee")
    state = tracker.trial(record.run_id, info.candidate)
    if state is not None and state.status == "FINISHED":
        return  # one that was cut off has points already, which stay as they are
    run_id = tracker.open_trial(record.run_id, info)
    for tag, text in (
        (DIGEST_TAG, _digest(predictions)),
        (SOURCE_TAG, folder.name),
        (READING_TAG, predictions.reading),
    ):
        tracker.set_tag(run_id, tag, text)
    for result in results:
        tracker.log_fold(run_id, result)
    tracker.log_bytes(run_id, "predictions.npz", packed)
    tracker.finish_trial(run_id, results, b"")


def comparisons(record: SweepRecord) -> list[str]:
    """`nnU-Net is 0.03 [0.01, 0.05] above the best mask, 1-5`, for everybody else's predictions that are recorded."""
    answer = best_mask(read(record))
    if answer is None:
        return ["There is no best mask to compare with: the sweep has fewer than two finished masks."]
    others = [reference for reference in answer.against if reference.name not in OURS]
    lines = [_compared(reference, from_start(answer.best.mask, answer.best.start)) for reference in others]
    return [*lines, f"[ ]: 95 %, corrected for the choice of the best mask and for folds that share images; {SEE}"]


SEE = "thaw report shows all."


def _compared(reference: Against, best: str) -> str:
    """The winner minus the reference, said the other way round."""
    words = apart(-reference.mean, -reference.high, -reference.low, f"the best mask, {best}", reference.note)
    return f"{reference.name} is {words}{'; no difference shown' if reference.low <= 0 <= reference.high else ''}"

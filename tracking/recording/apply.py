"""An operation applied to MLflow. However often that is begun, and wherever it breaks off, everything is there once.

Nothing is remembered between two operations but what MLflow holds. The run is found by its tags before one is made,
what a run has already is not written again, and a run is closed last, so a closed one is whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tracking.recording.operations import Operation
from tracking.store import attempts, schema
from tracking.store.attempts import ATTEMPT, TRAINING, KeptFold, folds_from_tags, folds_tag, kept_fold
from tracking.store.changes import Change, Files
from tracking.store.connection import Run
from tracking.store.writer import Tracker
from trainer.errors import LeaseLost


def apply(tracker: Tracker, operation: Operation, files: Files = ()) -> str:
    """Apply an operation; the id of the trial's run. Raises `LeaseLost` where a later attempt has the trial, and what
    MLflow raises.

    Of a trial that is finished nothing more is written. An attempt's run takes over what the run of an attempt before
    says of finished folds, and only then is that one deleted: MLflow refuses what a stale worker still writes on it.
    """
    runs = tracker.runs_of(operation.sweep_run, operation.info.candidate)
    if operation.attempt is not None and any(attempts.attempt_of(run) > operation.attempt for run in runs):
        raise LeaseLost(f"A later attempt has the trial {operation.info.candidate.name}.")
    is_recorded = bool(runs) and runs[0].info.status == "FINISHED"
    run = runs[0] if is_recorded else _own_run(tracker, operation, runs)
    run_id: str = run.info.run_id
    if not is_recorded:
        _write(tracker, operation, run, files)
    for other in runs:
        if other.info.run_id != run_id and _is_superseded(other, operation):
            tracker.client.delete_run(other.info.run_id)
    if operation.attempt is not None and (is_recorded or operation.change.status == "FINISHED"):
        _forget_folds(tracker, operation)
    return run_id


def _own_run(tracker: Tracker, operation: Operation, runs: Sequence[Run]) -> Run:
    alone = operation.attempt is None  # on one machine a trial has one run, whoever made it
    own = next((run for run in runs if alone or attempts.attempt_of(run) == operation.attempt), None)
    if own is not None:
        return own
    if operation.kind != "open":
        raise LeaseLost(f"The run of the trial {operation.info.candidate.name} was deleted.")
    if operation.attempt is None:
        return tracker.make_run(operation.sweep_run, operation.info, at=operation.time)
    kept = [one for run in runs for one in folds_from_tags(run.data.tags)]
    tags = {ATTEMPT: str(operation.attempt), TRAINING: operation.info.candidate.training}
    for epochs in {one.epochs for one in kept}:
        tags |= folds_tag(kept, epochs)
    return tracker.make_run(operation.sweep_run, operation.info, tags, at=operation.time)


def _write(tracker: Tracker, operation: Operation, run: Run, files: Files) -> None:
    if operation.kind == "open":
        tracker.begin(run, operation.info, at=operation.time)
    elif operation.keeps == (0, 0):
        tracker.write(run, operation.change, files, at=operation.time)
    else:
        _write_fold(tracker, operation, run, files)


def _write_fold(tracker: Tracker, operation: Operation, run: Run, files: Files) -> None:
    """The fold's file, then its points with the tag that says that the file is whole."""
    (path, content), *_ = files
    tracker.log_content(run.info.run_id, path, content)
    new = kept_fold(*operation.keeps, run.info.run_id, content)
    others = [one for one in folds_from_tags(run.data.tags) if (one.fold, one.epochs) != operation.keeps]
    change = Change(operation.change.points, tags=folds_tag([*others, new], new.epochs))
    tracker.write(run, change, at=operation.time)


def _is_superseded(run: Run, operation: Operation) -> bool:
    """Whether a run is that of an attempt before, or a second one that MLflow made of the same request."""
    if operation.attempt is not None:
        return attempts.attempt_of(run) <= operation.attempt
    return operation.kind == "open" and run.info.start_time == operation.time


def _forget_folds(tracker: Tracker, operation: Operation) -> None:
    """Drop the files that only somebody who goes on with a trial would need, now that it is finished: at these epochs,
    and at any others of this training, whichever run recorded them.
    """
    runs = tracker.runs_of_training(operation.sweep_run, operation.info.candidate)
    done = {operation.info.candidate.epochs, *(_epochs(run) for run in runs if run.info.status == "FINISHED")}
    for run in runs:
        for epochs in {kept.epochs for kept in folds_from_tags(run.data.tags)} & done:
            tracker.forget_files(run.info.run_id, attempts.folder_of(epochs))
            tracker.client.delete_tag(run.info.run_id, f"{attempts.FOLDS}{epochs}")


def _epochs(run: Run) -> int:
    return schema.trial_from_tags(run.data.tags, run.info.run_id).candidate.epochs


def find_kept(runs: Iterable[Run]) -> list[KeptFold]:
    """What the runs of one training name of finished folds."""
    return [kept for run in runs for kept in folds_from_tags(run.data.tags)]

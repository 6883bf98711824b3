"""The objective of every engine: a candidate in, its mean Dice out, everything recorded in MLflow on the way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sweeps.environment.home import Home
from sweeps.run.artifacts import checkpoints, log_predictions
from sweeps.run.neuron_images import Gallery
from sweeps.run.plan import Plan
from sweeps.strategies.history import Evaluate, Report, Scored
from tracking.figures.image_panels import montage
from tracking.record import Role, TrialInfo
from tracking.store.writer import Tracker
from trainer.config import Candidate
from trainer.errors import TrialFailed
from trainer.files import locked
from trainer.masks import names, parse, places
from trainer.network.blocks import Partition, searchable, trainable_parameters
from trainer.results import FoldResult
from trainer.training.cross_validation import CrossValidation

# The candidate, its results so far (one per fold, at its epochs) -> an estimate of its Dice if it is to be dropped.
Drop = Callable[[Candidate, Sequence[FoldResult]], float | None]


def never(candidate: Candidate, results: Sequence[FoldResult]) -> float | None:
    """Drops nothing."""
    return None


def recorded(
    cross_validation: CrossValidation,
    tracker: Tracker,
    home: Home,
    plan: Plan,
    emit: Callable[[dict[str, Any]], None],
    drop: Drop = never,
    why: str = "clearly worse than the best trial on the same images",
) -> Evaluate:
    """Bind a trial to its sweep's MLflow run. The returned function scores a candidate; 1 is best.

    It reports the mean Dice of the folds so far after every fold, asks `drop` whether to go on, and raises
    `TrialFailed` after recording the reason. A candidate that is recorded already costs one look. `why` is what the run
    of a dropped one says.
    """
    orders = plan.resolved.search.orders
    gallery = Gallery(cross_validation, plan.resolved.search.neurons)

    def evaluate(candidate: Candidate, report: Report) -> Scored:
        with locked(home.candidate_lock(plan.name, candidate.key)):
            return score(candidate, report)

    def score(candidate: Candidate, report: Report) -> Scored:
        info = trial_info(candidate, cross_validation.trainer.blocks, orders)
        known = tracker.trial(plan.sweep_run, candidate)
        if known is not None and known.status == "FINISHED" and known.dice is not None:
            page = tracker.trial_page(plan.sweep_run, known.run_id)
            return Scored(known.dice, parameters=info.trainable_params, page=page)
        run = tracker.open_trial(plan.sweep_run, info)
        page = tracker.trial_page(plan.sweep_run, run)
        results: list[FoldResult] = []
        try:
            for result in cross_validation(candidate):
                emit(_message(candidate, result))
                if result.epochs != candidate.epochs:
                    continue
                tracker.log_fold(run, result)
                results.append(result)
                report(mean_dice(results), result.fold)
                if len(results) < plan.resolved.settings.folds:
                    estimate = drop(candidate, results)
                    if estimate is not None:
                        tracker.drop_trial(run, _why(why, results, plan), estimate)
                        emit({"event": "dropped", "name": candidate.name, "fold": len(results)})
                        return _scored(results, info, page, estimate, dropped_after=len(results))
        except TrialFailed as failed:
            tracker.fail_trial(run, str(failed))
            emit({"event": "failed", "name": candidate.name, "reason": str(failed)})
            raise
        tracker.log_neurons(run, gallery.pictures(candidate, results[0]))
        log_predictions(tracker, run, results)
        deltas = checkpoints(results, cross_validation.starts[candidate.origin])
        tracker.finish_trial(run, results, _montage(cross_validation, candidate, results), deltas)
        return _scored(results, info, page, mean_dice(results))

    return evaluate


def mean_dice(results: Sequence[FoldResult]) -> float:
    """The mean over the folds so far of their mean Dice."""
    return float(np.nanmean([result.mean("dice") for result in results]))


def _scored(results: Sequence[FoldResult], info: TrialInfo, page: str, score: float, dropped_after: int = 0) -> Scored:
    trained = [result for result in results if not result.from_ledger and result.epochs]
    seconds = sum(result.seconds for result in trained)
    return Scored(score, len(trained), seconds, info.trainable_params, dropped_after, page)


def _why(why: str, results: Sequence[FoldResult], plan: Plan) -> str:
    """What a dropped trial's run says."""
    done, folds = len(results), plan.resolved.settings.folds
    return f"{why} (after {done} of {folds} folds); the other folds were not trained, so it has no score."


def trial_info(candidate: Candidate, blocks: Partition, followed: Sequence[str]) -> TrialInfo:
    """What a candidate's mask means on this network, and where on the followed orders it lies."""
    mask = parse(candidate.mask, searchable(blocks))
    role = role_of(candidate)
    orders = tuple(place for place in places(mask) if role == "trial" and place[0] in followed)
    return TrialInfo(candidate, mask.blocks, orders, names(mask), trainable_parameters(blocks, mask), role)


def role_of(candidate: Candidate) -> Role:
    """What a candidate is for: one of the trials, or something to read them by."""
    if not candidate.epochs:
        return "zero-shot"
    if candidate.split == "leaky":
        return "leaky"
    return "scratch" if candidate.start == "scratch" else "trial"


def _message(candidate: Candidate, result: FoldResult) -> dict[str, Any]:
    return {
        "event": "fold",
        "training": candidate.training,
        "name": candidate.name,
        "fold": result.fold,
        "epochs": result.epochs,
        "dice": result.mean("dice"),
        "traces": result.traces,
    }


def _montage(cross_validation: CrossValidation, candidate: Candidate, results: list[FoldResult]) -> bytes:
    """One picture of the sweep's fixed validation images with truth and prediction."""
    images: list[NDArray[np.float32]] = []
    truths: list[NDArray[np.uint8]] = []
    dices: list[float] = []
    labels: list[str] = []
    predictions: list[NDArray[np.uint8]] = []
    for fold, result in zip(cross_validation.folds(candidate), results, strict=True):
        for place in fold.montage:
            predictions.append(result.predictions[place])
            images.append(fold.test_x[place])
            truths.append(fold.test_y[place])
            dices.append(result.scores[place].dice)
            labels.append(fold.names[place])
    return montage(np.stack(images), np.stack(truths), np.stack(predictions), labels, dices)

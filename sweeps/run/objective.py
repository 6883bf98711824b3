"""The objective of every engine: a candidate in, its mean Dice out, everything recorded in MLflow on the way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sweeps.locks import contract
from sweeps.planning.artifacts import checkpoints, log_predictions
from sweeps.planning.open_sweep import OpenSweep
from sweeps.run.messages import Dropped, Failed, FoldFinished, Message, TrialFinished
from sweeps.run.neuron_images import Gallery
from sweeps.strategies.history import Claim, Evaluate, Scored
from tracking.figures.image_panels import montage
from tracking.record import Role, TrialInfo
from trainer.channels import as_grey
from trainer.config import Candidate
from trainer.errors import TrialFailed
from trainer.masks import names, orders_and_depths, parse
from trainer.network.blocks import Partition, searchable, trainable_parameters
from trainer.results import OBJECT, FoldResult, Reached
from trainer.training.cross_validation import CrossValidation

# The candidate, its results so far (one per fold, at its epochs) -> an estimate of its Dice if it is to be dropped.
Drop = Callable[[Candidate, Sequence[FoldResult]], float | None]


def never_drop(candidate: Candidate, results: Sequence[FoldResult]) -> float | None:
    """Drops nothing."""
    return None


@dataclass(frozen=True)
class _Objective:
    """What scoring any candidate needs; see `make_objective`."""

    sweep: OpenSweep
    cross_validation: CrossValidation
    gallery: Gallery
    emit: Callable[[Message], None]
    drop: Drop
    why_dropped: str


def make_objective(
    sweep: OpenSweep,
    cross_validation: CrossValidation,
    emit: Callable[[Message], None],
    drop: Drop = never_drop,
    why_dropped: str = "clearly worse than the best trial on the same images",
) -> Evaluate:
    """Bind a cross-validation to its sweep's MLflow run. The returned function scores a candidate; 1 is best.

    It reports the mean Dice of the folds so far after every fold, asks `drop` whether to go on, and raises
    `TrialFailed` after recording the reason, that of a claim which is `given_up` too. A candidate that is recorded
    already costs one look. `why_dropped` is what the run of a dropped one says.
    """
    gallery = Gallery(cross_validation, sweep.resolved.search.neurons)
    objective = _Objective(sweep, cross_validation, gallery, emit, drop, why_dropped)

    def evaluate(candidate: Candidate, claim: Claim) -> Scored:
        with sweep.home.locks.held(contract.candidate(sweep.name, candidate.key)):
            return _score(objective, candidate, claim)

    return evaluate


def _score(objective: _Objective, candidate: Candidate, claim: Claim) -> Scored:
    """Look up the candidate's score, or train it and record the outcome."""
    sweep, tracker = objective.sweep, objective.sweep.tracker
    info = trial_info(candidate, objective.cross_validation.trainer.blocks, sweep.resolved.search.orders)
    state = tracker.trial(sweep.plan.sweep_run, candidate)
    if state is not None and state.status == "FINISHED" and state.dice is not None:
        page = tracker.trial_page(sweep.plan.sweep_run, state.run_id)
        return Scored(state.dice, parameters=info.trainable_params, page=page)
    run = tracker.open_trial(sweep.plan.sweep_run, info)
    page = tracker.trial_page(sweep.plan.sweep_run, run)
    try:
        if claim.given_up:
            raise TrialFailed(claim.given_up)
        results, estimate = _train(objective, run, candidate, claim)
    except TrialFailed as failed:
        tracker.fail_trial(run, str(failed))
        objective.emit(Failed(candidate.name, str(failed)))
        raise
    if estimate is not None:
        tracker.drop_trial(run, _drop_reason(objective, results), estimate)
        objective.emit(Dropped(candidate.name, len(results)))
        return _to_scored(results, info, page, estimate, dropped_after=len(results))
    _record_finished(objective, run, candidate, results)
    objective.emit(TrialFinished(candidate.name, mean_dice(results)))
    return _to_scored(results, info, page, mean_dice(results))


def _train(
    objective: _Objective, run: str, candidate: Candidate, claim: Claim
) -> tuple[list[FoldResult], float | None]:
    """Every fold's result, recorded and reported as it comes; and, where the candidate was dropped, its estimate."""
    results: list[FoldResult] = []
    for result in objective.cross_validation(candidate):
        objective.emit(_message(candidate, result))
        if result.epochs != candidate.epochs:
            continue
        objective.sweep.tracker.log_fold(run, result)
        results.append(result)
        claim.report(mean_dice(results), result.fold)
        claim.reached(Reached(result.fold, result.epochs))
        if len(results) < objective.sweep.resolved.settings.folds:
            estimate = objective.drop(candidate, results)
            if estimate is not None:
                return results, estimate
    return results, None


def _record_finished(objective: _Objective, run: str, candidate: Candidate, results: list[FoldResult]) -> None:
    tracker, cross_validation = objective.sweep.tracker, objective.cross_validation
    tracker.log_neurons(run, objective.gallery.drawings(candidate, results[0]))
    log_predictions(tracker, run, results)
    deltas = checkpoints(results, cross_validation.starts[candidate.origin])
    tracker.finish_trial(run, results, _montage(cross_validation, candidate, results), deltas)


def mean_dice(results: Sequence[FoldResult]) -> float:
    """The mean over the folds so far of their mean Dice."""
    return float(np.nanmean([result.mean("dice") for result in results]))


def _to_scored(
    results: Sequence[FoldResult], info: TrialInfo, page: str, score: float, dropped_after: int = 0
) -> Scored:
    newly_trained = [result for result in results if not result.from_ledger and result.epochs]
    seconds = sum(result.seconds for result in newly_trained)
    return Scored(score, len(newly_trained), seconds, info.trainable_params, dropped_after, page)


def _drop_reason(objective: _Objective, results: Sequence[FoldResult]) -> str:
    """What a dropped trial's run says."""
    folds = f"after {len(results)} of {objective.sweep.resolved.settings.folds} folds"
    return f"{objective.why_dropped} ({folds}); the other folds were not trained, so it has no score."


def trial_info(candidate: Candidate, blocks: Partition, followed: Sequence[str]) -> TrialInfo:
    """What a candidate's mask means on this network, and where on the followed orders it lies."""
    mask = parse(candidate.mask, searchable(blocks))
    role = role_of(candidate)
    orders = tuple(pair for pair in orders_and_depths(mask) if role == "trial" and pair[0] in followed)
    return TrialInfo(candidate, mask.blocks, orders, names(mask), trainable_parameters(blocks, mask), role)


def role_of(candidate: Candidate) -> Role:
    """What a candidate is for: one of the trials, or something to read them by."""
    if not candidate.epochs:
        return "zero-shot"
    if candidate.split == "leaky":
        return "leaky"
    return "scratch" if candidate.start == "scratch" else "trial"


def _message(candidate: Candidate, result: FoldResult) -> FoldFinished:
    return FoldFinished(candidate.training, candidate.name, result.fold, result.epochs, result.mean("dice"))


def _montage(cross_validation: CrossValidation, candidate: Candidate, results: list[FoldResult]) -> bytes:
    """One figure of the sweep's fixed validation images with truth and prediction."""
    images: list[NDArray[np.float32]] = []
    truths: list[NDArray[np.uint8]] = []
    dices: list[float] = []
    labels: list[str] = []
    predictions: list[NDArray[np.uint8]] = []
    for fold, result in zip(cross_validation.folds(candidate), results, strict=True):
        for index in fold.montage:
            predictions.append(result.predictions[index])
            images.append(fold.test_x[index])
            truths.append((fold.test_y[index] == OBJECT).astype(np.uint8))
            dices.append(result.scores[index].dice)
            labels.append(fold.names[index])
    return montage(as_grey(np.stack(images)), np.stack(truths), np.stack(predictions), labels, dices)

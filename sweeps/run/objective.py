"""The objective of every engine: a candidate in, its mean Dice out, everything recorded in MLflow on the way."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from sweeps.locks import contract
from sweeps.planning.artifacts import checkpoints
from sweeps.planning.open_sweep import OpenSweep
from sweeps.run.holdings import Holding
from sweeps.run.kept_weights import KeptWeights
from sweeps.run.messages import Dropped, Failed, FoldFinished, Kept, Message, Notice, TrialFinished
from sweeps.run.neuron_images import Gallery
from sweeps.strategies.history import Claim, Evaluate, Scored
from tracking.figures.montage import montage
from tracking.image_archive import pack_masks
from tracking.record import Role, TrialInfo
from tracking.recording.contract import Ending, OpenTrial, TrialRecorder
from tracking.recording.direct import DirectRecorder
from trainer.candidate import SCRATCH, Candidate
from trainer.channels import as_grey
from trainer.errors import TrialFailed
from trainer.masks import names, orders_and_depths, parse
from trainer.network.blocks import Partition, searchable, trainable_parameters
from trainer.network.flat_memory import forget_kernels
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
    recorder: TrialRecorder
    cross_validation: CrossValidation
    gallery: Gallery
    kept: KeptWeights
    emit: Callable[[Message], None]
    drop: Drop
    why_dropped: str


def make_objective(
    sweep: OpenSweep,
    cross_validation: CrossValidation,
    emit: Callable[[Message], None],
    drop: Drop = never_drop,
    why_dropped: str = "clearly worse than the best trial on the same images",
    recorder: TrialRecorder | None = None,
) -> Evaluate:
    """Bind a cross-validation to its sweep's record, kept by `recorder` (None: at once). The returned function scores a
    candidate; 1 is best.

    It reports the mean Dice of the folds so far after every fold, asks `drop` whether to go on, and raises
    `TrialFailed` after recording the reason, that of a claim which is `given_up` too, and `LeaseLost` once another
    worker has the trial. A candidate that is recorded already costs one look. `why_dropped` is what the run of a
    dropped one says.
    """
    recorder = recorder or DirectRecorder(sweep.tracker, sweep.plan.sweep_run)
    gallery = Gallery(cross_validation, sweep.resolved.search.neurons, sweep.stop.asked)
    kept = KeptWeights(sweep, cross_validation)
    objective = _Objective(sweep, recorder, cross_validation, gallery, kept, emit, drop, why_dropped)

    def evaluate(candidate: Candidate, claim: Claim) -> Scored:
        with sweep.home.locks.held(contract.candidate(sweep.name, candidate.key), sweep.stop.leave_if_asked):
            try:
                return _score(objective, candidate, claim)
            finally:
                forget_kernels()

    return evaluate


def _score(objective: _Objective, candidate: Candidate, claim: Claim) -> Scored:
    """Look up the candidate's score, or train it and record the outcome."""
    recorder = objective.recorder
    trainer = objective.cross_validation.trainer
    info = trial_info(candidate, trainer.blocks, objective.sweep.resolved.search.orders, trainer.parameters(candidate))
    state = recorder.look(candidate, claim.attempt)
    if state is not None and state.status == "FINISHED" and state.dice is not None:
        return Scored(state.dice, parameters=info.trainable_params, page=recorder.page(state.run_id))
    trial = recorder.open(info, claim.attempt)
    claim.hold(lambda: trial.recorded)
    holding = objective.kept.begin(info)
    try:
        if claim.given_up:
            raise TrialFailed(claim.given_up)
        results, passed, estimate = _train(objective, trial, candidate, claim)
    except TrialFailed as failed:
        trial.fail(str(failed))
        objective.kept.ended(holding)
        objective.emit(Failed(candidate.name, str(failed)))
        raise
    if estimate is not None:
        trial.drop(_drop_reason(objective, results), estimate)
        objective.kept.ended(holding)
        objective.emit(Dropped(candidate.name, len(results)))
        return _to_scored(results, info, trial.page, estimate, dropped_after=len(results))
    _finish(objective, trial, holding, results, passed)
    objective.emit(TrialFinished(candidate.name, mean_dice(results)))
    return _to_scored(results, info, trial.page, mean_dice(results))


def _train(
    objective: _Objective, trial: OpenTrial, candidate: Candidate, claim: Claim
) -> tuple[list[FoldResult], dict[int, list[float]], float | None]:
    """Every fold's result, recorded and reported as it comes; the Dice of every fold at the smaller budgets that it
    passed through; and, where the candidate was dropped, its estimate.
    """
    results: list[FoldResult] = []
    passed: dict[int, list[float]] = {}
    cross_validation = objective.cross_validation

    def reached(how_far: Reached) -> None:
        claim.reached(how_far)
        objective.emit(Kept(candidate.name, how_far.fold, how_far.epochs, how_far.steps))

    for result in cross_validation(candidate, trial.kept, reached):
        objective.emit(_message(candidate, result))
        trial.fold(result, partial(cross_validation.kept, candidate, result))
        if result.epochs != candidate.epochs:
            passed.setdefault(result.epochs, []).append(result.mean("dice"))
            continue
        results.append(result)
        claim.report(mean_dice(results), result.fold)
        claim.reached(Reached(result.fold, result.epochs))
        if len(results) < objective.sweep.resolved.settings.folds:
            estimate = objective.drop(candidate, results)
            if estimate is not None:
                return results, passed, estimate
    return results, passed, None


def _finish(
    objective: _Objective,
    trial: OpenTrial,
    holding: Holding,
    results: list[FoldResult],
    passed: Mapping[int, list[float]],
) -> None:
    """Record what all folds gave, with their weights where these stay."""
    dice = mean_dice(results)
    wanted = objective.kept.wanted(holding, dice)
    if wanted:
        results = _with_weights(objective, holding.candidate, results)
    trial.finish(_ending(objective, holding.candidate, results, with_weights=wanted))
    smaller = {epochs: float(np.nanmean(dices)) for epochs, dices in passed.items() if len(dices) == len(results)}
    objective.kept.finished(replace(holding, dice=dice, recorded=True, uploaded=wanted), smaller)


def _ending(objective: _Objective, candidate: Candidate, results: list[FoldResult], *, with_weights: bool) -> Ending:
    cross_validation = objective.cross_validation
    lost = results[0].weights_lost  # `thaw visualize` draws what such a trial did, and says what that costs
    return Ending(
        results=results,
        montage=_montage(cross_validation, candidate, results),
        neurons={} if lost else objective.gallery.drawings(candidate, results[0]),
        predictions=pack_masks([result.predictions for result in results]),
        checkpoints=checkpoints(results, cross_validation.starts[candidate.origin]) if with_weights else (),
    )


def _with_weights(objective: _Objective, candidate: Candidate, results: Sequence[FoldResult]) -> list[FoldResult]:
    """The results, with the weights that the ledger has lost: another sweep had no more use for them."""
    lost = [result for result in results if result.weights_lost]
    if lost:
        objective.emit(
            Notice(f"{candidate.name} leads, but {len(lost)} of its folds have lost their weights: trained again.")
        )
    folds = objective.cross_validation.folds(candidate)
    return [
        replace(
            result,
            weights=objective.cross_validation.train_again(candidate, folds[result.fold - 1]).weights,
            weights_lost=False,
        )
        if result.weights_lost
        else result
        for result in results
    ]


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


def trial_info(
    candidate: Candidate, blocks: Partition, followed: Sequence[str], parameters: int | None = None
) -> TrialInfo:
    """What a candidate's mask means on this network, and where on the followed orders it lies. `parameters`: how many
    train; None: all of the mask's blocks.
    """
    mask = parse(candidate.mask, searchable(blocks))
    role = role_of(candidate)
    orders = tuple(pair for pair in orders_and_depths(mask) if role == "trial" and pair[0] in followed)
    trained = trainable_parameters(blocks, mask) if parameters is None else parameters
    return TrialInfo(candidate, mask.blocks, orders, names(mask), trained, role)


def role_of(candidate: Candidate) -> Role:
    """What a candidate is for: one of the trials, or something to read them by."""
    if not candidate.epochs:
        return "zero-shot"
    if candidate.split == "leaky":
        return "leaky"
    if candidate.images:
        return "subset"
    return "scratch" if candidate.start == SCRATCH else "trial"


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

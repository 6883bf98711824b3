"""What a sweep fixes before its first trial: network, pictures, folds, starting weights, and the plan of it all."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING

from sweeps.environment.home import Home
from sweeps.environment.home_format import bring_up_to_date
from sweeps.environment.terminal import Board
from sweeps.run.artifacts import log_bases, log_examples, log_pictures
from sweeps.run.identity import check_space, describe
from sweeps.run.plan import Plan, write_plan
from sweeps.spec.load import Spec, as_table
from sweeps.spec.validation import units_of
from trainer.errors import UserError
from trainer.files import locked, nobody_present

if TYPE_CHECKING:  # heavy: each is imported where it is needed
    from tracking.record import SweepInfo
    from tracking.store.writer import Tracker
    from trainer.data.cases import Cases
    from trainer.training.pretraining import StartingWeights


def prepared_alone(spec: Spec, home: Home, board: Board, name: str | None) -> tuple[Plan, Tracker]:
    """Everything that a sweep fixes before its first trial: read, made or looked up, recorded and written down."""
    with locked(home.launch_lock, waiting=board.waiting):
        return prepared(spec, home, board, name, workers=1)


def prepared(spec: Spec, home: Home, board: Board, name: str | None, workers: int) -> tuple[Plan, Tracker]:
    """Everything that a sweep fixes before its first trial; for a launcher that holds the lock already."""
    from tracking.store.writer import Tracker

    cases, fold_of = read_cases(spec, home, board)
    warn_of_memory(spec, len(cases), workers, board)
    tracker = Tracker.connect(home.tracking_uri, home.artifact_folder)
    check_clash(spec, board, tracker, name, cases, fold_of)
    for line in bring_up_to_date(home):
        board.say(line)
    return _plan(spec, home, board, tracker, name, cases, fold_of), tracker


def look_at_network(spec: Spec, home: Home, board: Board) -> Spec:
    """The spec with what only its network tells; at once, and without Keras, for the built-in one."""
    if units_of(spec.settings) is not None:
        return spec
    from sweeps.environment.keras_backend import prepare_backend

    prepare_backend(deterministic=spec.settings.train.deterministic)
    from sweeps.run.user_network import with_network

    with board.stage("looking at the network"):
        spec, said = with_network(spec, home)
    for line in said:
        board.say(line)
    return spec


def _plan(
    spec: Spec, home: Home, board: Board, tracker: Tracker, name: str | None, cases: Cases, fold_of: list[int]
) -> Plan:
    """Find the starting weights, open the sweep's MLflow run and write down what its workers need."""
    weights, pretraining = find_weights(spec, home, board, tracker)
    made = {
        "digest": weights.digest,
        "source": weights.source,
        "notes": list(weights.notes),
        "pretraining_run": pretraining,
    }
    info = describe(spec, name, cases, fold_of, made)
    check_space(spec, info.name, tracker.candidates(info.name))
    sweep_run = tracker.open_sweep(info)
    with closed_when_stopped(tracker, home, info.name, sweep_run):
        plan = _written(spec, home, info, cases.digest, fold_of, weights, sweep_run)
        _log_givens(tracker, plan, spec, cases, weights)
    return plan


@contextmanager
def closed_when_stopped(tracker: Tracker, home: Home, name: str, sweep_run: str) -> Iterator[None]:
    """A sweep that is stopped before its workers start is closed, unless workers of another launcher are at it."""
    try:
        yield
    except BaseException:  # Ctrl-C, too
        if nobody_present(home.workers_lock(name)):
            tracker.close_lost(sweep_run)
        raise


def _written(
    spec: Spec, home: Home, info: SweepInfo, data: str, fold_of: list[int], weights: StartingWeights, sweep_run: str
) -> Plan:
    """What the workers need, in their file."""
    plan = Plan(
        name=info.name,
        spec=as_table(spec),
        identity=info.digest,
        block_params=info.block_params,
        always_params=info.always_params,
        fold_of=fold_of,
        data_digest=data,
        weights=str(weights.path.resolve()),
        weights_digest=weights.digest,
        sweep_run=sweep_run,
        until=time.time() + 3600 * spec.search.hours if spec.search.hours else math.inf,
    )
    write_plan(home, plan)
    return plan


def _log_givens(tracker: Tracker, plan: Plan, spec: Spec, cases: Cases, weights: StartingWeights) -> None:
    """Keep in MLflow what the sweep starts from: weights, network, pictures."""
    from sweeps.run.user_network import log_network

    log_bases(tracker, plan.sweep_run, spec, weights)
    log_network(tracker, plan.sweep_run, spec.settings.model)
    log_pictures(tracker, plan.sweep_run, cases)
    log_examples(tracker, plan.sweep_run, weights)


def read_cases(spec: Spec, home: Home, board: Board) -> tuple[Cases, list[int]]:
    """The pictures, and the fold from 0 in which each of them validates: fixed for the whole sweep."""
    from trainer.data.cases import load_cases
    from trainer.data.folds import make_folds

    settings = spec.settings
    with board.stage("reading pictures") as step:
        cases = load_cases(settings.data, settings.model.size, home.data, progress=step)
    for note in cases.notes:
        board.say(f"Note: {note}")
    if settings.augmentation.order == "leaky" and settings.augmentation.total <= len(cases):
        raise UserError(
            f"'augmentation.order' is 'leaky', but {settings.augmentation.total} images in total leave nothing to "
            f"augment of {len(cases)}. Set augmentation.total to more than that."
        )
    return cases, make_folds(cases.groups, cases.labels, settings.folds, settings.seed).tolist()


def warn_of_memory(spec: Spec, images: int, workers: int, board: Board) -> None:
    """Say before anything is trained that the workers will hardly fit; they are started all the same."""
    from sweeps.environment.keras_backend import prepare_backend

    prepare_backend(deterministic=spec.settings.train.deterministic)
    from sweeps.run.estimate import expected_shortage

    for line in expected_shortage(spec, images, workers):
        board.say(line)


def check_clash(spec: Spec, board: Board, tracker: Tracker, name: str | None, cases: Cases, fold_of: list[int]) -> None:
    """Raise `UserError` before anything is pre-trained when the name stands for other pictures, folds or settings."""
    from tracking.store.same_sweep import clash, differing_pretraining

    old = None if name is None else tracker.recorded(name)
    if old is None:
        return
    info = describe(spec, name, cases, fold_of, old.weights)  # as if the weights were the same: they are not made yet
    if info.digest != old.digest:
        raise clash(old, info)
    if changed := differing_pretraining(old.spec, info.spec):
        board.say(
            f"Note: {name!r} was recorded with other pre-training ({', '.join(changed)}). If that gives other weights, "
            "this sweep needs a --name of its own, and stops after pre-training."
        )


def find_weights(spec: Spec, home: Home, board: Board, tracker: Tracker) -> tuple[StartingWeights, str]:
    """The weights to start from, pre-trained now if need be, and the id of the MLflow run that records how."""
    from sweeps.environment.keras_backend import prepare_backend

    settings = spec.settings
    prepare_backend(deterministic=settings.train.deterministic)
    from trainer.training.pretraining import starting_weights

    with board.stage("starting weights") as step:
        weights = starting_weights(settings.pretrain, settings.model, home.weights, home.data, step)
    for note in weights.notes:
        board.say(f"Note on the pre-training pictures: {note}")
    if not weights.curve:
        return weights, ""
    params = {"source": weights.source, "best_epoch": weights.best_epoch, **asdict(settings.pretrain)}
    losses = [row["loss"] for row in weights.curve]
    held_out = [row["held_out_dice"] for row in weights.curve]
    return weights, tracker.record_pretraining(weights.digest, params, losses, held_out)

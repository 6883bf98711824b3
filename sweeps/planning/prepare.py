"""What a sweep fixes before its first trial: images, folds, starting weights, and the plan that holds them."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sweeps.environment.home import Home
from sweeps.environment.home_format import bring_up_to_date
from sweeps.environment.imports import heavy_imports
from sweeps.environment.terminal import Board
from sweeps.planning.artifacts import log_bases, log_examples, log_images
from sweeps.planning.distance_notes import distance_notes
from sweeps.planning.equal_images import equal_images, shown_pairs
from sweeps.planning.identity import check_space, describe
from sweeps.planning.labelled_images import on_these, subset_line
from sweeps.planning.open_sweep import OpenSweep, closed_when_stopped
from sweeps.planning.outer_part import check_outer_names, check_parts, read_held_out, read_own
from sweeps.planning.plan import Plan, write_plan
from sweeps.planning.resolve import ResolvedSweep
from sweeps.planning.same_arithmetic import arithmetic_of, check_arithmetic
from sweeps.planning.shared_sweep import publish
from sweeps.planning.starts import Start, check_there, make_starts, refuse_shared, shared_with_pretraining, with_starts
from sweeps.spec.load import Spec
from trainer.candidate import PRETRAINED
from trainer.errors import UserError

if TYPE_CHECKING:  # heavy: each is imported where it is needed
    from tracking.record import SweepInfo
    from tracking.store.writer import Tracker
    from trainer.data.cases import Cases


def prepare(
    resolved: ResolvedSweep, network: Any, home: Home, board: Board, name: str | None, workers: int
) -> OpenSweep:
    """Fix and record everything that the workers need; for a launcher that holds the home's lock.

    `network` is the resolved one; its weights may be replaced. What the images decide of the resolved sweep stands in
    the plan. Raises `UserError` where the data or the weights cannot be used, and where `name` stands for another
    sweep.
    """
    with heavy_imports():
        from tracking.store.writer import Tracker

    inputs = read_inputs(resolved, home, board)
    resolved, cases, fold_of, external = inputs.resolved, inputs.cases, inputs.fold_of, inputs.external
    warn_of_memory(resolved.spec, network, len(cases), workers, board)
    tracker = Tracker.connect(home.tracking_uri, home.artifact_folder)
    check_clash(resolved, board, tracker, name, cases, fold_of, external)
    if name is not None:
        refuse_shared(inputs.shared, tracker.recorded(name), board)
    for line in bring_up_to_date(home):
        board.say(line)
    starts = make_starts(resolved, home, board, tracker)
    info = describe(resolved, name, cases, fold_of, starts[PRETRAINED].table, external)
    info = with_starts(info, tracker.recorded(info.name), {origin: start.table for origin, start in starts.items()})
    if name is None:
        refuse_shared(inputs.shared, tracker.recorded(info.name), board)
    check_outer_names(resolved.spec, info.name, tracker.recorded)
    check_arithmetic(info, tracker.recorded(info.name))
    check_space(resolved, info.name, tracker.candidates(info.name))
    plan = _plan(resolved, info, cases.digest, fold_of, starts, tracker.open_sweep(info))
    plan = replace(plan, external={name: one.digest for name, one in external.items()})
    sweep = OpenSweep(home, plan, tracker)
    with closed_when_stopped(sweep):
        write_plan(home, plan)
        _log_inputs(sweep, network, cases, starts)
        if home.many_machines:
            with board.stage("sending plan and images to MLflow"):
                publish(tracker, plan, cases, external, home.clock_ahead())
    return sweep


@dataclass(frozen=True)
class Inputs:
    """The images of a sweep, read: its `cases` with the fold of each, the `external` test sets, the sweep `resolved` on
    these, and a sentence for every start that was pre-trained on what it would be scored on (`shared`).
    """

    resolved: ResolvedSweep
    cases: Cases
    fold_of: list[int]
    external: Mapping[str, Cases]
    shared: Sequence[str]


def read_inputs(resolved: ResolvedSweep, home: Home, board: Board) -> Inputs:
    """Read and compare all images, for the sweep as for its dry run. Raises `UserError` where they cannot be used."""
    check_there(resolved)
    cases, fold_of = read_cases(resolved.spec, home, board)
    resolved = on_these(resolved, cases, fold_of)
    if line := subset_line(resolved, len(cases)):
        board.say(line)
    external = read_external(resolved.spec, home, board, cases)
    shared = shared_with_pretraining(resolved, home, board, {"the sweep's own images": cases, **external})
    return Inputs(resolved, cases, fold_of, external, shared)


def _plan(
    resolved: ResolvedSweep,
    info: SweepInfo,
    data: str,
    fold_of: list[int],
    starts: Mapping[str, Start],
    sweep_run: str,
) -> Plan:
    hours = resolved.search.hours
    files = {origin: (str(one.weights.path.resolve()), one.weights.digest) for origin, one in starts.items()}
    weights, weights_digest = files.pop(PRETRAINED)
    return Plan(
        name=info.name,
        resolved=resolved,
        identity=info.digest,
        fold_of=tuple(fold_of),
        data_digest=data,
        weights=weights,
        weights_digest=weights_digest,
        starts=files,
        sweep_run=sweep_run,
        deadline=time.time() + 3600 * hours if hours else math.inf,
        arithmetic=arithmetic_of(info),
    )


def _log_inputs(sweep: OpenSweep, network: Any, cases: Cases, starts: Mapping[str, Start]) -> None:
    """Keep in MLflow what the sweep starts from: weights, network, images."""
    from sweeps.planning.user_network import log_network

    tracker, run = sweep.tracker, sweep.plan.sweep_run
    log_bases(tracker, run, sweep.resolved, network, [start.weights.path for start in starts.values()])
    log_network(tracker, run, sweep.resolved.settings.model)
    log_images(tracker, run, cases)
    log_examples(tracker, run, starts[PRETRAINED].weights)


def read_cases(spec: Spec, home: Home, board: Board) -> tuple[Cases, list[int]]:
    """Read the images and give each the fold (from 0) that it validates in, fixed for the whole sweep."""
    from trainer.data.folds import make_folds

    settings = spec.settings
    with board.stage("reading images") as step:
        cases = read_own(spec, home.data, step)
    if spec.held_out is None:  # else all this was said of the whole
        for reading in cases.readings:
            board.say(reading)
        for note in (*cases.notes, *distance_notes(cases, settings.score)):
            board.say(f"Note: {note}")
    if settings.augmentation.order == "leaky" and settings.augmentation.total <= len(cases):
        raise UserError(
            f"'augmentation.order' is 'leaky', but {settings.augmentation.total} images in total leave nothing to "
            f"augment of {len(cases)}. Set augmentation.total to more than that."
        )
    check_parts(spec, cases)
    return cases, make_folds(cases.groups, cases.labels, settings.folds, settings.seed).tolist()


def read_external(spec: Spec, home: Home, board: Board, cases: Cases) -> dict[str, Cases]:
    """Read the external test sets, and what an outer part holds out. Raises `UserError` where one shares images with
    the sweep's own `cases`.
    """
    from trainer.data.cases import load_cases

    found = read_held_out(spec, home.data)  # groups are whole in a part, so it shares none
    for name, config in ((one.name, one.data) for one in spec.test):
        try:
            with board.stage(f"reading test set {name}") as step:
                external = load_cases(config, spec.settings.model.size, home.data, progress=step)
        except UserError as error:
            raise UserError(f"Test set '{name}': {error}") from error
        if pairs := equal_images(external, cases):
            raise UserError(
                f"A test set must hold other images than the sweep trains on, but {len(pairs)} of '{name}' are equal "
                f"or nearly equal to one of these: {shown_pairs(pairs)}. Take them out of either."
            )
        board.say(f"Test set {name}: {len(external)} images in {external.group_count} groups, from {external.source}.")
        for line in (*external.readings, *(f"Note: {note}" for note in external.notes)):
            board.say(f"Test set {name}: {line}")
        found[name] = external
    return found


def warn_of_memory(spec: Spec, network: Any, images: int, workers: int, board: Board) -> None:
    """Warn before anything is trained where the workers will hardly fit; they are started all the same."""
    from sweeps.planning.estimate import expected_shortage

    for line in expected_shortage(spec, network, images, workers):
        board.say(line)


def check_clash(
    resolved: ResolvedSweep,
    board: Board,
    tracker: Tracker,
    name: str | None,
    cases: Cases,
    fold_of: list[int],
    external: Mapping[str, Cases],
) -> None:
    """Raise `UserError` before anything is pre-trained when the name stands for other images, folds or settings."""
    from tracking.store.same_sweep import clash, differing_pretraining

    recorded_info = None if name is None else tracker.recorded(name)
    if recorded_info is None:
        return
    # As if the weights were the same: they are not made yet.
    info = describe(resolved, name, cases, fold_of, recorded_info.weights, external)
    if info.digest != recorded_info.digest:
        raise clash(recorded_info, info)
    check_arithmetic(info, recorded_info)
    if changed := differing_pretraining(recorded_info.spec, info.spec):
        board.say(
            f"Note: {name!r} was recorded with other pre-training ({', '.join(changed)}). If that gives other weights, "
            "this sweep needs a --name of its own, and stops after pre-training."
        )

"""The story of a nested cross-validation: the same search without each part of the images, scored on that part.

The sweep itself, on all images, comes first: it says which blocks to thaw. The sweeps of the outer parts say how good
the procedure is that chose them (docs/nested.md).
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sweeps.commands.finish import conclude
from sweeps.commands.price import price
from sweeps.environment.home import Home
from sweeps.environment.terminal import Board
from sweeps.planning.outer_part import part_spec
from sweeps.planning.plan import read_plan
from sweeps.run.launchers.contract import Launcher
from sweeps.spec.load import Spec
from sweeps.sweep import run_sweep
from tracking.sweep_names import HELD_OUT, outer_name
from trainer.candidate import Candidate
from trainer.errors import UserError

if TYPE_CHECKING:  # heavy
    from trainer.results import FoldResult
    from trainer.training.ledger import Entry


@dataclass(frozen=True)
class Parts:
    """What a run of the outer parts did: the trials without a score, by sweep and name; how to follow the workers that
    were left to somebody else's queue.
    """

    failed: tuple[str, ...] = ()
    submitted: tuple[str, ...] = ()


def deadline_of(spec: Spec) -> float:
    """The Unix time after which a command that begins now begins no training."""
    return time.time() + 3600 * spec.search.hours if spec.search.hours else math.inf


def run_parts(
    spec: Spec,
    home: Home,
    board: Board,
    sweep: str,
    *,
    workers: int,
    deadline: float,
    retry_failed: bool,
    launcher: Launcher,
) -> Parts:
    """Run the sweep of each outer part of `sweep` to its end, or go on with them, and score what each has chosen on the
    part that it never saw. Nothing is begun after the `deadline` (Unix time).
    """
    failed: list[str] = []
    submitted: list[str] = []
    for part in range(1, spec.outer + 1):
        if time.time() >= deadline:
            board.say(f"The time is up: {spec.outer - part + 1} outer parts wait. The same command goes on from there.")
            break
        inner, name = part_spec(spec, sweep, part), outer_name(sweep, part, spec.outer)
        if math.isfinite(deadline):
            inner = replace(inner, search=replace(inner.search, hours=(deadline - time.time()) / 3600))
        board.say(f"Outer part {part} of {spec.outer}: the same search without it, as {name}.")
        outcome = run_sweep(
            inner, home, board, workers=workers, name=name, retry_failed=retry_failed, launcher=launcher
        )
        failed += [f"{name}: {trial}" for trial in outcome.failed]
        if outcome.submitted:
            submitted.append(outcome.submitted)
        elif outcome.complete:
            score_choice(home, board, name)
    return Parts(tuple(failed), tuple(submitted))


def score_choice(home: Home, board: Board, name: str) -> None:
    """Close the sweep of an outer part: its report, and what its choice, trained on all its images, scores on the part.

    Nothing is trained for a choice that is recorded already, nor where no training scores highest.
    """
    from tracking.best_mask.nested import choice_of
    from tracking.record import Refit
    from tracking.store.external_tags import external_of

    ended = conclude(home, name)
    choice = choice_of(ended.record)
    if choice is None:
        board.say(f"{name} has chosen nothing, so the part that it leaves out has no score.")
        return
    chosen, refit = choice.trial.info.candidate, ended.record.refit
    if choice.trainings and (refit is None or not choice.is_trained_in(refit)):
        seconds = choice.trial.seconds / len(ended.record.info.folds)
        results = _trained_on_all(home, board, name, choice.trainings, seconds)
        ended.tracker.record_refit(ended.record.run_id, Refit(chosen, external_of(results)))
    board.say(f"{name} has chosen {chosen.name}; scored on the {HELD_OUT} part.")


def _trained_on_all(
    home: Home, board: Board, name: str, trainings: Sequence[Candidate], fold_seconds: float
) -> list[FoldResult]:
    """A candidate, once a seed, trained on all images of the sweep of an outer part, with its scores on the part.

    `fold_seconds`: how long a fold of it took. Raises `UserError` where a training fails.
    """
    from sweeps.run.load_cross_validation import load_cross_validation, planned_cases
    from trainer.errors import TrialFailed
    from trainer.training.refit import train_on_all

    plan = read_plan(home, name)
    cross_validation, cases = load_cross_validation(home, plan), planned_cases(home, plan)
    folds, results = plan.resolved.settings.folds, []
    for candidate in trainings:
        board.say(price(candidate, 1, fold_seconds * folds / (folds - 1)))
        try:
            with board.stage(f"training {candidate.name} on all {len(cases)} images of {name}") as step:
                result, fold = train_on_all(cross_validation, cases, candidate, step)
        except TrialFailed as failed:
            raise UserError(
                f"{name} has chosen {candidate.name}, but that cannot be trained on all its images: {failed} Without "
                "it the whole procedure has no score."
            ) from failed
        if plan.resolved.spec.keep != "all":
            _let_go(cross_validation.ledger.entry(cross_validation.key(candidate, fold)))
        results.append(result)
    return results


def _let_go(entry: Entry) -> None:
    """The scores stay in the ledger, the weights go."""
    entry.lose_state()
    for epochs in entry.budgets():
        entry.lose_weights(epochs)

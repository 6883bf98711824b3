"""The story of a sweep: fix what is measured, list what is missing, let workers do it, read the answer back."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sweeps.environment.home import Home
from sweeps.environment.terminal import Board
from sweeps.run.blocks import network_space
from sweeps.run.launch import launch
from sweeps.run.plan import Plan
from sweeps.run.prepare import closed_when_stopped, look_at_network, prepared
from sweeps.spec.load import Spec
from sweeps.spec.space import Space, listed
from sweeps.strategies.history import History, PastTrial, Status
from sweeps.strategies.propose import check_budget, spent, to_do, warnings
from trainer.config import Candidate
from trainer.files import locked, nobody_present

if TYPE_CHECKING:  # heavy: each is imported where the story needs it
    from tracking.record import TrialState


@dataclass(frozen=True)
class Outcome:
    """What a run of a sweep did: its name, how many candidates it trained, those without a score."""

    name: str
    trained: int
    failed: tuple[str, ...]


def run_sweep(
    spec: Spec, home: Home, board: Board, *, workers: int, name: str | None = None, retry_failed: bool = False
) -> Outcome:
    """Run a sweep to its end, or go on with it; what is recorded in MLflow already is not done again."""
    spec = look_at_network(spec, home, board)
    space = network_space(spec)
    check_budget(spec.search, space, spec.settings)
    for line in warnings(spec.search, space.n_blocks):
        board.say(line)
    with locked(home.launch_lock, waiting=board.waiting):
        plan, tracker = prepared(spec, home, board, name, workers)
        with closed_when_stopped(tracker, home, plan.name, plan.sweep_run):
            before = tracker.trials(plan.sweep_run)
            wanted = listed(spec.search, space, spec.settings)
            missing = _missing(wanted, before, retry_failed)
            waiting = _enlist(spec, home, plan, space, missing, before, retry_failed)
    if waiting:
        board.say(f"{plan.name}: {to_do(spec.search, len(missing), len(wanted), len(before))}, {workers} workers.")
        try:
            folds, trials = spec.settings.folds, spec.search.trials
            searching = spec.search.proposes
            with board.searching(len(before), trials, folds) if searching else board.training(missing, folds) as listen:
                launch(home, plan.name, workers, listen)
        finally:
            if nobody_present(home.workers_lock(plan.name)):
                tracker.close_lost(plan.sweep_run)  # the sweep's own too; its report finishes that one
    else:
        board.say(f"{plan.name}: all {len(before)} trials are recorded; nothing to train.")
    _say_waiting(home, plan, board)
    return _outcome(plan.name, before, tracker.trials(plan.sweep_run))


def _say_waiting(home: Home, plan: Plan, board: Board) -> None:
    """After a deadline: what was not begun."""
    from sweeps.engines import optuna_queue

    waiting = [one.candidate.name for one in optuna_queue.history(home.storage_url, plan.name) if one.status == "open"]
    if time.time() >= plan.until:
        more = f", such as {waiting[0]}" if waiting else ""
        hours = f"{plan.resolved.search.hours:g}"
        board.say(
            f"The time is up ({hours} hours): {len(waiting)} trials wait{more}. What had begun was finished; the same "
            "command goes on from there."
        )


def _enlist(
    spec: Spec,
    home: Home,
    plan: Plan,
    space: Space,
    missing: Sequence[Candidate],
    recorded: Mapping[str, TrialState],
    retry_failed: bool,
) -> bool:
    """Put what is missing on the study's list; whether there is anything to do, for this launcher or another."""
    from sweeps.engines import optuna_queue

    lost: list[Candidate] = []
    if retry_failed:
        _forget_failures(home)
        lost += [one.candidate for one in recorded.values() if spec.search.proposes and one.status == "FAILED"]
    if nobody_present(home.workers_lock(plan.name)):
        optuna_queue.release(home.storage_url, plan.name)
        lost += [state.candidate for state in recorded.values() if state.cut_off]  # by KerasTuner, or the study is new
    optuna_queue.fill(home.storage_url, plan.name, plan.identity, _seen(recorded.values()), plan.n_blocks)
    if spec.search.proposes:  # MLflow is the record: what only the study knows is recorded again, out of the ledger
        known = optuna_queue.history(home.storage_url, plan.name)
        lost += [one.candidate for one in known if one.score is not None and one.candidate.key not in recorded]
    optuna_queue.enqueue(home.storage_url, plan.name, dict.fromkeys([*missing, *lost]), plan.n_blocks)
    seen = optuna_queue.history(home.storage_url, plan.name)
    if any(one.status == "open" for one in seen):
        return True
    return spec.search.proposes and _more(spec, space, seen)


def _seen(recorded: Iterable[TrialState]) -> list[PastTrial]:
    """What MLflow has a score of, or the reason why there is none."""
    status: dict[str, Status] = {"FINISHED": "done", "DROPPED": "dropped", "FAILED": "failed"}
    return [
        PastTrial(
            state.candidate, status[state.status], state.score, state.folds, state.seconds, state.trainable_params
        )
        for state in recorded
        if state.status == "FAILED" or (state.status in status and state.score is not None)
    ]


def _more(spec: Spec, space: Space, seen: Sequence[PastTrial]) -> bool:
    """Whether the search may go on, so that no worker is started for nothing."""
    return not spent(spec.search, History(tuple(seen))) and sum(one.candidate in space for one in seen) < len(space)


def _missing(candidates: Sequence[Candidate], trials: dict[str, Any], retry_failed: bool) -> list[Candidate]:
    done = {"FINISHED"} if retry_failed else {"FINISHED", "FAILED"}
    return [one for one in candidates if one.key not in trials or trials[one.key].status not in done]


def _forget_failures(home: Home) -> None:
    """Let the ledger forget every failure; those that still hold fail again, with the same reason."""
    for path in home.ledger.glob("*/*/failed.json"):
        path.unlink()


def _outcome(name: str, before: Mapping[str, TrialState], after: Mapping[str, TrialState]) -> Outcome:
    def scored(states: Mapping[str, TrialState]) -> set[str]:
        return {key for key, state in states.items() if state.status == "FINISHED"}

    without = tuple(state.candidate.name for state in after.values() if state.status not in ("FINISHED", "DROPPED"))
    return Outcome(name, len(scored(after) - scored(before)), without)

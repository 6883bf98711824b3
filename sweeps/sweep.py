"""The story of a sweep: fix what is measured, list what is missing, let workers do it, read the answer back."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sweeps.environment.home import Home
from sweeps.environment.terminal import Board
from sweeps.locks import contract
from sweeps.planning.open_sweep import OpenSweep, closed_when_stopped
from sweeps.planning.outer_part import check_choice
from sweeps.planning.prepare import prepare
from sweeps.planning.resolve import look_and_resolve
from sweeps.run.launchers.contract import Crew, Launcher, Submitted
from sweeps.run.launchers.local import LocalLauncher
from sweeps.run.progress import follow_list, follow_search
from sweeps.spec.load import Spec
from sweeps.strategies.list_windows import not_handed_out
from sweeps.strategies.propose import check_budget, planned_work, warnings
from trainer.candidate import Candidate

if TYPE_CHECKING:  # heavy
    from tracking.record import TrialState


LOCAL = LocalLauncher()


@dataclass(frozen=True)
class Outcome:
    """What a run of a sweep did: its name, how many candidates it trained, those without a score; where its workers
    were left to somebody else's queue, how to follow them; and whether it is `complete`, for its time may be up first.
    """

    name: str
    trained: int
    failed: tuple[str, ...]
    submitted: str = ""
    complete: bool = True


def run_sweep(
    spec: Spec,
    home: Home,
    board: Board,
    *,
    workers: int,
    name: str | None = None,
    retry_failed: bool = False,
    launcher: Launcher = LOCAL,
) -> Outcome:
    """Run a sweep to its end, or go on with it; what is recorded in MLflow already is not done again."""
    from sweeps.run.enlist import enlist, missing_candidates
    from sweeps.run.lost_states import trained_again

    launcher.check(home, workers)
    for line in _half_shared(home):
        board.say(line)
    resolved, network = look_and_resolve(spec, home, board)
    check_budget(resolved.search, resolved.space, resolved.listed, resolved.settings.folds)
    check_choice(resolved)
    from sweeps.planning.outer_price import outer_lines  # heavy

    for line in (*warnings(resolved.search, resolved.n_blocks), *outer_lines(resolved)):
        board.say(line)
    with home.locks.held(contract.LAUNCH, waiting=board.waiting):
        sweep = prepare(resolved, network, home, board, name, 0 if launcher.elsewhere else workers)
        with closed_when_stopped(sweep):
            states_before = sweep.tracker.trials(sweep.plan.sweep_run)
            candidates = missing_candidates(sweep.resolved.listed, states_before, retry_failed=retry_failed)
            something_to_do = enlist(sweep, candidates, states_before, retry_failed=retry_failed)
    del network  # workers need the memory
    submitted = None
    if something_to_do:
        info = sweep.tracker.recorded(sweep.name)
        if info is not None and (note := trained_again(sweep, candidates, states_before, info.folds)):
            board.say(note)
        submitted = _train(sweep, board, candidates, len(states_before), workers, launcher)
    else:
        board.say(f"{sweep.name}: all {len(states_before)} trials are recorded; nothing to train.")
    if submitted is not None:
        return Outcome(sweep.name, 0, (), submitted.text, complete=False)
    complete = _nothing_is_left(sweep, board)
    return _outcome(sweep.name, states_before, sweep.tracker.trials(sweep.plan.sweep_run), complete)


def _half_shared(home: Home) -> list[str]:
    """What works where only one of study and record lies on a server."""
    if home.shared_storage is not None and not home.many_machines:
        return [
            "Note: the study lies in PostgreSQL, but the record in this home, so only workers with this home can join. "
            "For other machines set MLFLOW_TRACKING_URI=http://... to an MLflow server."
        ]
    if home.shared_storage is None and home.record_on_server:
        return [
            "Note: the record lies on a server, but the study in this home, so only workers of this machine can join. "
            "For other machines give --storage, the address of a PostgreSQL database."
        ]
    return []


def _train(
    sweep: OpenSweep,
    board: Board,
    candidates: Sequence[Candidate],
    recorded_trials: int,
    workers: int,
    launcher: Launcher,
) -> Submitted | None:
    """Let workers drain the list, showing how far they are; or leave them to a queue that nobody waits for."""
    search, folds = sweep.resolved.search, sweep.resolved.settings.folds
    work_text = planned_work(search, len(candidates), len(sweep.resolved.listed), recorded_trials)
    board.say(f"{sweep.name}: {work_text}, {workers} workers.")
    crew = Crew(sweep.home, sweep.name, workers)
    if not launcher.follows:
        return launcher.launch(crew, lambda message: None)
    progress = (
        follow_search(board, recorded_trials, search.trials, folds)
        if search.proposes
        else follow_list(board, candidates, folds)
    )
    try:
        with progress as listen:
            return launcher.launch(crew, listen)
    finally:
        sweep.close_lost()  # the sweep's own run too; its report finishes that one


def _nothing_is_left(sweep: OpenSweep, board: Board) -> bool:
    """Whether all is done; after a deadline, says what was not begun."""
    from sweeps.engines import optuna_queue
    from sweeps.run.enlist import may_propose

    if time.time() < sweep.plan.deadline:
        return True
    trials = optuna_queue.history(sweep.home.storage_url, sweep.name)
    waiting = [trial.candidate.name for trial in trials if trial.status == "open"]
    waiting += [candidate.name for candidate in not_handed_out(sweep.resolved.listed, trials)]
    example = f", such as {waiting[0]}" if waiting else ""
    board.say(
        f"The time is up ({sweep.resolved.search.hours:g} hours): {len(waiting)} trials wait{example}. What had begun "
        "was finished; the same command goes on from there."
    )
    return not waiting and not may_propose(sweep.resolved, trials)


def _outcome(name: str, before: Mapping[str, TrialState], after: Mapping[str, TrialState], complete: bool) -> Outcome:
    def scored(trials: Mapping[str, TrialState]) -> set[str]:
        return {key for key, trial in trials.items() if trial.status == "FINISHED"}

    failed = tuple(trial.candidate.name for trial in after.values() if trial.status not in ("FINISHED", "DROPPED"))
    return Outcome(name, len(scored(after) - scored(before)), failed, complete=complete)

"""The study's list is brought up to date with the record before any worker starts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from sweeps.engines import optuna_queue
from sweeps.planning.open_sweep import OpenSweep
from sweeps.planning.resolve import ResolvedSweep
from sweeps.strategies.history import History, PastTrial, Status
from sweeps.strategies.list_windows import WINDOW, not_handed_out
from sweeps.strategies.propose import is_spent
from trainer.candidate import Candidate
from trainer.training.ledger import forget_failures

if TYPE_CHECKING:  # heavy
    from tracking.record import TrialState

TrialStates = Mapping[str, "TrialState"]  # `Candidate.key` -> what MLflow knows of it
STATUS: Mapping[str, Status] = {"FINISHED": "done", "DROPPED": "dropped", "FAILED": "failed"}


def missing_candidates(candidates: Iterable[Candidate], states: TrialStates, *, retry_failed: bool) -> list[Candidate]:
    """The candidates without a score; one that failed counts as done unless it is to be tried again."""
    done_statuses = {"FINISHED"} if retry_failed else {"FINISHED", "FAILED"}
    return [candidate for candidate in candidates if _status(candidate, states) not in done_statuses]


def _status(candidate: Candidate, states: TrialStates) -> str:
    return states[candidate.key].status if candidate.key in states else ""


def enlist(sweep: OpenSweep, candidates: Sequence[Candidate], states: TrialStates, *, retry_failed: bool) -> bool:
    """Put candidates and lost trials on the study's list; whether there is anything to do, for any launcher.

    Of a long list the first window: workers put the others on it (`sweeps.strategies.list_windows`).
    """
    url, blocks, resolved = sweep.home.storage_url, sweep.resolved.n_blocks, sweep.resolved
    extra: list[Candidate] = []
    if retry_failed:
        forget_failures(sweep.home.ledger)
        extra += _failed_proposals(resolved, states)
    if sweep.abandoned:
        optuna_queue.release(url, sweep.name)
        extra += [trial.candidate for trial in states.values() if trial.cut_off]  # by KerasTuner; or the study is new
    attempts = 1 + max((trial.attempt for trial in states.values()), default=-1)
    optuna_queue.fill(url, sweep.name, sweep.plan.identity, past_trials(states.values()), blocks, attempts)
    trials = optuna_queue.history(url, sweep.name)
    if resolved.search.proposes:
        extra += _unrecorded(trials, states)
    else:
        candidates = _first_window(candidates, trials)
    if optuna_queue.enqueue(url, sweep.name, dict.fromkeys([*candidates, *extra]), blocks):
        return True
    return any(trial.status == "open" for trial in trials) or may_propose(resolved, trials)


def _first_window(candidates: Sequence[Candidate], trials: Sequence[PastTrial]) -> list[Candidate]:
    """What to put on the list at once: all that is to be tried again, for workers know only what was never handed out,
    and as many of the others as may wait.
    """
    new = list(not_handed_out(candidates, trials))
    later = set(new[WINDOW:])
    return [candidate for candidate in candidates if candidate not in later]


def _failed_proposals(resolved: ResolvedSweep, states: TrialStates) -> list[Candidate]:
    return [trial.candidate for trial in states.values() if resolved.search.proposes and trial.status == "FAILED"]


def _unrecorded(trials: Iterable[PastTrial], states: TrialStates) -> list[Candidate]:
    """Candidates that only the study has a score of: the ledger gives them to MLflow, which is the record."""
    return [trial.candidate for trial in trials if trial.score is not None and trial.candidate.key not in states]


def past_trials(states: Iterable[TrialState]) -> list[PastTrial]:
    """The trials that MLflow has a score of, or the reason why there is none."""
    return [
        PastTrial(
            trial.candidate, STATUS[trial.status], trial.score, trial.folds, trial.seconds, trial.trainable_params
        )
        for trial in states
        if trial.status == "FAILED" or (trial.status in STATUS and trial.score is not None)
    ]


def may_propose(resolved: ResolvedSweep, trials: Sequence[PastTrial]) -> bool:
    """Whether a search may go on, so that no worker is started for nothing."""
    if not resolved.search.proposes or is_spent(resolved.search, History(tuple(trials))):
        return False
    return sum(trial.candidate in resolved.space for trial in trials) < len(resolved.space)

"""Optuna's queue: holds the list of candidates, hands them to any number of workers, asks for more when it is empty.

One study of the sweep's name lives in an RDB storage and runs through `study.optimize`, since heartbeat and retry exist
only there (docs/design.md, decision 8). What to propose is decided elsewhere (`sweeps.strategies.propose`).
"""

from __future__ import annotations

import math
import time
import uuid
import warnings
from collections.abc import Callable, Iterable, MutableMapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import optuna
from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import Trial, TrialState

from sweeps.engines import optuna_crashes, optuna_storage
from sweeps.engines.optuna_rights import BEFORE, Right
from sweeps.engines.optuna_storage import check_held, explains_errors, open_study, wait_for_held, waiting
from sweeps.engines.optuna_trials import (
    PAID,
    attributes,
    foreign_trial_error,
    is_ours,
    parameters,
    past_trial,
    suggest_candidate,
    to_frozen_trial,
)
from sweeps.strategies.history import Claim, Evaluate, PastTrial, Propose, Scored, Status
from tracking.redact import redact
from trainer.candidate import Candidate
from trainer.errors import Drained, LeaseLost, Preempted, TrialFailed, UserError
from trainer.stopping import Stop

POLL_SECONDS = 1.0
LONGEST_NOTE = 2000  # characters; an attribute of a study takes 2045
# A recorded trial replaces what the study knows of its candidate: a whole score replaces an estimate.
_REPLACES: dict[Status, tuple[Status | None, ...]] = {
    "done": (None, "failed", "open", "dropped"),
    "dropped": (None, "failed"),
    "failed": (None,),
    "open": (),
}
UNFINISHED = (TrialState.WAITING, TrialState.RUNNING)


@explains_errors
def enqueue(url: str, name: str, candidates: Iterable[Candidate], n_blocks: int) -> int:
    """Put candidates on the list, leaving out those that wait or run already; returns how many were added.

    One process does this, before any worker starts.
    """
    return _enqueue(open_study(url, name), candidates, n_blocks)


def _enqueue(study: optuna.Study, candidates: Iterable[Candidate], n_blocks: int) -> int:
    unfinished = {trial.user_attrs["key"] for trial in study.get_trials(states=UNFINISHED) if is_ours(trial)}
    new = [candidate for candidate in candidates if candidate.key not in unfinished]
    for candidate in new:
        study.enqueue_trial(parameters(candidate, n_blocks), user_attrs=attributes(candidate))
    return len(new)


@explains_errors
def fill(url: str, name: str, identity: str, trials: Iterable[PastTrial], n_blocks: int, attempts: int = 0) -> None:
    """Add the trials to the study that it does not know: it may have been deleted, or others search too.

    `identity` is what the sweep measures; `attempts` how many attempts at trials the record has, from which a new study
    counts on. Raises `UserError` when the study was made for something else, and when
    somebody else has put a trial on its list.
    """
    study = open_study(url, name)
    _check_identity(study, identity, n_blocks, url, attempts)
    _refuse_foreign(study)
    known_status: dict[str, Status] = {trial.candidate.key: trial.status for trial in _history(study)}
    for trial in trials:
        if known_status.get(trial.candidate.key) in _REPLACES[trial.status]:
            study.add_trial(to_frozen_trial(trial, n_blocks))


@explains_errors
def release(url: str, name: str) -> None:
    """Put back every trial that still counts as running; only for when no worker of the sweep is alive.

    So a sweep that was stopped goes on at once, without waiting for heartbeats to grow stale, and being stopped does
    not count towards the times a crash is forgiven.
    """
    study = open_study(url, name)
    for trial in study.get_trials(states=(TrialState.RUNNING,)):
        optuna_crashes.put_back(study, trial)
        study.tell(trial.number, state=TrialState.FAIL)


@explains_errors
def drain(
    url: str,
    name: str,
    evaluate: Evaluate,
    n_blocks: int,
    propose: Propose | None = None,
    turn: Callable[[], AbstractContextManager[Any]] = nullcontext,
    deadline: float = math.inf,
    stop: Stop | None = None,
) -> None:
    """Work off the list until nothing waits and no other worker is busy; failed trials do not stop it. Nothing new is
    begun after the `deadline` (Unix time). Raises `Preempted` when a `stop` is asked for; the trial that runs then is
    given back.

    Where nothing waits, `propose` is asked for more candidates, by one worker at a time (inside `turn()`); none of them
    says that there are none now. `evaluate` raises `TrialFailed` for a candidate that cannot score, and `LeaseLost` for
    one that another worker has taken over, which is no end of this one; any other exception is a bug and comes through.
    """
    study, stop = open_study(url, name), stop or Stop()
    worker = uuid.uuid4().hex
    first_seen: dict[int, float] = {}

    def objective(trial: Trial) -> float:
        # The heartbeat's own thread may not have written yet. Once the attribute stands, a heartbeat does too.
        trial.storage.record_heartbeat(trial._trial_id)  # type: ignore[attr-defined]  # of an RDB storage
        waiting(study, lambda: trial.set_user_attr("worker", f"{worker}:{trial.number}"))
        candidate, right = suggest_candidate(trial, n_blocks), Right(study, trial)
        try:
            with stop.doing_at_last(lambda: optuna_crashes.give_back(study, trial)):
                scored = evaluate(candidate, _claim(trial, right))
        except (Preempted, UserError):  # a full disk of this machine: another may do it
            optuna.logging.set_verbosity(optuna.logging.ERROR)  # it would log a stop like a bug, with a traceback
            right.end()
            optuna_crashes.give_back(study, trial)
            raise
        except TrialFailed as failed:
            right.end()
            write_note(study, trial, f"{candidate.name}\n\nFailed: {failed}")
            raise
        right.settle()
        return waiting(study, lambda: _conclude(study, trial, candidate, scored))

    while time.time() < deadline:
        stop.leave_if_asked()
        try:
            _run_next(study, objective)
        except Drained:
            if propose is not None and _enqueue_proposal(study, propose, turn, n_blocks):
                continue
            if not study.get_trials(deepcopy=False, states=UNFINISHED):
                return
            check_held(study)
            _put_back_unstarted(study, first_seen)
            time.sleep(POLL_SECONDS)
    wait_for_held(study)


def _claim(trial: Trial, right: Right) -> Claim:
    """The trial as its evaluation sees it."""
    note_reached = optuna_crashes.noting(trial)
    return Claim(
        report=lambda dice, fold: right.note(lambda: trial.report(dice, fold)),
        reached=lambda reached: right.note(lambda: note_reached(reached)),
        given_up=optuna_crashes.given_up(trial.user_attrs),
        attempt=right.attempt,
        hold=right.hold,
    )


def _conclude(study: optuna.Study, trial: Trial, candidate: Candidate, scored: Scored) -> float:
    """Write down what a trial took and where it is shown; its score. Raises `TrialPruned` for a dropped candidate."""
    page = f"[This trial in MLflow]({scored.page}) (start `thaw ui` first)" if scored.page else ""
    write_note(study, trial, f"{candidate.name}\n\n{page}")
    for key in PAID:
        trial.set_user_attr(key, getattr(scored, key))
    if scored.dropped_after:
        trial.set_user_attr("estimate", scored.score)
        raise optuna.TrialPruned
    return scored.score


def write_note(study: optuna.Study, trial: Trial, note: str) -> None:
    """Write the note that `optuna-dashboard` shows beside a trial, in Markdown; the dashboard need not be installed."""
    version_key, text_key = f"dashboard:{trial._trial_id}:note_ver", f"dashboard:{trial._trial_id}:note_str:0"
    study._storage.set_study_system_attr(study._study_id, version_key, 1)
    study._storage.set_study_system_attr(study._study_id, text_key, note[:LONGEST_NOTE])


def _enqueue_proposal(
    study: optuna.Study, propose: Propose, turn: Callable[[], AbstractContextManager[Any]], n_blocks: int
) -> bool:
    """Whether the list holds a candidate now. Only one worker asks at a time: no candidate is proposed twice."""
    with turn():
        if study.get_trials(deepcopy=False, states=(TrialState.WAITING,)):
            return True  # another worker was faster
        return bool(_enqueue(study, propose(_history(study)), n_blocks))


@explains_errors
def history(url: str, name: str) -> tuple[PastTrial, ...]:
    """Every candidate that was handed out, in that order, with what became of it."""
    return _history(open_study(url, name))


def _history(study: optuna.Study) -> tuple[PastTrial, ...]:
    """Once each: a trial that was lost with its worker has a copy that counts, a dropped one that was asked for again
    the whole trial.
    """
    newest: dict[str, PastTrial] = {}
    for trial in map(past_trial, filter(is_ours, study.get_trials(deepcopy=False))):
        before = newest.get(trial.candidate.key)
        if before is None or trial.status != "failed" or before.status == "failed":  # no failed repeat
            newest[trial.candidate.key] = trial
    return tuple(newest.values())


def _check_identity(study: optuna.Study, identity: str, n_blocks: int, url: str, attempts: int) -> None:
    """Raise `UserError` where a study belongs to another sweep or network."""
    expected = {"thaw": identity, "blocks": n_blocks}
    stored = {key: study.user_attrs.get(key) for key in expected}
    if not study.get_trials(deepcopy=False) and not any(stored.values()):
        for key, value in (expected | {BEFORE: attempts}).items():
            study.set_user_attr(key, value)
    elif stored != expected or study.directions != [optuna.study.StudyDirection.MAXIMIZE]:
        raise UserError(
            f"The study '{study.study_name}' in {redact(url)} was made for another space, direction or data set, and "
            "is not gone on with. Choose another --name, or remove that study."
        )


def _refuse_foreign(study: optuna.Study) -> None:
    """A trial that thaw did not list is never trained: it is reported once and marked as failed."""
    for trial in study.get_trials(deepcopy=False, states=(TrialState.WAITING,)):
        if not is_ours(trial):
            study._storage.set_trial_state_values(trial._trial_id, TrialState.FAIL)
            raise foreign_trial_error(trial, study.study_name)


def _run_next(study: optuna.Study, objective: Callable[[Trial], float]) -> None:
    """Take the next trial and run it to its end. A trial that was lost on the way has been ended by whoever took it."""
    taken: list[Trial] = []
    reasons: list[Exception] = []

    def noted(trial: Trial) -> float:
        taken.append(trial)
        try:
            return objective(trial)
        except (Preempted, UserError) as reason:  # the trial is given back, so Optuna raises only that it has ended
            reasons.append(reason)
            raise

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        try:
            study.optimize(noted, n_trials=1, catch=(TrialFailed, LeaseLost))
        except (
            UpdateFinishedTrialError,
            ValueError,
        ) as error:  # what Optuna says of a trial that has been ended already
            if reasons:
                raise reasons[0] from error
            if not taken or not Right(study, taken[0]).lost:
                raise


def _put_back_unstarted(study: optuna.Study, first_seen: MutableMapping[int, float]) -> None:
    """Put back trials whose worker died between taking them and its first sign of life, which no heartbeat shows.

    `first_seen`: when this process first saw a trial without a sign of life; the clocks of others say nothing.
    """
    for trial in study.get_trials(states=(TrialState.RUNNING,)):
        if trial.user_attrs.get("worker", "").endswith(f":{trial.number}"):
            continue
        if time.monotonic() - first_seen.setdefault(trial.number, time.monotonic()) < optuna_storage.GRACE_SECONDS:
            continue
        try:
            study.tell(trial.number, state=TrialState.FAIL)
        except (UpdateFinishedTrialError, ValueError):
            continue  # another worker was faster
        optuna_crashes.put_back_crashed(study, trial)

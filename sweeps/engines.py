"""Optuna, its only importer: holds the list of candidates or proposes them, for any number of workers.

One study `NAME` holds the fixed list; a second one, `NAME/search`, exists where a strategy proposes. Both live in an
RDB storage and run through `study.optimize`, since heartbeat and retry exist only there (design.md, decision 8).
"""

from __future__ import annotations

import functools
import time
import uuid
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any, Concatenate, ParamSpec, TypeVar, get_args

import optuna
from optuna.exceptions import StorageInternalError, UpdateFinishedTrialError
from optuna.storages import RDBStorage, RetryHeartbeatStaleTrialCallback
from optuna.trial import FrozenTrial, Trial, TrialState
from sqlalchemy import event
from sqlalchemy.exc import SQLAlchemyError

from sweeps.rules import LARGEST_SEED, Search
from sweeps.space import proposer_of
from tracking.redact import redact
from trainer.config import Candidate, Split, Start, UserError
from trainer.masks import Mask, parse
from trainer.results import TrialFailed

HEARTBEAT_SECONDS = 5
GRACE_SECONDS = 30
RETRIES = 3
POLL_SECONDS = 1.0

Evaluate = Callable[[Candidate], float]
P = ParamSpec("P")
R = TypeVar("R")


class Drained(Exception):
    """The list is empty: there is nothing to hand out, and nothing is invented."""


class ListStorage(RDBStorage):
    """A storage whose studies hand out only what was put in.

    Optuna's `ask` lets the sampler make up a trial when no enqueued one waits. That happens here, in the storage, after
    the race-free look into the queue; so refusing it here is race-free too, for any number of workers.
    """

    def _create_new_trial(self, study_id: int, template_trial: FrozenTrial | None = None) -> FrozenTrial:
        if template_trial is None:
            raise Drained
        return super()._create_new_trial(study_id, template_trial)


@contextmanager
def _told(url: str) -> Iterator[None]:
    """Turn the database's own errors (unreachable, full, read-only) into a message without a traceback."""
    try:
        yield
    except (SQLAlchemyError, StorageInternalError) as error:
        reason = str(error.__cause__ or error).splitlines()[0] if redact(url) == url else type(error).__name__
        raise UserError(
            f"The study's database {redact(url)} must be reachable and writable, but it is not: {reason} "
            "Mend that and run the same command again: finished work is kept."
        ) from error


def _tells(function: Callable[Concatenate[str, P], R]) -> Callable[Concatenate[str, P], R]:
    """Let a function whose first argument is the database's address tell of its errors like that."""

    @functools.wraps(function)
    def call(url: str, /, *args: P.args, **kwargs: P.kwargs) -> R:
        with _told(url):
            return function(url, *args, **kwargs)

    return call


@_tells
def enqueue(url: str, name: str, candidates: Iterable[Candidate], n_blocks: int) -> int:
    """Put candidates on the list, leaving out those that wait or run already; returns how many were added.

    One process does this, before any worker starts.
    """
    study = _study(url, name, ListStorage)
    present = {trial.user_attrs["key"] for trial in study.get_trials(states=(TrialState.WAITING, TrialState.RUNNING))}
    new = [candidate for candidate in candidates if candidate.key not in present]
    for candidate in new:
        study.enqueue_trial(_params(candidate, n_blocks), user_attrs={**asdict(candidate), "key": candidate.key})
    return len(new)


@_tells
def release(url: str, name: str, *, searching: bool) -> None:
    """End every trial that still counts as running; only for when no worker of the sweep is alive.

    So a sweep that was stopped goes on at once, without waiting for heartbeats to grow stale, and being stopped does
    not count towards the times a crash is forgiven.
    """
    studies = [_study(url, name, ListStorage)]
    studies += [_study(url, searching_study(name), RDBStorage)] if searching else []
    for study in studies:
        for trial in study.get_trials(states=(TrialState.RUNNING,)):
            study.tell(trial.number, state=TrialState.FAIL)


@_tells
def drain(url: str, name: str, evaluate: Evaluate, n_blocks: int) -> None:
    """Work the list off until nothing waits and nobody else is at work; failed trials do not stop it.

    `evaluate` raises `TrialFailed` for a candidate that cannot score; any other exception is a bug and comes through.
    """
    study = _study(url, name, ListStorage)
    worker = uuid.uuid4().hex

    def objective(trial: Trial) -> float:
        # The heartbeat's own thread may not have written yet. Once the attribute stands, a heartbeat does too.
        trial.storage.record_heartbeat(trial._trial_id)  # type: ignore[attr-defined]  # of an RDB storage
        trial.set_user_attr("worker", f"{worker}:{trial.number}")
        return evaluate(_listed_candidate(trial, n_blocks))

    while True:
        try:
            _one(study, objective)
        except Drained:
            if not study.get_trials(states=(TrialState.RUNNING, TrialState.WAITING)):
                return
            _give_up_unborn(study)
            time.sleep(POLL_SECONDS)


@_tells
def search(
    url: str, name: str, space: Search, evaluate: Evaluate, n_blocks: int, seed: int, training_seed: int = 0
) -> None:
    """Let the spec's sampler propose until `space.trials` trials exist, over all workers.

    `seed` is the sampler's, another one in each worker; `training_seed` that of every candidate.
    """
    samplers: dict[str, Callable[[], optuna.samplers.BaseSampler]] = {
        "tpe": lambda: optuna.samplers.TPESampler(seed=seed, multivariate=True, constant_liar=True),
        "random": lambda: optuna.samplers.RandomSampler(seed=seed),
    }
    study = _study(url, searching_study(name), RDBStorage)
    study.sampler = samplers[space.strategy]()
    propose = proposer_of(space, n_blocks, training_seed)

    def objective(trial: Trial) -> float:
        candidate = propose(trial)
        for key, value in {**asdict(candidate), "key": candidate.key}.items():
            trial.set_user_attr(key, value)
        return evaluate(candidate)

    while _proposed(study) < space.trials:
        _one(study, objective)


def searching_study(name: str) -> str:
    """The study in which a sweep's sampler proposes; no sweep has a name with a slash."""
    return f"{name}/search"


@_tells
def proposed(url: str, name: str) -> int:
    """How many candidates the sampler of a sweep has proposed so far."""
    return _proposed(_study(url, searching_study(name), RDBStorage))


def _proposed(study: optuna.Study) -> int:
    retried = sum("failed_trial" in trial.system_attrs for trial in study.get_trials(deepcopy=False))
    return len(study.get_trials(deepcopy=False)) - retried


def _one(study: optuna.Study, objective: Callable[[Trial], float]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        study.optimize(objective, n_trials=1, catch=(TrialFailed,))


def _study(url: str, name: str, storage: type[RDBStorage]) -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    engine: dict[str, Any] = {"connect_args": {"timeout": 60}} if url.startswith("sqlite") else {"pool_pre_ping": True}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        opened = storage(
            url,
            engine_kwargs=engine,
            heartbeat_interval=HEARTBEAT_SECONDS,
            grace_period=GRACE_SECONDS,
            heartbeat_stale_trial_callback=RetryHeartbeatStaleTrialCallback(max_retry=RETRIES),
        )
    if url.startswith("sqlite"):
        _take_turns(opened)
    return optuna.create_study(storage=opened, study_name=name, direction="maximize", load_if_exists=True)


def _take_turns(storage: RDBStorage) -> None:
    """Make every SQLite transaction take the write lock at its beginning.

    Python's driver begins a transaction only at the first write, so two workers could both read that a trial waits
    and both take it (seen with four workers and short trials). `SELECT ... FOR UPDATE` does nothing on SQLite.
    """

    @event.listens_for(storage.engine, "connect")
    def leave_beginning_to_us(connection: Any, _: Any) -> None:
        connection.isolation_level = None

    @event.listens_for(storage.engine, "begin")
    def begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    storage.engine.dispose()  # those opened before go


def _give_up_unborn(study: optuna.Study) -> None:
    """Put back trials whose worker died between taking them and its first sign of life, which no heartbeat shows."""
    for trial in study.get_trials(states=(TrialState.RUNNING,)):
        started = trial.datetime_start
        alive = trial.user_attrs.get("worker", "").endswith(f":{trial.number}")
        if alive or started is None or time.time() - started.timestamp() < GRACE_SECONDS:
            continue
        try:
            study.tell(trial.number, state=TrialState.FAIL)
        except (UpdateFinishedTrialError, ValueError):
            continue  # another worker was faster
        RetryHeartbeatStaleTrialCallback(max_retry=RETRIES)(study, trial)


def _listed_candidate(trial: Trial, n_blocks: int) -> Candidate:
    """Read an enqueued candidate back through one space that holds every candidate of every list, so lists can grow.

    A mask is one boolean per block (design.md, decision 8).
    """
    chosen = (n for n in range(1, n_blocks + 1) if trial.suggest_categorical(f"block_{n}", [False, True]))
    mask = str(Mask(tuple(chosen), n_blocks))
    epochs = trial.suggest_int("epochs", 0, 100_000)
    rate = trial.suggest_float("learning_rate", 1e-9, 1e3, log=True)
    start: Start = "scratch" if trial.suggest_categorical("start", list(get_args(Start))) == "scratch" else "pretrained"
    seed = trial.suggest_int("seed", 0, LARGEST_SEED)
    split: Split = "leaky" if trial.suggest_categorical("split", list(get_args(Split))) == "leaky" else "grouped"
    return Candidate(mask, epochs, rate, start, seed, split)


def _params(candidate: Candidate, n_blocks: int) -> dict[str, Any]:
    mask = parse(candidate.mask, n_blocks)
    blocks = {f"block_{number}": number in mask for number in range(1, n_blocks + 1)}
    return {**blocks, **{name: value for name, value in asdict(candidate).items() if name != "mask"}}

"""The database of Optuna's studies: it hands out only what was put in, once, and explains its own errors."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Concatenate, ParamSpec, TypeVar

import optuna
from optuna.exceptions import StorageInternalError
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial
from sqlalchemy import event
from sqlalchemy.exc import SQLAlchemyError

from sweeps.engines import optuna_crashes
from tracking.redact import redact
from trainer.errors import Drained, UserError
from trainer.full_disk import full_disk

HEARTBEAT_SECONDS = 5
GRACE_SECONDS = 30

P = ParamSpec("P")
R = TypeVar("R")


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
def explained_errors(url: str) -> Iterator[None]:
    """Turn the database's own errors (unreachable, full, read-only) into a message without a traceback."""
    try:
        yield
    except (SQLAlchemyError, StorageInternalError) as error:
        if (told := full_disk(error, redact(url))) is not None:
            raise told from error
        reason = str(error.__cause__ or error).splitlines()[0] if redact(url) == url else type(error).__name__
        raise UserError(
            f"The study's database {redact(url)} must be reachable and writable, but it is not: {reason.rstrip('.')}. "
            "Fix that and run the same command again: finished work is kept."
        ) from error


def explains_errors(function: Callable[Concatenate[str, P], R]) -> Callable[Concatenate[str, P], R]:
    """Decorate a function whose first argument is the database's address, so that it explains the database's errors."""

    @functools.wraps(function)
    def call(url: str, /, *args: P.args, **kwargs: P.kwargs) -> R:
        with explained_errors(url):
            return function(url, *args, **kwargs)

    return call


def open_study(url: str, name: str) -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    engine: dict[str, Any] = {"connect_args": {"timeout": 60}} if url.startswith("sqlite") else {"pool_pre_ping": True}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        storage = ListStorage(
            url,
            engine_kwargs=engine,
            heartbeat_interval=HEARTBEAT_SECONDS,
            grace_period=GRACE_SECONDS,
            heartbeat_stale_trial_callback=optuna_crashes.put_back_crashed,
        )
    if url.startswith("sqlite"):
        _take_turns(storage)
    return optuna.create_study(storage=storage, study_name=name, direction="maximize", load_if_exists=True)


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

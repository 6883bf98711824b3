"""The database of Optuna's studies: it hands out only what was put in, once, and explains its own errors."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Concatenate, ParamSpec, TypeVar

import optuna
from optuna.exceptions import StorageInternalError
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy import event
from sqlalchemy.exc import SQLAlchemyError

from sweeps.engines import optuna_crashes
from sweeps.engines.optuna_held import HeldEnds
from sweeps.locks.contact import Contact, connection_arguments, patient, unusable
from sweeps.locks.contract import BEAT_SECONDS
from sweeps.locks.contract import GRACE_SECONDS as GRACE_SECONDS
from sweeps.locks.database import database_locks, making_tables
from trainer.errors import Drained

HEARTBEAT_SECONDS = BEAT_SECONDS

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
        raise unusable(error, url) from error


def explains_errors(function: Callable[Concatenate[str, P], R]) -> Callable[Concatenate[str, P], R]:
    """Decorate a function whose first argument is the database's address, so that it explains the database's errors."""

    @functools.wraps(function)
    def call(url: str, /, *args: P.args, **kwargs: P.kwargs) -> R:
        with explained_errors(url):
            return function(url, *args, **kwargs)

    return call


# The calls of a storage that wait for a database that is away. The others are told at once: a heartbeat that fails is
# tried again by the next, and what a training reports on its way must not hold it up.
WAITING = (
    *("_create_new_trial", "_get_trials", "_set_trial_param", "create_new_study", "get_all_studies"),
    *("get_study_directions", "get_study_id_from_name", "get_study_name_from_id", "get_study_system_attrs"),
    *("get_study_user_attrs", "get_trial", "get_trial_id_from_study_id_trial_number", "set_study_system_attr"),
    *("set_study_user_attr", "set_trial_system_attr"),
)


class SharedStorage(ListStorage):
    """A storage on a server that many machines share: it may be away for a while, and nobody is held dead for that."""

    def __init__(self, url: str, contact: Contact, **options: Any) -> None:
        self.contact = contact
        super().__init__(url, **options)
        self.held = HeldEnds(self._end, self.record_heartbeat)

    def set_trial_state_values(self, trial_id: int, state: TrialState, values: Sequence[float] | None = None) -> bool:
        """Change a trial's state; the end of one whose record is still on its way is told later."""
        return self.held.takes(trial_id, state, values) or self._end(trial_id, state, values)

    def _end(self, trial_id: int, state: TrialState, values: Sequence[float] | None) -> bool:
        return self.contact.patiently(
            lambda: super(SharedStorage, self).set_trial_state_values(trial_id, state=state, values=values)
        )

    def record_heartbeat(self, trial_id: int) -> None:
        """Show that this worker lives; where the database is away, the next beat tries again."""
        with suppress(StorageInternalError, SQLAlchemyError):
            self.contact.once(lambda: super(SharedStorage, self).record_heartbeat(trial_id))

    def _get_stale_trial_ids(self, study_id: int) -> list[int]:
        """Nobody's, until contact has been steady: others may not have had the time to show that they live."""
        if not self.contact.steady:
            return []
        return self.contact.patiently(lambda: super(SharedStorage, self)._get_stale_trial_ids(study_id))


for _name in WAITING:
    setattr(SharedStorage, _name, patient(getattr(ListStorage, _name)))


def open_study(url: str, name: str) -> optuna.Study:
    """The study called `name`, made where there is none."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage = _sqlite_storage(url) if url.startswith("sqlite") else _shared_storage(url)
    return optuna.create_study(storage=storage, study_name=name, direction="maximize", load_if_exists=True)


def is_shared(study: optuna.Study) -> bool:
    """Whether machines share the study's storage."""
    return isinstance(getattr(study._storage, "_backend", None), SharedStorage)


def held_ends(study: optuna.Study) -> HeldEnds | None:
    """The ends that wait for their records; None for a storage of this machine alone."""
    backend = getattr(study._storage, "_backend", None)
    return backend.held if isinstance(backend, SharedStorage) else None


def check_held(study: optuna.Study) -> None:
    """Raise what keeps the record of a trial that has ended from being delivered."""
    if (held := held_ends(study)) is not None:
        held.check()


def wait_for_held(study: optuna.Study) -> None:
    """Return when the study knows of all ends. Raises what keeps a record from being delivered."""
    if (held := held_ends(study)) is not None:
        held.wait_for_all()


def waiting(study: optuna.Study, call: Callable[[], R]) -> R:
    """Make a call to a study's storage; where machines share it and it is away, wait for it."""
    backend = getattr(study._storage, "_backend", None)
    return backend.contact.patiently(call) if isinstance(backend, SharedStorage) else call()


def _sqlite_storage(url: str) -> ListStorage:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        storage = ListStorage(url, engine_kwargs={"connect_args": {"timeout": 60}}, **_heartbeat())
    _take_turns(storage)
    return storage


@functools.lru_cache(maxsize=4)
def _shared_storage(url: str) -> SharedStorage:
    """One per address and process: each holds connections."""
    locks = database_locks(url)  # first: it explains a wrong address, and refuses the database of a newer thaw
    options = {"pool_pre_ping": True, "pool_size": 2, "max_overflow": 4, "connect_args": connection_arguments()}

    def make() -> SharedStorage:
        with warnings.catch_warnings(), making_tables(locks.engine, "alembic_version"):
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            return SharedStorage(url, locks.contact, engine_kwargs=options, **_heartbeat())

    return locks.contact.at_first(make)


def _heartbeat() -> dict[str, Any]:
    return {
        "heartbeat_interval": HEARTBEAT_SECONDS,
        "grace_period": GRACE_SECONDS,
        "heartbeat_stale_trial_callback": optuna_crashes.put_back_crashed,
    }


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

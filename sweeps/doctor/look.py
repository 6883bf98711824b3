"""One look at the record, the study and who is at work, before anything is judged; it changes nothing.

Artifacts are listed before the runs are read: whatever lies there then had its run already.
"""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Callable, Container, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, create_engine
from sqlalchemy.exc import SQLAlchemyError

from sweeps.doctor.sqlite_file import fault_of, read_only
from sweeps.engines.optuna_running import Studies, studies_in
from sweeps.environment.home import Home, at_work
from sweeps.locks import contract
from sweeps.locks.contact import connection_arguments, contact_with, explained
from sweeps.locks.database import PRESENT, Lease, database_locks, leases_in
from tracking.server_probe import check_server
from tracking.sqlite_address import file_of
from tracking.store.run_facts import RunFact, facts_in_file, facts_of
from trainer.errors import UserError

if TYPE_CHECKING:  # heavy
    from tracking.store.writer import Tracker

JUST_BEGUN = 120.0  # seconds that a sweep's workers have to start
NO_STUDIES = Studies()
STORAGE, RECORD = "the study's database", "the MLflow server"
RUN_FOLDER = re.compile("[0-9a-f]{32}")


@dataclass(frozen=True)
class Look:
    """What a home, its record and its study held a moment ago. `runs`: those of the sweeps that are this home's, None
    where they cannot be read; `folders`: of artifacts in this home, a run's each; `faults`: of its databases, by path;
    `away`: what was said of each server that does not answer, of which nothing is known then.
    """

    home: Home
    runs: tuple[RunFact, ...] | None = ()
    studies: Studies = NO_STUDIES
    leases: tuple[Lease, ...] = ()
    folders: tuple[Path, ...] = ()
    faults: Mapping[Path, str] = field(default_factory=dict)
    away: tuple[tuple[str, str], ...] = ()  # which server, and what was said

    @property
    def busy(self) -> bool:
        """Whether somebody works on a sweep, or prepares one, with files of this home, as far as can be seen."""
        if self.home.shared_storage is None:
            return at_work(self.home)
        if self._storage_away:
            return True
        names = (contract.LAUNCH, "sweeps/")
        return any(lease.name.startswith(names) for lease in self._holding)

    def abandoned(self, sweep: str) -> bool:
        """Whether nobody works on a sweep now, or is about to."""
        plan = self.home.plan(sweep)
        if plan.exists() and time.time() - plan.stat().st_mtime < JUST_BEGUN:
            return False
        if self.home.shared_storage is None:
            locks = self.home.locks
            return locks.nobody_present(contract.workers(sweep)) and locks.nobody_present(contract.LAUNCH)
        if self._storage_away:
            return False
        present = f"{contract.workers(sweep)}{PRESENT}"
        return not any(lease.name == contract.LAUNCH or lease.name.startswith(present) for lease in self._holding)

    @property
    def _storage_away(self) -> bool:
        return any(server == STORAGE for server, _ in self.away)

    @property
    def _holding(self) -> list[Lease]:
        return [lease for lease in self.leases if self.holds(lease)]

    def holds(self, lease: Lease) -> bool:
        """Whether its owner may live: one that ran out a moment ago may be one that could not be renewed in time."""
        return lease.overdue < contact_with(self.home.shared_storage or "").grace

    def unless_at_work(self, sweep: str, repair: Callable[[], object]) -> Callable[[], None]:
        """A repair that looks once more whether anybody works on the sweep, and then does nothing."""

        def guarded() -> None:
            if self.home.shared_storage is not None:
                wait_for_contact(self.home.shared_storage)
            if not self.abandoned(sweep) or not self.home.locks.nobody_present(contract.workers(sweep)):
                raise UserError(f"Somebody works on sweep '{sweep}' again: it is left alone.")
            repair()

        return guarded

    def tracker(self) -> Tracker:
        """The record, to repair it."""
        from tracking.store.writer import Tracker

        return Tracker.connect(self.home.tracking_uri, self.home.artifact_folder)


def look(home: Home) -> Look:
    """Look at a home; of a damaged database, or of a server that cannot be reached, nothing is read."""
    folders = tuple(_run_folders(home))
    faults = {path: fault for path in _databases(home) if path.exists() and (fault := fault_of(path)) is not None}
    away: list[tuple[str, str]] = []
    studies, leases, runs = NO_STUDIES, tuple[Lease, ...](), None
    try:
        studies, leases = _study_database(home, faults)
    except UserError as error:
        away.append((STORAGE, str(error)))
    try:
        runs = _runs(home, studies, faults)
    except UserError as error:
        away.append((RECORD, str(error)))
    return Look(home, runs, studies, leases, folders, faults, tuple(away))


def _databases(home: Home) -> tuple[Path, Path]:
    return home.mlflow_database, home.root / "optuna.db"


def wait_for_contact(url: str) -> None:
    """Wait until the database has answered for a grace period: before, silence of others says nothing."""
    locks = database_locks(url)
    while not locks.contact.steady:
        locks.clock_ahead()  # any call shows whether it answers
        time.sleep(1)


def _run_folders(home: Home) -> Iterator[Path]:
    """The artifacts of each run in this home: `artifacts/<experiment>/<run id>`."""
    for folder in sorted(home.artifacts.glob("*/*")):
        if RUN_FOLDER.fullmatch(folder.name) and folder.is_dir():
            yield folder


def _runs(home: Home, studies: Studies, faults: Container[Path]) -> tuple[RunFact, ...] | None:
    """Of a record that is shared, only the sweeps that this home or its study knows: others may run elsewhere."""
    if home.own_tracking:
        file = home.mlflow_database
        try:
            return None if file in faults else facts_in_file(file) if file.exists() else ()
        except UserError:  # a write was cut off
            return None
    known = sorted({plan.parent.name for plan in home.root.glob("sweeps/*/plan.json")} | set(studies.names))
    if (other := file_of(home.tracking_uri)) is not None:
        return _of_sweeps(facts_in_file(other), known) if other.exists() else ()
    check_server(home.tracking_uri)
    if not known:
        return ()
    from tracking.store.writer import Tracker

    return facts_of(Tracker.connect(home.tracking_uri), known)


def _of_sweeps(runs: tuple[RunFact, ...], names: list[str]) -> tuple[RunFact, ...]:
    ids = {run.run_id for run in runs if run.sweep in names}
    return tuple(run for run in runs if run.run_id in ids or run.parent in ids)


def _study_database(home: Home, faults: Container[Path]) -> tuple[Studies, tuple[Lease, ...]]:
    if home.shared_storage is not None:
        with explained(home.shared_storage), _postgresql(home.shared_storage) as connection:
            return studies_in(connection), leases_in(connection)
    _, file = _databases(home)
    if not file.exists() or file in faults:
        return NO_STUDIES, ()
    try:
        with read_only(file) as connection:
            return studies_in(connection), ()
    except (sqlite3.Error, SQLAlchemyError):
        return NO_STUDIES, ()


@contextmanager
def _postgresql(url: str) -> Iterator[Connection]:
    engine = create_engine(url, connect_args=connection_arguments(), execution_options={"postgresql_readonly": True})
    with engine.connect() as connection:
        yield connection
    engine.dispose()

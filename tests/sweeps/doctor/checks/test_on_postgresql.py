"""The doctor where PostgreSQL holds studies and leases: it reads both, and repairs after a steady contact."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine, text

from sweeps.doctor.checks.examine import examine, repair
from sweeps.engines import optuna_queue
from sweeps.engines.optuna_storage import open_study
from sweeps.environment.home import Home, write_format
from sweeps.locks import contract
from sweeps.locks.contact import contact_with
from sweeps.locks.database import database_locks
from tests.servers import Postgres, postgres
from tests.tracking.made_up import trial_info

pytestmark = pytest.mark.slow

SWEEP = "demo"
LEASE = "INSERT INTO thaw_leases VALUES (:name, '1', clock_timestamp() + :left * interval '1 second')"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    with postgres(tmp_path_factory.mktemp("doctor"), "thaw") as server:
        yield server


@pytest.mark.filterwarnings("ignore:Heartbeat")
def test_stale_trials_and_leases_are_found_and_mended(
    server: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = server.address()
    monkeypatch.setenv("THAW_STORAGE", url)
    home = Home(tmp_path)
    write_format(home.root)
    assert examine(home) == []  # a database without any table
    optuna_queue.fill(url, SWEEP, "identity", (), 9)
    optuna_queue.enqueue(url, SWEEP, [trial_info("shallow-first", 1).candidate], 9)
    open_study(url, SWEEP).ask()
    database_locks(url)
    engine = create_engine(url, poolclass=NullPool)

    def leave(name: str, seconds: float) -> None:
        with engine.begin() as connection:
            connection.execute(text(LEASE), {"name": name, "left": seconds})

    leave(f"{contract.workers(SWEEP)}#1", 60.0)
    assert examine(home) == []  # its worker lives
    with engine.begin() as connection:
        connection.execute(text("UPDATE thaw_leases SET until = clock_timestamp() - interval '1 hour'"))
    leave(contract.turn("other"), 60.0)
    findings = examine(home)
    assert [(one.kind, one.where) for one in findings] == [
        ("stale trial", f"study {SWEEP}"),
        ("stale lease", f"{contract.workers(SWEEP)}#1"),
    ]
    contact_with(url)._unbroken_since -= contract.GRACE_SECONDS  # as if it had answered for long
    assert repair(findings) == [] and examine(home) == []
    assert [trial.state.name for trial in open_study(url, SWEEP).trials] == ["FAIL", "WAITING"]
    with engine.connect() as connection:
        assert connection.execute(text("SELECT name FROM thaw_leases")).scalars().all() == [contract.turn("other")]

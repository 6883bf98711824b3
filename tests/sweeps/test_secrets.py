"""Passwords in every address of a sweep that machines share: no file, record, process list or message holds one."""

from __future__ import annotations

import base64
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.guard import guarded
from tests.servers import PASSWORD, Postgres
from tests.small import SMALL_OPTIONS
from tests.sweeps.lab import SWEEP, Lab, open_lab

OF_MLFLOW = "p@ss/w:rd#1"
PAIR = base64.b64encode(f"ann:{OF_MLFLOW}".encode()).decode()
SECRETS = (PASSWORD, OF_MLFLOW, quote(OF_MLFLOW, safe=""), PAIR)
SETTINGS = ("search.masks=['9']", "search.epochs=[1]", "folds=2", "champion=false")
SMALL = (*SMALL_OPTIONS, *(word for setting in SETTINGS for word in ("--set", setting)))


def found_in(text: str | bytes) -> list[str]:
    content = text.encode() if isinstance(text, str) else text
    return [secret for secret in SECRETS if secret.encode() in content]


@contextmanager
def watched_processes() -> Iterator[set[str]]:
    """The command lines that held a secret while the block ran, as `ps` shows them to everybody."""
    seen: set[str] = set()
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.05):
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    line = path.read_bytes()
                except OSError:  # ended meanwhile
                    continue
                if found_in(line):
                    seen.add(line.replace(b"\0", b" ").decode(errors="replace"))

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        ended.set()
        thread.join()


def rows(database: Postgres, name: str) -> Iterator[str]:
    """Every row of every table of a database, as text."""
    import psycopg

    address = database.address(name).replace("+psycopg", "")
    with psycopg.connect(address) as connection:
        tables = connection.execute(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname = 'public'"
        ).fetchall()
        for (table,) in tables:
            for row in connection.execute(f"SELECT * FROM {table}"):
                yield f"{table}: {row}"


def refused(lab: Lab, home: str, *arguments: str, environment: dict[str, str]) -> str:
    """What a command that fails says."""
    done = lab.call(home, *arguments, environment=environment)
    assert done.returncode == 2 and "Traceback" not in done.stderr, done.stderr
    return done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="/proc shows what ps shows")
def test_a_run_with_a_password_in_every_address_leaves_none(tmp_path: Path) -> None:
    storage = tmp_path / "secret" / "storage.txt"
    storage.parent.mkdir()
    with open_lab(tmp_path) as lab, watched_processes() as seen, guarded(lab.server.port, f"Basic {PAIR}") as guard:
        storage.write_text(lab.database.address())
        storage.chmod(0o600)
        uri = guard.replace("://", f"://ann:{quote(OF_MLFLOW, safe='')}@")
        by_file = {"MLFLOW_TRACKING_URI": uri, "THAW_STORAGE": ""}
        lab.start(
            "first", "run", "smoke", "--name", SWEEP, "--workers", "1", "--storage", str(storage), *SMALL,
            environment=by_file,
        )  # fmt: skip
        assert lab.wait("first") == 0, lab.said("first")[-3000:]
        lab.start("second", "worker", SWEEP, environment={"MLFLOW_TRACKING_URI": uri})
        assert lab.wait("second") == 0, lab.said("second")[-3000:]

        everywhere = by_file | {"THAW_STORAGE": lab.database.address(), "THAW_PATIENCE": "2"}
        wrong = everywhere | {"THAW_STORAGE": lab.database.address(password=f"{PASSWORD}%2F%40x")}
        told = [refused(lab, "third", "worker", SWEEP, environment=wrong)]
        written = [*rows(lab.database, "thaw"), *rows(lab.database, "mlflow")]
        lab.server.stop()
        told += [refused(lab, "fourth", "report", SWEEP, environment=everywhere)]
    assert len(written) > 100 and any("thaw.processors" in row for row in written)
    assert [row for row in written if found_in(row)] == []
    assert [line for line in told if found_in(line)] == [] and all("***@" in line for line in told)
    assert seen == set()
    own = (tmp_path / "postgres", storage.parent)  # what PostgreSQL was made with, and what was given
    files = [
        path for path in tmp_path.rglob("*") if path.is_file() and not any(path.is_relative_to(one) for one in own)
    ]
    assert {"first.log", "info.json", "report.html"} <= {path.name for path in files}
    assert [path for path in files if found_in(path.read_bytes())] == []

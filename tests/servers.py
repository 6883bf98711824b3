"""Real servers for tests, on loopback and free ports: PostgreSQL and MLflow, started here and stopped here.

Both can be stopped and started again at the same address, as a machine that is rebooted would be.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.component import missing

SECONDS = 90.0
PASSWORD = "s3cret-of-tests"


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_health(address: str, seconds: float = SECONDS) -> None:
    """Wait until an MLflow server answers."""
    end = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(f"{address}/health", timeout=2):
                return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)


@dataclass
class Postgres:
    """A PostgreSQL server of one test; `address` of its database `thaw`, with a password that is asked for."""

    folder: Path
    port: int = field(default_factory=free_port)

    def address(self, database: str = "thaw", password: str = PASSWORD) -> str:
        """The address of a database, as SQLAlchemy reads it."""
        return f"postgresql+psycopg://thaw:{password}@127.0.0.1:{self.port}/{database}"

    def create(self, *databases: str) -> None:
        """Make the cluster, start it, and make the databases."""
        self.folder.mkdir(parents=True, exist_ok=True)
        secret = self.folder / "password"
        secret.write_text(PASSWORD)
        if os.geteuid() == 0:
            owner = _server_user()
            for path in (self.folder, secret):
                os.chown(path, owner.pw_uid, owner.pw_gid)
        self._call(
            "initdb", "-D", "data", "-U", "thaw", "--auth=scram-sha-256", f"--pwfile={secret}", "-E", "UTF8", "-N"
        )
        self.start()
        for database in databases:
            self._call("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "thaw", database)

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = f"-c listen_addresses=127.0.0.1 -c port={self.port} -c unix_socket_directories='' -c fsync=off"
        self._call("pg_ctl", "-D", "data", "-l", "log", "-w", "-o", options, "start")

    def stop(self, mode: str = "fast") -> None:
        """Stop it: `fast` ends all connections, `immediate` is a crash."""
        self._call("pg_ctl", "-D", "data", "-w", "-m", mode, "stop")

    def destroy(self) -> None:
        """Leave nothing of it behind, whatever state it is in: this is no test of `pg_ctl`."""
        identity = self.folder / "data" / "postmaster.pid"
        if not identity.exists():
            return
        with contextlib.suppress(AssertionError):  # it may be going just now, or not have come up
            self.stop("immediate")
        with contextlib.suppress(OSError, ValueError, IndexError):
            os.kill(int(identity.read_text().splitlines()[0]), signal.SIGKILL)  # its children end with it

    def _call(self, program: str, *arguments: str) -> None:
        environment = {"PATH": os.environ["PATH"], "PGPASSWORD": PASSWORD, "LC_ALL": "C.UTF-8"}
        owner = {"user": _server_user().pw_uid, "group": _server_user().pw_gid, "extra_groups": []}
        with (self.folder / "said").open("a+") as said:  # a file: the server must not hold on to a pipe of ours
            done = subprocess.run(
                [find_postgres() / program, *arguments],
                cwd=self.folder,
                env=environment,
                stdout=said,
                stderr=said,
                stdin=subprocess.DEVNULL,
                check=False,
                **(owner if os.geteuid() == 0 else {}),  # type: ignore[call-overload]
            )
            said.seek(0)
            assert done.returncode == 0, f"{program} ended with {done.returncode}:\n{said.read()[-3000:]}"


def find_postgres() -> Path:
    """The folder of PostgreSQL's programs; the test is skipped where there is none, and fails in CI."""
    found = shutil.which("pg_ctl")
    folders = [Path(found).resolve().parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not folders:
        missing("PostgreSQL is missing: its programs initdb and pg_ctl (Debian: the package postgresql).")
    return folders[-1]


def _server_user() -> pwd.struct_passwd:
    """Who runs the server: it refuses to run as root."""
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


@contextlib.contextmanager
def postgres(folder: Path, *databases: str) -> Iterator[Postgres]:
    """A PostgreSQL server with the given databases (`thaw` without any), gone when the block ends."""
    find_postgres()
    folder.mkdir(parents=True, exist_ok=True)
    for parent in (folder, *folder.parents):  # pytest's folders are closed to others, also to the server's own user
        if parent.stat().st_uid == os.geteuid() and parent != Path("/tmp"):
            parent.chmod(parent.stat().st_mode | 0o011)
        if parent == Path("/tmp"):
            break
    server = Postgres(folder / "postgres")
    try:
        server.create(*(databases or ("thaw",)))
        yield server
    finally:
        server.destroy()


@dataclass
class MlflowServer:
    """An MLflow server of one test that proxies its artifacts, with one worker."""

    folder: Path
    backend: str
    port: int = field(default_factory=free_port)
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    _process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(self.port)]
        command += ["--workers", "1", "--artifacts-destination", str(self.folder / "artifacts"), *self.arguments]
        environment = os.environ | {"MLFLOW_BACKEND_STORE_URI": self.backend} | dict(self.environment)
        environment.pop("MLFLOW_TRACKING_URI", None)
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                command, stdout=log, stderr=log, cwd=self.folder, start_new_session=True, env=environment
            )
        wait_for_health(self.address)

    def stop(self, number: int = signal.SIGTERM) -> None:
        """Stop it with all the processes that it started."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)
            self._process.wait(SECONDS)
            self._process = None


@contextlib.contextmanager
def mlflow_server(
    folder: Path, backend: str, *arguments: str, environment: Mapping[str, str] | None = None
) -> Iterator[MlflowServer]:
    """An MLflow server over the database `backend`, its artifacts in `folder`, gone when the block ends."""
    server = MlflowServer(folder / "mlflow", backend, arguments=arguments, environment=environment or {})
    try:
        server.start()
        yield server
    finally:
        server.stop(signal.SIGKILL)

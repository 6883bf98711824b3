"""A connection to one MLflow store, and the few ways in which everything here talks to it.

Always through `MlflowClient` with explicit run ids, never through MLflow's active run.
"""

from __future__ import annotations

import functools
import logging
import os
import re
import shutil
import sqlite3
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, Self, TypeVar
from urllib.parse import unquote, urlparse
from urllib.request import url2pathname

from tracking.user_folder import user_folder

# MLflow reads these when it is imported or first used; what the user has set already wins.
os.environ.setdefault("HOME", user_folder())
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")

from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, Experiment, Metric, Param, Run, RunTag
from mlflow.exceptions import MlflowException
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

from tracking.image_scores import ImageOrder
from tracking.redact import redact
from tracking.server_probe import check_server, unreachable
from tracking.sqlite_address import file_of
from tracking.store.new_database import make_aside
from tracking.store.sqlite_runs import trials_in_file
from trainer.errors import LeaseLost, StoreAway, UserError
from trainer.full_disk import full_disk

__all__ = ["PAGE", "Run", "Store", "explain_errors", "short"]

# MLflow logs a traceback of every database error that it also raises; `explain_errors` says so in one sentence.
logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)

BATCH = 1000  # MLflow's limit of metrics in one call
TAGS = 100  # that MLflow takes in one request
PAGE = 500
DELETED = "must be in the 'active' state"  # how MLflow refuses what is written on a deleted run, here mlflow 3.17
BUSY, SERVER_FAULT = (408, 429), 500  # HTTP: ask again later; from here on it is the server's fault
MOST_TEXT, MOST_BYTES = 2**28, 2**32  # bytes of a JSON artifact, of any other: a hundred times the largest of a sweep

P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S", bound="Store")


def explain_errors(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """Turn MLflow's own exceptions (server gone, no permission, disk full) into a message without a traceback."""

    @functools.wraps(method)
    def call(store: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return method(store, *args, **kwargs)
        except (MlflowException, OSError) as error:
            if (full := full_disk(error, redact(store.uri))) is not None:
                raise full from error
            if not isinstance(error, MlflowException) and not is_away(error):
                raise
            raise told(error, store.uri, method.__name__.replace("_", " ")) from error

    return call


def told(error: Exception, uri: str, action: str) -> UserError:
    """An error of MLflow in one sentence; `StoreAway` where its server is there no more, or not now."""
    kind = StoreAway if _is_server(uri) and is_away(error) else UserError
    return kind(
        f"MLflow at {redact(uri)} could not {action}: {short(error, uri)} "
        "Nothing that was recorded is lost; fix that and run the same command again."
    )


@contextmanager
def telling(uri: str, action: str) -> Iterator[None]:
    """Tell MLflow's errors in one sentence, as `told` does; `LeaseLost` where a run was deleted meanwhile."""
    try:
        yield
    except (MlflowException, OSError) as error:
        if isinstance(error, MlflowException) and DELETED in str(error):
            raise LeaseLost("The run of this trial was deleted: a later attempt has it.") from error
        if not isinstance(error, MlflowException) and not is_away(error):
            raise
        raise told(error, uri, action) from error


def is_away(error: Exception) -> bool:
    """Whether a request failed on its way, or in the server, so that it may succeed later: what refuses it does not."""
    if isinstance(error, MlflowException):
        status = int(error.get_http_status_code())  # type: ignore[no-untyped-call]
    elif type(error).__module__.startswith("requests."):
        status = getattr(getattr(error, "response", None), "status_code", 503)
    else:
        return False
    return status in BUSY or status >= SERVER_FAULT


def _is_server(uri: str) -> bool:
    return uri.startswith(("http://", "https://"))


class Store:
    """A connection to one MLflow store. Every method takes explicit run ids, so any number of processes may write."""

    def __init__(self, client: MlflowClient, uri: str, artifacts: Path | None) -> None:
        self.client = client
        self.uri = uri
        self.artifacts = artifacts
        self._parents: dict[str, Run] = {}
        self._sweep_orders: dict[str, dict[str, ImageOrder]] = {}

    @classmethod
    def connect(cls, uri: str, artifacts: Path | None = None) -> Self:
        """Open the store at `uri`, creating a SQLite database when there is none.

        `artifacts`: folder for images and weights of a local store; with None the server chooses it. A SQLite
        file is made whole or not at all. Of another database, call this once before any worker starts: several
        processes that open a new one crash in its migration.
        Raises `UserError` within seconds when the store cannot be opened.
        """
        check_server(uri)
        try:
            with _fail_fast(), warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # MLflow's calls of SQLAlchemy, not ours to fix
                file = file_of(uri)
                if file is not None and not file.exists():
                    make_aside(file, _make_tables)
                client = MlflowClient(tracking_uri=uri)
                client.search_experiments(max_results=1)
        except Exception as error:  # drivers, file systems and HTTP raise types of their own
            kind = StoreAway if is_away(error) else UserError
            raise full_disk(error, redact(uri)) or unreachable(uri, short(error, uri), kind) from error
        return cls(client, uri, artifacts.resolve() if artifacts else None)

    # ---- one step below its methods ----

    def _log_dataset(self, run_id: str, **fields: str) -> None:
        """Note the data set as an input of the run; `fields` are those of MLflow's own `Dataset`."""
        self.client.log_inputs(run_id, [DatasetInput(Dataset(**fields))])

    def _experiment(self, name: str, kind: str) -> str:
        experiment = self.client.get_experiment_by_name(name)
        if experiment is None:
            location = (self.artifacts / name).as_uri() if self.artifacts else None
            tags = {"thaw.kind": kind, "mlflow.experimentKind": "custom_model_development"}
            return str(self.client.create_experiment(name, artifact_location=location, tags=tags))
        if experiment.lifecycle_stage != "active" or experiment.tags.get("thaw.kind") != kind:
            raise UserError(_not_ours(experiment))
        return str(experiment.experiment_id)

    def _pages(
        self, experiments: list[str], query: str, order: str = "attributes.start_time DESC", size: int = PAGE
    ) -> Iterator[Run]:
        """Every hit, `size` at a time: a small size is faster where the first few are enough."""
        token: str | None = None
        while True:
            page = self.client.search_runs(experiments, query, max_results=size, order_by=[order], page_token=token)
            yield from page
            token = page.token
            if not token:
                return

    def _newest(self, experiment: str, query: str) -> Run | None:
        return next(self._pages([experiment], query, size=1), None)

    def _children(self, sweep_run: str) -> Iterator[Run]:
        """The sweep's trials, newest first, each once: one that begins between two pages moves all others down."""
        known: set[str] = set()
        for run in self._found_children(sweep_run):
            if run.info.run_id not in known:
                known.add(run.info.run_id)
                yield run

    def _found_children(self, sweep_run: str) -> Iterator[Run]:
        """The trials out of the database's file where there is one; else, and where that fails, by MLflow."""
        experiment = self._parent(sweep_run).info.experiment_id
        if (file := file_of(self.uri)) is not None:
            try:
                yield from trials_in_file(file, experiment, sweep_run)
                return
            except sqlite3.Error:
                pass  # MLflow reads on, or says what is wrong with its database
        query = f"tags.`mlflow.parentRunId` = '{sweep_run}' AND tags.`thaw.kind` = 'trial'"
        yield from self._pages([experiment], query)

    def _parent(self, sweep_run: str) -> Run:
        if sweep_run not in self._parents:
            self._parents[sweep_run] = self.client.get_run(sweep_run)
        return self._parents[sweep_run]

    def _log(
        self,
        run_id: str,
        metrics: Sequence[tuple[str, float, int]] = (),
        params: Mapping[str, Any] | None = None,
        tags: Mapping[str, str] | None = None,
        at: int | None = None,
    ) -> None:
        """`at`: the time of the points in ms, now by default; an equal point of the same time is written once."""
        stamp = now() if at is None else at
        points = [Metric(key, float(value), stamp, step) for key, value, step in metrics]
        values = [Param(key, str(value)[:500]) for key, value in (params or {}).items()]
        texts = [RunTag(key, value) for key, value in (tags or {}).items()]
        for first in range(TAGS, len(texts), TAGS):
            self.client.log_batch(run_id, tags=texts[first : first + TAGS], synchronous=True)
        self.client.log_batch(run_id, points[:BATCH], values, texts[:TAGS], synchronous=True)
        for first in range(BATCH, len(points), BATCH):
            self.client.log_batch(run_id, points[first : first + BATCH], synchronous=True)

    def fetch_file(self, run_id: str, path: str, folder: Path) -> Path | None:
        """Download one artifact of a run into `folder`; None when it was never logged or has been deleted.

        Raises `UserError` for a path that leads out of the run, or out of `folder`: records may name anything.
        """
        check_path(run_id, path)
        try:
            fetched = Path(self.client.download_artifacts(run_id, path, str(folder)))
        except (MlflowException, OSError):
            return None
        if folder.resolve() not in fetched.resolve().parents:
            raise _leads_out(run_id, path)
        return fetched

    def local_file(self, run_id: str, path: str) -> Path | None:
        """Where an artifact lies on this machine; None where it lies elsewhere or is missing."""
        address = self.client.get_run(run_id).info.artifact_uri
        file = _local_path(address) / path if address.startswith("file://") else None
        return file if file is not None and file.is_file() else None

    def delete_files(self, run_id: str, folder: str) -> None:
        """Delete a folder of a run's artifacts, if there is one. On this machine it goes straight from disk.

        Raises `MlflowException` where the store deletes no artifacts.
        """
        check_path(run_id, folder)
        address = self.client.get_run(run_id).info.artifact_uri
        if address.startswith("file://"):
            path = _own_folder(run_id, address) / folder
            if path.exists():
                shutil.rmtree(path)
        elif any(self.client.list_artifacts(run_id, folder)):
            try:
                repository: Any = get_artifact_repository(address, tracking_uri=self.uri)
                repository.delete_artifacts(folder)
            except Exception as error:  # each kind of store raises types of its own
                raise MlflowException(f"Artifacts of run {run_id} cannot be deleted: {error}") from error

    def forget_files(self, run_id: str, folder: str) -> None:
        """Delete a folder of a run's artifacts where the store deletes any; it is left alone where not."""
        try:
            self.delete_files(run_id, folder)
        except MlflowException as error:
            cause = error.__cause__
            if is_away(cause if isinstance(cause, Exception) else error):
                raise

    def _artifact(self, run_id: str, path: str, address: str = "") -> bytes | None:
        """The artifact's bytes, or None when it was never logged or has been deleted.

        `where`: the run's artifact address, if it is known. One on this machine is read straight from disk: MLflow's
        own way takes 60 ms a file, half a minute for 511 masks.
        """
        check_path(run_id, path)
        if address.startswith("file://"):
            file = _local_path(address) / path
            return _read_bounded(file, run_id, path) if file.is_file() else None
        with tempfile.TemporaryDirectory() as folder:
            fetched = self.fetch_file(run_id, path, Path(folder))
            return _read_bounded(fetched, run_id, path) if fetched is not None and fetched.is_file() else None


def check_path(run_id: str, path: str) -> None:
    """Raise `UserError` unless `path` names an artifact below its run: records and servers may name anything."""
    for text in (path, unquote(path)):  # MLflow decodes what is percent-encoded
        if not text.isprintable() or "\\" in text or {"", ".", ".."} & set(text.split("/")):
            raise _leads_out(run_id, path)


def _leads_out(run_id: str, path: str) -> UserError:
    return UserError(
        f"The artifacts of a run lie below it, but the record of run {run_id} names {path[:200]!r}. Nothing is read "
        "from there: somebody else may have written that record."
    )


def _read_bounded(file: Path, run_id: str, path: str) -> bytes:
    most = MOST_TEXT if path.endswith(".json") else MOST_BYTES
    size = file.stat().st_size
    if size > most:
        raise UserError(
            f"The artifact {path} of run {run_id} has {size:,} bytes, and thaw reads at most {most:,} of one like it. "
            "Look at it in MLflow: thaw has not written it."
        )
    return file.read_bytes()


def _own_folder(run_id: str, address: str) -> Path:
    """The folder of a run's artifacts on this machine. Raises `MlflowException` unless it looks like one: what a
    server calls the address of a run might be any folder, and something in it is to be deleted.
    """
    folder = _local_path(address)
    if not re.fullmatch("[0-9a-f]{32}", run_id) or folder.parts[-2:] != (run_id, "artifacts"):
        raise MlflowException(
            f"{address[:200]!r} is no folder of the artifacts of run {run_id}: nothing is deleted in it"
        )
    return folder


def _local_path(address: str) -> Path:
    return Path(url2pathname(urlparse(address).path))


def now() -> int:
    """The time in milliseconds, as MLflow counts it."""
    return int(time.time() * 1000)


def _make_tables(uri: str) -> None:
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore  # half a second, needed this once

    MlflowClient(tracking_uri=uri).search_experiments(max_results=1)
    SqlAlchemyStore._engine_map.pop(uri).dispose()  # MLflow keeps one pool of connections per address, here mlflow 3.17


def _not_ours(experiment: Experiment) -> str:
    state = "deleted in MLflow" if experiment.lifecycle_stage != "active" else "not made by thaw"
    return (
        f"A sweep is an MLflow experiment of its own, but an experiment {experiment.name!r} exists and was {state}. "
        "Choose another --name, or restore or rename that experiment."
    )


def short(error: Exception, uri: str) -> str:
    """The first line of an error, at most 300 characters, ending like a sentence.

    With a secret in the address only the error's kind is given: drivers cut an odd address up and quote the pieces.
    """
    text = str(error).strip()
    line = redact(text).splitlines()[0] if text and redact(uri) == uri else type(error).__name__
    return line[:300].rstrip(".") + "."


def fail_soon() -> None:
    """For a process that repeats requests itself: MLflow tries each once, and waits at most half a minute for it."""
    os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "0"  # again by MLflow, the making of a run would make two
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "30")


@contextmanager
def _fail_fast() -> Iterator[None]:
    """Five seconds and no retries: MLflow's own defaults make a wrong address take minutes to fail."""
    limits = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0", "MLFLOW_HTTP_REQUEST_TIMEOUT": "5", "PGCONNECT_TIMEOUT": "5"}
    before = {key: os.environ.get(key) for key in limits}
    os.environ.update(limits)
    try:
        yield
    finally:
        for key, value in before.items():
            if value is None:
                del os.environ[key]
            else:
                os.environ[key] = value

"""An MLflow server in memory that fails as it is told: before a call took effect, or after it.

It does what the real one does where it matters here (`test_on_a_server.py` holds it to that): an identical point is
written once, a parameter never changes, a deleted run refuses everything, and making a run twice makes two.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from mlflow.entities import Metric
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE

from tracking.store.writer import Tracker
from trainer.errors import StoreAway

CONDITION = re.compile(r"(tags|params)\.`([^`]+)` = '([^']*)'|attributes\.(status) = '(\w+)'")


@dataclass
class FakeRun:
    """One run, with every point that was ever written on it."""

    run_id: str
    start_time: int
    name: str
    tags: dict[str, str]
    status: str = "RUNNING"
    active: bool = True
    points: list[Metric] = field(default_factory=list)
    params: dict[str, str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)

    def read(self) -> Any:
        metrics = {point.key: point.value for point in sorted(self.points, key=lambda one: (one.step, one.timestamp))}
        info = SimpleNamespace(
            run_id=self.run_id, experiment_id="1", status=self.status, start_time=self.start_time, run_name=self.name
        )
        data = SimpleNamespace(metrics=metrics, params=dict(self.params), tags=dict(self.tags))
        return SimpleNamespace(info=info, data=data)


class FakeServer:
    """All runs, and `fault`: asked with the name of a call and whether it took effect; raises to let it fail."""

    def __init__(self) -> None:
        self.runs: dict[str, FakeRun] = {"sweep": FakeRun("sweep", 0, "s", {"thaw.synthetic": "true"})}
        self.fault: Callable[[str, bool], None] = lambda call, done: None

    def active(self, candidate: str) -> list[FakeRun]:
        """The active runs of a candidate."""
        return [run for run in self.runs.values() if run.active and run.tags.get("thaw.candidate") == candidate]


def gone(*_: object) -> MlflowException:
    """How MLflow's client tells that its server did not answer."""
    return MlflowException("API request to http://fake failed with exception: connection refused")


class FakeClient:
    """The calls of `MlflowClient` that thaw makes of a run."""

    def __init__(self, server: FakeServer) -> None:
        self._server = server

    def __getattr__(self, name: str) -> Callable[..., Any]:
        call = getattr(_Calls, name)

        def with_faults(*args: Any, **kwargs: Any) -> Any:
            self._server.fault(name, False)
            result = call(self._server, *args, **kwargs)
            self._server.fault(name, True)
            return result

        return with_faults


class _Calls:
    """What each call does, without faults."""

    @staticmethod
    def search_runs(
        server: FakeServer, experiments: Any, query: str, max_results: int, order_by: Any, page_token: Any
    ) -> Any:
        conditions = [match.groups() for match in CONDITION.finditer(query)]
        assert len(conditions) == query.count(" = "), query
        found = [run for run in server.runs.values() if run.active and all(_holds(run, one) for one in conditions)]
        first = int(page_token or 0)
        hits = sorted(found, key=lambda run: -run.start_time)[first : first + max_results]
        token = str(first + max_results) if first + max_results < len(found) else None
        return _Page([run.read() for run in hits], token)

    @staticmethod
    def get_run(server: FakeServer, run_id: str) -> Any:
        return server.runs[run_id].read()

    @staticmethod
    def create_run(server: FakeServer, experiment: str, start_time: int, tags: dict[str, str], name: str) -> Any:
        run_id = f"run {len(server.runs)}"
        server.runs[run_id] = FakeRun(run_id, start_time, name, dict(tags))
        return server.runs[run_id].read()

    @staticmethod
    def delete_run(server: FakeServer, run_id: str) -> None:
        server.runs[run_id].active = False

    @staticmethod
    def update_run(server: FakeServer, run_id: str, status: str) -> None:
        _active(server, run_id).status = status

    @staticmethod
    def set_terminated(server: FakeServer, run_id: str, status: str, end_time: int) -> None:
        _active(server, run_id).status = status

    @staticmethod
    def set_tag(server: FakeServer, run_id: str, key: str, value: str) -> None:
        _active(server, run_id).tags[key] = value

    @staticmethod
    def delete_tag(server: FakeServer, run_id: str, key: str) -> None:
        del _active(server, run_id).tags[key]

    @staticmethod
    def log_batch(
        server: FakeServer, run_id: str, points: Sequence[Metric], params: Any = (), tags: Any = (), **_: Any
    ) -> None:
        run = _active(server, run_id)
        known = {(one.key, one.step, one.timestamp, one.value) for one in run.points}
        run.points += [one for one in points if (one.key, one.step, one.timestamp, one.value) not in known]
        for param in params:
            assert run.params.setdefault(param.key, param.value) == param.value
        run.tags |= {tag.key: tag.value for tag in tags}

    @staticmethod
    def get_metric_history(server: FakeServer, run_id: str, key: str) -> list[Metric]:
        return [point for point in server.runs[run_id].points if point.key == key]

    @staticmethod
    def log_artifact(server: FakeServer, run_id: str, path: str, folder: str | None) -> None:
        name = f"{folder}/{Path(path).name}" if folder else Path(path).name
        server.runs[run_id].files[name] = Path(path).read_bytes()  # as a server does, whatever became of the run

    @staticmethod
    def list_artifacts(server: FakeServer, run_id: str, folder: str) -> list[Any]:
        files = server.runs[run_id].files
        return [
            SimpleNamespace(path=path, file_size=len(content))
            for path, content in files.items()
            if path.startswith(f"{folder}/")
        ]

    @staticmethod
    def download_artifacts(server: FakeServer, run_id: str, path: str, folder: str) -> str:
        if path not in server.runs[run_id].files:
            raise MlflowException(f"no artifact {path}")
        target = Path(folder) / "fetched"
        target.write_bytes(server.runs[run_id].files[path])
        return str(target)


class _Page(list[Any]):
    def __init__(self, runs: list[Any], token: str | None) -> None:
        super().__init__(runs)
        self.token = token


def _active(server: FakeServer, run_id: str) -> FakeRun:
    run = server.runs[run_id]
    if not run.active:
        refusal = f"The run {run_id} must be in the 'active' state. Current state is deleted."
        raise MlflowException(refusal, error_code=INVALID_PARAMETER_VALUE)
    return run


def _holds(run: FakeRun, condition: Sequence[str | None]) -> bool:
    kind, name, value, _, status = condition
    if status:
        return run.status == status
    table = run.tags if kind == "tags" else run.params
    return table.get(str(name)) == value


class FakeTracker(Tracker):
    """A tracker of the fake server."""

    def __init__(self, server: FakeServer) -> None:
        client: Any = FakeClient(server)
        super().__init__(client, "http://fake", None)
        self._server = server

    def check_not_away(self) -> None:
        """The server's health, which may fail like any call."""
        try:
            self._server.fault("probe", False)
        except MlflowException as error:
            raise StoreAway("The server does not answer.") from error

    def delete_files(self, run_id: str, folder: str) -> None:
        """As MLflow's HTTP client does it."""
        self._server.fault("delete_files", False)
        files = self._server.runs[run_id].files
        for path in [path for path in files if path.startswith(f"{folder}/")]:
            del files[path]
        self._server.fault("delete_files", True)

"""Writing a sweep to MLflow and reading it back, never through its active run. Models: `tracking.models`."""

from __future__ import annotations

import difflib
import functools
import io
import json
import logging
import os
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar
from urllib.parse import quote, urlencode

# MLflow reads these when it is imported or first used; what the user has set already wins.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")

from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, Experiment, Metric, Param, Run
from mlflow.exceptions import MlflowException
from PIL import Image

from tracking import stored
from tracking.record import SweepInfo, SweepRecord, TrialInfo, TrialRecord, TrialState
from tracking.redact import redact
from trainer.config import UserError
from trainer.results import FoldResult

# MLflow logs a traceback of every database error that it also raises; `told` says it in one sentence.
logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)

PRETRAINING = "thaw-pretraining"
BATCH = 1000  # MLflow's limit of metrics in one call
PAGE = 500
SHOWN = ("contracting", "expanding")  # the masks whose montage a report shows

P = ParamSpec("P")
R = TypeVar("R")


def told(method: Callable[Concatenate[Tracker, P], R]) -> Callable[Concatenate[Tracker, P], R]:
    """Turn MLflow's own exceptions (server gone, no permission, disk full) into a message without a traceback."""

    @functools.wraps(method)
    def call(tracker: Tracker, /, *args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return method(tracker, *args, **kwargs)
        except MlflowException as error:
            wanted = method.__name__.replace("_", " ")
            raise UserError(
                f"MLflow at {redact(tracker.uri)} could not {wanted}: {short(error, tracker.uri)} "
                "Nothing that was recorded is lost; mend that and run the same command again."
            ) from error

    return call


class Tracker:
    """A connection to one MLflow store. Every method takes explicit run ids, so any number of processes may write."""

    def __init__(self, client: MlflowClient, uri: str, artifacts: Path | None) -> None:
        self.client = client
        self.uri = uri
        self.artifacts = artifacts
        self._parents: dict[str, Run] = {}

    @classmethod
    def connect(cls, uri: str, artifacts: Path | None = None) -> Tracker:
        """Open the store at `uri`, creating a SQLite database when there is none.

        `artifacts`: folder for pictures and weights of a local store; None leaves the place to the server. Call this
        once before any worker starts: several processes that open a *fresh* database crash in its migration.
        Raises `UserError` within seconds when the store cannot be opened.
        """
        try:
            if uri.startswith("sqlite:///"):
                Path(uri.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
            with _impatient(), warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # MLflow's calls of SQLAlchemy, not ours to mend
                client = MlflowClient(tracking_uri=uri)
                client.search_experiments(max_results=1)
        except Exception as error:  # drivers, file systems and HTTP raise types of their own
            raise UserError(
                f"The MLflow store must be reachable, but {redact(uri)} is not: {short(error, uri)} "
                "Start that server or mend the address (MLFLOW_TRACKING_URI); without one, thaw keeps its own database "
                "under --home."
            ) from error
        return cls(client, uri, artifacts.resolve() if artifacts else None)

    # ---- the sweep ----

    @told
    def open_sweep(self, info: SweepInfo) -> str:
        """The run id of the sweep: an experiment named like it with one parent run in it, made when missing.

        The same name and digest reopen what is there and add nothing, but a grown spec replaces the stored one.
        Raises `UserError` when the name stands for another digest, or for an experiment that is not ours.
        """
        experiment = self._experiment(info.name, "sweep")
        run = self._newest(experiment, "tags.`thaw.kind` = 'sweep'")
        if run is None:
            run = self.client.create_run(experiment, run_name=info.name, tags=_sweep_tags(info))
        elif run.data.tags["thaw.digest"] != info.digest:
            raise UserError(
                f"A sweep's name stands for one data set, one set of folds, starting weights and settings: "
                f"{info.name!r} was recorded with digest {run.data.tags['thaw.digest'][:12]}, but this one has "
                f"{info.digest[:12]}. Choose another --name, or give the data and settings of that sweep."
            )
        run_id: str = run.info.run_id
        if run.data.tags.get("thaw.recorded") != "yes":  # new, or cut off by a crash: all of this may be repeated
            self._record_sweep(run_id, info)
        elif not _same_plan(self._info(run_id), info):
            self._store_plan(run_id, info)
        return run_id

    def _record_sweep(self, run_id: str, info: SweepInfo) -> None:
        data = info.data
        dataset = Dataset(
            name=Path(str(data.get("source", ""))).name or "data",
            digest=str(data.get("digest", ""))[:16] or "unknown",
            source_type="synthetic" if data.get("synthetic") else "local",
            source=json.dumps({"uri": str(data.get("source", "")), "layout": str(data.get("layout", ""))}),
            profile=json.dumps({key: value for key, value in data.items() if isinstance(value, int)}),
        )
        self.client.log_inputs(run_id, [DatasetInput(dataset)])
        params = {"folds": len(info.folds), "seed": info.seed, "n_blocks": info.n_blocks} | {
            f"data.{key}": value for key, value in data.items() if isinstance(value, str | int)
        }
        self._log(run_id, params=params)
        self.client.log_text(run_id, json.dumps(info.folds, indent=1), "folds.json")
        self._store_plan(run_id, info)
        self.client.set_tag(run_id, "thaw.recorded", "yes")

    def _store_plan(self, run_id: str, info: SweepInfo) -> None:
        self.client.log_text(run_id, json.dumps(info.spec, indent=1, sort_keys=True), "spec.json")
        self.client.log_text(run_id, stored.info_to_json(info), "info.json")

    @told
    def finish_sweep(self, run_id: str, verdict: str, report: str | None = None) -> None:
        """Close the sweep's run with its verdict as description and the HTML page `report` as an artifact."""
        if report is not None:
            self.client.log_text(run_id, report, "report.html")
        self.client.set_tag(run_id, "mlflow.note.content", verdict)
        self.client.set_terminated(run_id, "FINISHED")

    def trials_page(self, sweep_run: str) -> str:
        """Where MLflow's UI lists the sweep's trials, best first: the address below the server's."""
        query = {"searchFilter": "tags.`thaw.kind` = 'trial'", "orderByKey": "metrics.`dice`", "orderByAsc": "false"}
        return f"/#/experiments/{self._parent(sweep_run).info.experiment_id}/runs?{urlencode(query, quote_via=quote)}"

    # ---- its trials ----

    @told
    def trials(self, sweep_run: str) -> dict[str, TrialState]:
        """candidate key -> state of its run (FINISHED, FAILED, RUNNING, or KILLED for one that was closed as lost)."""
        return {
            run.data.tags["thaw.candidate"]: TrialState(run.info.run_id, run.info.status, run.data.metrics.get("dice"))
            for run in self._children(sweep_run)
        }

    @told
    def open_trial(self, sweep_run: str, info: TrialInfo) -> str:
        """The one run of this candidate: made when missing; lost and failed ones are taken up again."""
        parent = self._parent(sweep_run)
        candidate = info.candidate
        run = self._newest(
            parent.info.experiment_id,
            f"tags.`mlflow.parentRunId` = '{sweep_run}' AND tags.`thaw.candidate` = '{candidate.key}'",
        )
        if run is None:
            order, depth = info.orders[0] if info.orders else ("", 0)
            tags = {
                "mlflow.parentRunId": sweep_run,
                "thaw.kind": "trial",
                "thaw.sweep": parent.data.tags["thaw.sweep"],
                "thaw.synthetic": parent.data.tags["thaw.synthetic"],
                "thaw.candidate": candidate.key,
                "thaw.trial": stored.trial_to_json(info),
                "thaw.mask": candidate.mask,
                "thaw.order": order,
                "thaw.depth": f"{depth:02d}",  # tags sort as text
                "thaw.epochs": f"{candidate.epochs:04d}",
            }
            run = self.client.create_run(parent.info.experiment_id, run_name=candidate.name, tags=tags)
        elif run.info.status in ("FAILED", "KILLED"):
            self.client.update_run(run.info.run_id, status="RUNNING")
        run_id: str = run.info.run_id
        if "mask" not in run.data.params:
            self._log(run_id, params=stored.trial_params(info))
        return run_id

    @told
    def log_fold(self, run_id: str, result: FoldResult) -> None:
        """Record one fold: scores, seconds and the loss of every epoch. A fold that is there already is left alone."""
        there = self.client.get_run(run_id).data.metrics
        if f"dice/fold_{result.fold}" in there:
            return
        loss = f"loss/fold_{result.fold}"
        # Only a crash between two chunks leaves losses without scores: MLflow appends, so skip the steps it has.
        logged = {metric.step for metric in self.client.get_metric_history(run_id, loss)} if loss in there else set()
        points = stored.fold_metrics(result)
        self._log(run_id, metrics=[point for point in points if point[0] != loss or point[2] not in logged])

    @told
    def finish_trial(
        self,
        run_id: str,
        results: Sequence[FoldResult],
        montage: bytes,
        checkpoints: Iterable[tuple[str, bytes]] = (),
    ) -> None:
        """Record the summary over all folds, per-image scores, the final weights and the montage (PNG); then close.

        `checkpoints`: (file name, bytes) of every fold's final weights, taken one at a time.
        """
        there = self.client.get_run(run_id).data.metrics
        epochs = results[0].epochs
        summary = stored.summary_metrics(results)
        self._log(run_id, metrics=[(key, value, epochs) for key, value in summary.items() if key not in there])
        self.client.log_text(run_id, stored.scores_to_table(results), "scores.json")
        self.client.set_tag(run_id, "mlflow.loggedArtifacts", '[{"path": "scores.json", "type": "table"}]')
        self._log_checkpoints(run_id, checkpoints)
        if montage:
            self.client.log_image(run_id, Image.open(io.BytesIO(montage)), artifact_file="montage.png")
            # The same picture under a key: MLflow's chart view sets the runs' pictures side by side.
            if not self.client.list_artifacts(run_id, "images"):
                self.client.log_image(run_id, Image.open(io.BytesIO(montage)), key="montage", step=epochs)
        self.client.set_terminated(run_id, "FINISHED")

    def _log_checkpoints(self, run_id: str, checkpoints: Iterable[tuple[str, bytes]]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            for name, content in checkpoints:
                (Path(folder) / name).write_bytes(content)
            if any(Path(folder).iterdir()):
                self.client.log_artifacts(run_id, folder, "checkpoints")

    @told
    def log_neurons(self, run_id: str, pictures: Mapping[str, bytes], epochs: int) -> None:
        """Log one PNG per neuron under its key (`am/<block>/<filter>`); one that is there already is left alone."""
        files = self.client.list_artifacts(run_id, "images") if pictures else []
        # MLflow names them `key+step+...`, with ~ for the slashes that a file name cannot have.
        there = {Path(file.path).name.split("+")[0] for file in files}
        for key, png in pictures.items():
            if key.replace("/", "~") not in there:
                self.client.log_image(run_id, Image.open(io.BytesIO(png)), key=key, step=epochs)

    @told
    def fail_trial(self, run_id: str, reason: str) -> None:
        """Close the trial as FAILED; the reason becomes a tag and the run's description."""
        self.client.set_tag(run_id, "thaw.reason", reason[:4000])
        self.client.set_tag(run_id, "mlflow.note.content", f"Failed: {reason[:4000]}")
        self.client.set_terminated(run_id, "FAILED")

    @told
    def close_lost(self, sweep_run: str) -> int:
        """Close what is RUNNING of the sweep as KILLED; the number of trials. Only when no worker is alive."""
        lost = [run for run in self._children(sweep_run) if run.info.status == "RUNNING"]
        if self.client.get_run(sweep_run).info.status == "RUNNING":
            self.client.set_terminated(sweep_run, "KILLED")
        for run in lost:
            self.client.set_terminated(run.info.run_id, "KILLED")
        return len(lost)

    # ---- files ----

    @told
    def files(self, run_id: str, folder: str) -> tuple[str, ...]:
        """The paths of a run's artifacts in `folder`, such as `bases/0123.weights.h5`."""
        return tuple(file.path for file in self.client.list_artifacts(run_id, folder))

    def fetch_file(self, run_id: str, path: str, folder: Path) -> Path | None:
        """Download one artifact of a run into `folder`; None when it was never logged or has been deleted."""
        try:
            return Path(self.client.download_artifacts(run_id, path, str(folder)))
        except (MlflowException, OSError):
            return None

    @told
    def log_file(self, run_id: str, path: Path, folder: str) -> None:
        """Keep a file as an artifact of a run, in `folder`."""
        self.client.log_artifact(run_id, str(path), folder)

    # ---- pre-training ----

    @told
    def record_pretraining(
        self,
        digest: str,
        params: Mapping[str, Any],
        losses: Sequence[float],
        validation: Sequence[float] = (),
        seconds: float = 0.0,
    ) -> str:
        """The run id of one pre-training in the experiment `thaw-pretraining`; the same digest is recorded once.

        `losses` and `validation`: one value per epoch.
        """
        experiment = self._experiment(PRETRAINING, "pretraining")
        run = self._newest(experiment, f"tags.`thaw.digest` = '{digest}' AND attributes.status = 'FINISHED'")
        if run is None:
            tags = {"thaw.kind": "pretraining", "thaw.digest": digest}
            run = self.client.create_run(experiment, run_name=f"pretraining {digest[:8]}", tags=tags)
            points = [("loss", loss, epoch) for epoch, loss in enumerate(losses, 1)]
            points += [("val_loss", loss, epoch) for epoch, loss in enumerate(validation, 1)]
            self._log(run.info.run_id, [*points, ("seconds", seconds, len(losses))], {"digest": digest[:16], **params})
            self.client.set_terminated(run.info.run_id, "FINISHED")
        return str(run.info.run_id)

    # ---- reading back ----

    @told
    def read_sweep(self, name: str | None = None) -> SweepRecord:
        """The sweep called `name`, or the one that was last at work, with all its trials and per-image scores."""
        runs = self._sweeps()
        if not runs:
            raise UserError(f"There is no sweep in {redact(self.uri)} yet. Run one first, for instance: thaw run smoke")
        names = {run.data.tags["thaw.sweep"]: run for run in runs}
        if name is None:
            run = max(runs, key=lambda one: one.info.end_time or time.time() * 1000)
        elif name in names:
            run = names[name]
        else:
            near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
            meant = f"did you mean {' or '.join(map(repr, near))}? " if near else ""
            raise UserError(f"Unknown sweep {name!r}; {meant}Sweeps here: {', '.join(sorted(names)[:20])}.")
        run_id = run.info.run_id
        if run.data.tags.get("thaw.recorded") != "yes":
            raise UserError(f"The sweep {run.info.run_name!r} was cut off before it began. Run it again first.")
        info = self._info(run_id)
        started = datetime.fromtimestamp(run.info.start_time / 1000, UTC).isoformat(timespec="seconds")
        trials = tuple(self._trial(child, info) for child in self._children(run_id))
        return SweepRecord(info, run_id, run.info.status, started, trials)

    def _sweeps(self) -> list[Run]:
        experiments = self.client.search_experiments(filter_string="tags.`thaw.kind` = 'sweep'", max_results=PAGE)
        ids = [experiment.experiment_id for experiment in experiments]
        return list(self._pages(ids, "tags.`thaw.kind` = 'sweep'")) if ids else []

    def _trial(self, run: Run, info: SweepInfo) -> TrialRecord:
        trial = stored.trial_from_json(run.data.tags["thaw.trial"])
        done = run.info.status == "FINISHED"
        table = self._artifact(run.info.run_id, "scores.json") if done else None
        shown = done and trial.candidate.mask in {info.named_masks.get(name) for name in SHOWN}
        return TrialRecord(
            info=trial,
            run_id=run.info.run_id,
            status=run.info.status,
            reason=run.data.tags.get("thaw.reason", ""),
            folds=stored.folds_of(run.data.metrics, len(info.folds)),
            scores=stored.scores_from_table(table.decode()) if table else (),
            montage=self._artifact(run.info.run_id, "montage.png") if shown else None,
        )

    def _info(self, run_id: str) -> SweepInfo:
        text = self._artifact(run_id, "info.json")
        if text is None:
            raise UserError(f"The artifact info.json of run {run_id} is missing; without it the sweep cannot be read.")
        return stored.info_from_json(text.decode())

    def _artifact(self, run_id: str, path: str) -> bytes | None:
        """The artifact's bytes, or None when it was never logged or has been deleted."""
        with tempfile.TemporaryDirectory() as folder:
            file = self.fetch_file(run_id, path, Path(folder))
            return None if file is None else file.read_bytes()

    # ---- MLflow, one step below ----

    def _experiment(self, name: str, kind: str) -> str:
        found = self.client.get_experiment_by_name(name)
        if found is None:
            location = (self.artifacts / name).as_uri() if self.artifacts else None
            tags = {"thaw.kind": kind, "mlflow.experimentKind": "custom_model_development"}
            return str(self.client.create_experiment(name, artifact_location=location, tags=tags))
        if found.lifecycle_stage != "active" or found.tags.get("thaw.kind") != kind:
            raise UserError(_not_ours(found))
        return str(found.experiment_id)

    def _pages(self, experiments: list[str], query: str) -> Iterator[Run]:
        token: str | None = None
        while True:
            page = self.client.search_runs(experiments, query, max_results=PAGE, page_token=token)
            yield from page
            token = page.token
            if not token:
                return

    def _newest(self, experiment: str, query: str) -> Run | None:
        found = self.client.search_runs([experiment], query, max_results=1, order_by=["attributes.start_time DESC"])
        return found[0] if found else None

    def _children(self, sweep_run: str) -> list[Run]:
        experiment = self._parent(sweep_run).info.experiment_id
        query = f"tags.`mlflow.parentRunId` = '{sweep_run}' AND tags.`thaw.kind` = 'trial'"
        return list(self._pages([experiment], query))

    def _parent(self, sweep_run: str) -> Run:
        if sweep_run not in self._parents:
            self._parents[sweep_run] = self.client.get_run(sweep_run)
        return self._parents[sweep_run]

    def _log(
        self, run_id: str, metrics: Sequence[tuple[str, float, int]] = (), params: Mapping[str, Any] | None = None
    ) -> None:
        now = int(time.time() * 1000)
        points = [Metric(key, float(value), now, step) for key, value, step in metrics]
        values = [Param(key, str(value)[:500]) for key, value in (params or {}).items()]
        self.client.log_batch(run_id, points[:BATCH], values, synchronous=True)
        for first in range(BATCH, len(points), BATCH):
            self.client.log_batch(run_id, points[first : first + BATCH], synchronous=True)


def _sweep_tags(info: SweepInfo) -> dict[str, str]:
    return {
        "thaw.kind": "sweep",
        "thaw.sweep": info.name,
        "thaw.digest": info.digest,
        "thaw.synthetic": str(bool(info.data.get("synthetic"))).lower(),
        "thaw.data_digest": str(info.data.get("digest", "")),
        "mlflow.source.git.commit": info.commit,
        "mlflow.source.name": "thaw",
    }


def _same_plan(old: SweepInfo, new: SweepInfo) -> bool:
    plans = [json.dumps([info.spec, info.planned], sort_keys=True) for info in (old, new)]
    return plans[0] == plans[1]


def _not_ours(experiment: Experiment) -> str:
    state = "deleted in MLflow" if experiment.lifecycle_stage != "active" else "not made by thaw"
    return (
        f"A sweep is an MLflow experiment of its own, but an experiment {experiment.name!r} exists and was {state}. "
        "Choose another --name, or restore or rename that experiment."
    )


def short(error: Exception, uri: str) -> str:
    """The first line of an error, at most 300 characters, ending like a sentence.

    With a secret in the address only the error's kind is told: drivers cut an odd address up and quote the pieces.
    """
    told = str(error).strip()
    line = redact(told).splitlines()[0] if told and redact(uri) == uri else type(error).__name__
    return line[:300].rstrip(".") + "."


@contextmanager
def _impatient() -> Iterator[None]:
    """Five seconds and no retries: MLflow's own defaults make a wrong address take minutes to fail."""
    wanted = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0", "MLFLOW_HTTP_REQUEST_TIMEOUT": "5"}
    before = {key: os.environ.get(key) for key in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for key, value in before.items():
            if value is None:
                del os.environ[key]
            else:
                os.environ[key] = value

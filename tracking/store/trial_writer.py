"""Writing trials to MLflow: their runs, scores, weights and images, and any other file of a run."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from tracking.record import TrialInfo
from tracking.store import changes, mlflow_views, schema
from tracking.store.changes import Change, Files, Points
from tracking.store.connection import Run, explain_errors, now
from tracking.store.weights import Weights
from trainer.results import FoldResult


class TrialWriter(Weights):
    """What is recorded of a trial. Every method takes explicit run ids, so any number of processes may write."""

    @explain_errors
    def open_trial(self, sweep_run: str, info: TrialInfo) -> str:
        """The one run of this candidate: made when missing; lost and failed ones are taken up again."""
        run = self._run_of(sweep_run, info.candidate) or self.make_run(sweep_run, info)
        self.begin(run, info)
        run_id: str = run.info.run_id
        return run_id

    def make_run(
        self, sweep_run: str, info: TrialInfo, tags: Mapping[str, str] | None = None, at: int | None = None
    ) -> Run:
        """A new run of a candidate, with `tags` of its own besides those of every trial, begun `at` a time (ms)."""
        parent = self._parent(sweep_run)
        tags = _trial_tags(sweep_run, info, parent.data.tags["thaw.synthetic"]) | dict(tags or {})
        return self.client.create_run(parent.info.experiment_id, at, tags, info.candidate.name)

    def begin(self, run: Run, info: TrialInfo, at: int | None = None) -> None:
        """Begin the trial of a run, or take it up again."""
        if run.info.status in ("FAILED", "KILLED"):
            self.client.update_run(run.info.run_id, status="RUNNING")
        change = changes.opened(info)
        if "mask" in run.data.params:  # as they were written, perhaps by another version
            change = replace(change, points=(), params={})
        self.write(run, change, at=at)

    def write(self, run: Run, change: Change, files: Files = (), at: int | None = None) -> None:
        """Write a change on a run as it was read, its files first; what is there stays. `at`: the time of it (ms)."""
        run_id = run.info.run_id
        self._expect_weights(run, change.tags)
        self._log_files(run_id, files)
        for tag in run.data.tags:
            if tag.startswith(change.replaces) and tag not in change.tags:
                self.client.delete_tag(run_id, tag)
        params = {key: value for key, value in change.params.items() if key not in run.data.params}
        self._log(run_id, self._missing(run, change.points), params, change.tags, at)
        if change.status:
            self.client.set_terminated(run_id, change.status, at)

    def _missing(self, run: Run, points: Points) -> Sequence[tuple[str, float, int]]:
        """The points that a run has not: MLflow appends what comes again."""
        known = run.data.metrics
        if all(key in known for key, _, _ in points):
            return ()
        keys = Counter(key for key, _, _ in points)
        # Only a crash between two chunks leaves some of a key's points.
        steps = {key: self._steps(run.info.run_id, key) for key, count in keys.items() if key in known and count > 1}
        return [
            (key, value, step)
            for key, value, step in points
            if key not in known or (key in steps and step not in steps[key])
        ]

    def _steps(self, run_id: str, key: str) -> set[int]:
        return {metric.step for metric in self.client.get_metric_history(run_id, key)}

    def _log_files(self, run_id: str, files: Files) -> None:
        logged: list[str] | None = None
        for path, content in files:
            if path.startswith(f"{mlflow_views.IMAGES}/"):
                logged = self._image_files(run_id) if logged is None else logged
                if _is_there(path, logged):
                    continue
            self.log_content(run_id, path, content)

    def log_content(self, run_id: str, path: str, content: bytes) -> None:
        """Keep bytes as the artifact at `path`, in the place of what a crash may have left there."""
        with tempfile.TemporaryDirectory() as temporary:
            folder, _, name = path.rpartition("/")
            file = Path(temporary) / name
            file.write_bytes(content)
            self.client.log_artifact(run_id, str(file), folder or None)

    @explain_errors
    def log_fold(self, run_id: str, result: FoldResult) -> None:
        """Record one fold: scores, seconds and the loss of every epoch. A fold that is there already is left alone."""
        self.write(self.client.get_run(run_id), changes.fold_scored(result))

    @explain_errors
    def finish_trial(
        self,
        run_id: str,
        results: Sequence[FoldResult],
        montage: bytes,
        checkpoints: Iterable[tuple[str, bytes]] = (),
    ) -> None:
        """Record the summary over all folds, per-image scores, the final weights and the montage (PNG); then close.

        `checkpoints`: (file name, bytes) of every fold's final weights; none where these do not stay.
        """
        run = self.client.get_run(run_id)
        info = schema.trial_from_tags(run.data.tags, run_id)
        kept, files = changes.peeked(checkpoints)
        change = changes.finished(info, results, weights=kept, synthetic=run.data.tags["thaw.synthetic"] == "true")
        self.write(run, change, changes.finished_files(results, montage, files, now()))

    @explain_errors
    def log_neurons(self, run_id: str, images: Mapping[str, bytes]) -> None:
        """Log one PNG per neuron under its key (`am/<block>/<filter>`); one that is there already is left alone."""
        self._log_files(run_id, changes.image_files(images, now()))

    @explain_errors
    def fail_trial(self, run_id: str, reason: str) -> None:
        """Close the trial as FAILED; the reason becomes a tag and the run's description."""
        self.write(self.client.get_run(run_id), changes.failed(reason))

    @explain_errors
    def drop_trial(self, run_id: str, reason: str, estimate: float) -> None:
        """Close the trial as dropped between folds. It has no mean Dice; `estimate` is only a guess at it."""
        self.write(self.client.get_run(run_id), changes.dropped(reason, estimate))

    @explain_errors
    def close_lost(self, sweep_run: str) -> int:
        """Close what is RUNNING of the sweep as KILLED; the number of trials. Only when no worker is alive."""
        lost = [run for run in self._children(sweep_run) if run.info.status == "RUNNING"]
        if self.client.get_run(sweep_run).info.status == "RUNNING":
            self.client.set_terminated(sweep_run, "KILLED")
        for run in lost:
            self.client.set_terminated(run.info.run_id, "KILLED")
        return len(lost)

    # ---- files of any run ----

    @explain_errors
    def files(self, run_id: str, folder: str) -> tuple[str, ...]:
        """The paths of a run's artifacts in `folder`, such as `bases/0123.weights.h5`."""
        return tuple(file.path for file in self.client.list_artifacts(run_id, folder))

    @explain_errors
    def log_file(self, run_id: str, path: Path, folder: str) -> None:
        """Keep a file as an artifact of a run, in `folder`."""
        self.client.log_artifact(run_id, str(path), folder)

    @explain_errors
    def log_bytes(self, run_id: str, name: str, content: bytes, folder: str | None = None) -> None:
        """Keep bytes as the artifact `name` of a run, in the place of what a crash may have left there."""
        self.log_content(run_id, f"{folder}/{name}" if folder else name, content)

    @explain_errors
    def log_once(self, run_id: str, name: str, make: Callable[[], bytes]) -> None:
        """Keep `make()` as the artifact `name`, unless a tag of the run says that it is there, and whole."""
        tag = f"thaw.has.{name}"
        if tag not in self.client.get_run(run_id).data.tags:
            self.log_bytes(run_id, name, make())
            self.client.set_tag(run_id, tag, "yes")

    @explain_errors
    def tag(self, run_id: str, key: str) -> str | None:
        """The value of a run's tag; None where it has none."""
        value: str | None = self.client.get_run(run_id).data.tags.get(key)
        return value

    @explain_errors
    def set_tag(self, run_id: str, key: str, value: str) -> None:
        """Set a tag of a run."""
        self.client.set_tag(run_id, key, value)

    @explain_errors
    def read_file(self, run_id: str, path: str) -> bytes | None:
        """The bytes of a run's artifact, or None when it was never logged or has been deleted."""
        return self._artifact(run_id, path)


def _is_there(path: str, logged: Sequence[str]) -> bool:
    """Whether the image of a file is there, from another time: under this name it may be half of a pair."""
    image = path.removesuffix(".png").removesuffix("+compressed.webp")
    return not any(other.startswith(image) for other in logged) and mlflow_views.image_key(path) in map(
        mlflow_views.image_key, logged
    )


def _trial_tags(sweep_run: str, info: TrialInfo, synthetic: str) -> dict[str, str]:
    params = schema.trial_params(info)
    return {
        "mlflow.parentRunId": sweep_run,
        "thaw.kind": "trial",
        "thaw.synthetic": synthetic,
        schema.VERSION_TAG: str(schema.TRIAL_VERSION),
        "thaw.candidate": info.candidate.key,
        "thaw.trial": schema.trial_to_json(info),
        **{f"thaw.{key}": params[key] for key in ("mask", "order", "depth", "epochs")},
    }

"""Writing trials to MLflow: their runs, scores, weights and images, and any other file of a run."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from PIL import Image

from tracking.record import TrialInfo
from tracking.store import distance_tags, mlflow_views, schema
from tracking.store.connection import explain_errors
from tracking.store.reader import DROPPED
from tracking.store.score_tags import TAG, scores_to_tags
from tracking.store.weights import Weights
from trainer.results import FoldResult


class TrialWriter(Weights):
    """What is recorded of a trial. Every method takes explicit run ids, so any number of processes may write."""

    @explain_errors
    def open_trial(self, sweep_run: str, info: TrialInfo) -> str:
        """The one run of this candidate: made when missing; lost and failed ones are taken up again."""
        run = self._run_of(sweep_run, info.candidate)
        if run is None:
            parent = self._parent(sweep_run)
            tags = _trial_tags(sweep_run, info, parent.data.tags["thaw.synthetic"])
            run = self.client.create_run(parent.info.experiment_id, run_name=info.candidate.name, tags=tags)
        elif run.info.status in ("FAILED", "KILLED"):
            if DROPPED in run.data.tags:
                self.client.delete_tag(run.info.run_id, DROPPED)
            self.client.update_run(run.info.run_id, status="RUNNING")
        run_id: str = run.info.run_id
        if "mask" not in run.data.params:
            # The cost is a metric: MLflow sorts those as numbers, and can plot against them.
            self._log(run_id, [("trainable_params", info.trainable_params, 0)], schema.trial_params(info))
        return run_id

    @explain_errors
    def log_fold(self, run_id: str, result: FoldResult) -> None:
        """Record one fold: scores, seconds and the loss of every epoch. A fold that is there already is left alone."""
        metrics = self.client.get_run(run_id).data.metrics
        missing = [point for point in schema.fold_metrics(result) if point[0] not in metrics]
        if not missing:
            return
        loss = f"loss/fold_{result.fold}"
        if loss in metrics and f"dice/fold_{result.fold}" not in metrics:
            # Only a crash between two chunks leaves losses without scores: MLflow appends, so skip the steps it has.
            logged = {metric.step for metric in self.client.get_metric_history(run_id, loss)}
            losses = [point for point in schema.fold_metrics(result) if point[0] == loss and point[2] not in logged]
            missing = losses + missing
        self._log(run_id, metrics=missing)

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
        data = self.client.get_run(run_id).data
        epochs = results[0].epochs
        summary = schema.summary_metrics(results)
        self._log(run_id, [(key, value, epochs) for key, value in summary.items() if key not in data.metrics])
        info = schema.trial_from_tags(data.tags, run_id)
        self._log_scores(run_id, results, data.tags, own_images=info.candidate.split != "grouped")
        self._log_weights(run_id, checkpoints, data.tags)
        if montage:
            self._log_images(run_id, {"montage": montage})
        note = mlflow_views.describe_trial(info, summary, len(results), data.tags["thaw.synthetic"] == "true")
        self.client.set_tag(run_id, "mlflow.note.content", note)
        self.client.set_terminated(run_id, "FINISHED")

    def _log_scores(
        self, run_id: str, results: Sequence[FoldResult], old_tags: Mapping[str, str], *, own_images: bool
    ) -> None:
        """Per-image scores twice: a table that MLflow's pages show, and tags that come with the run."""
        self.client.log_text(run_id, schema.scores_to_table(results), "scores.json")
        scores = [(result.fold, score) for result in results for score in result.scores]
        tags = scores_to_tags(scores, own_images=own_images)
        for old in old_tags.keys() - tags.keys():
            if old.startswith((TAG, distance_tags.TAG)):  # of a training before, which took more of them
                self.client.delete_tag(run_id, old)
        tags[schema.VERSION_TAG] = str(schema.TRIAL_VERSION)
        tags[schema.PROCESSORS_TAG] = schema.processors_to_tag(results)
        tags["mlflow.loggedArtifacts"] = '[{"path": "scores.json", "type": "table"}]'
        self._log(run_id, tags=tags)

    @explain_errors
    def log_neurons(self, run_id: str, images: Mapping[str, bytes]) -> None:
        """Log one PNG per neuron under its key (`am/<block>/<filter>`); one that is there already is left alone."""
        self._log_images(run_id, images)

    def _log_images(self, run_id: str, images: Mapping[str, bytes]) -> None:
        logged = self._image_keys(run_id) if images else set()
        for key in images.keys() - logged:
            # Step 0 for all: MLflow shows images side by side only at one and the same step.
            self.client.log_image(run_id, Image.open(io.BytesIO(images[key])), key=key, step=0)

    @explain_errors
    def fail_trial(self, run_id: str, reason: str) -> None:
        """Close the trial as FAILED; the reason becomes a tag and the run's description."""
        self.client.set_tag(run_id, "thaw.reason", reason[:4000])
        self.client.set_tag(run_id, "mlflow.note.content", f"Failed: {reason[:4000]}")
        self.client.set_terminated(run_id, "FAILED")

    @explain_errors
    def drop_trial(self, run_id: str, reason: str, estimate: float) -> None:
        """Close the trial as dropped between folds. It has no mean Dice; `estimate` is only a guess at it."""
        self.client.set_tag(run_id, "thaw.reason", reason)
        self.client.set_tag(run_id, "mlflow.note.content", f"Dropped: {reason}")
        self.client.set_tag(run_id, DROPPED, repr(estimate))
        self.client.set_terminated(run_id, "KILLED")

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
        with tempfile.TemporaryDirectory() as temporary:
            path = Path(temporary) / name
            path.write_bytes(content)
            self.client.log_artifact(run_id, str(path), folder)

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

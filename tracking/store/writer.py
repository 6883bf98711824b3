"""Writing a sweep to MLflow, through `tracking.store.connection`. Reading: `tracking.store.reader`. Models:
`tracking.store.registry`."""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from tracking.record import SweepInfo, TrialInfo
from tracking.store import mlflow_views, schema
from tracking.store.connection import told
from tracking.store.reader import DROPPED, Reader
from tracking.store.same_sweep import clash
from tracking.store.score_tags import TAG, scores_to_tags
from trainer.config import Candidate
from trainer.results import FoldResult

PRETRAINING = "thaw-pretraining"
SWEEP = "tags.`thaw.kind` = 'sweep'"


class Tracker(Reader):
    """Everything that is recorded. Every method takes explicit run ids, so any number of processes may write."""

    # ---- the sweep ----

    @told
    def open_sweep(self, info: SweepInfo) -> str:
        """The run id of the sweep: an experiment named like it with one parent run in it, made when missing.

        The same name and digest reopen what is there and add nothing, but a grown spec replaces the stored one.
        Raises `UserError` when the name stands for another digest, or for an experiment that is not ours.
        """
        experiment = self._experiment(info.name, "sweep")
        run = self._newest(experiment, SWEEP)
        if run is None:
            run = self.client.create_run(experiment, run_name=info.name, tags=_sweep_tags(info))
        elif run.data.tags["thaw.digest"] != info.digest:
            recorded = run.data.tags.get("thaw.recorded") == "yes"
            raise clash(self._info(run.info.run_id) if recorded else None, info)
        run_id: str = run.info.run_id
        if run.data.tags.get("mlflow.note.content") is None:
            self._describe(run_id, "")
        if run.data.tags.get("thaw.recorded") != "yes":  # new, or cut off by a crash: all of this may be repeated
            self._record_sweep(run_id, info)
        elif not _same_plan(self._info(run_id), info):
            self._store_plan(run_id, info)
        return run_id

    @told
    def recorded(self, name: str) -> SweepInfo | None:
        """The sweep that is recorded under exactly this name, None when there is none yet. Makes nothing.

        Raises `UserError` when the name stands for an experiment that is not ours.
        """
        if self.client.get_experiment_by_name(name) is None:
            return None
        run = self._newest(self._experiment(name, "sweep"), SWEEP)
        whole = run is not None and run.data.tags.get("thaw.recorded") == "yes"
        return self._info(run.info.run_id) if run is not None and whole else None

    @told
    def candidates(self, name: str) -> tuple[Candidate, ...]:
        """What the sweep of this name has tried, in no order; nothing where there is no such sweep."""
        found = self.client.get_experiment_by_name(name)
        run = None if found is None else self._newest(found.experiment_id, SWEEP)
        return () if run is None else tuple(one.candidate for one in self.trials(run.info.run_id).values())

    def _record_sweep(self, run_id: str, info: SweepInfo) -> None:
        data = info.data
        self._log_dataset(
            run_id,
            name=Path(str(data.get("source", ""))).name or "data",
            digest=str(data.get("digest", ""))[:16] or "unknown",
            source_type="synthetic" if data.get("synthetic") else "local",
            source=json.dumps({"uri": str(data.get("source", "")), "layout": str(data.get("layout", ""))}),
            profile=json.dumps({key: value for key, value in data.items() if isinstance(value, int)}),
        )
        params = {"folds": len(info.folds), "seed": info.seed, "n_blocks": info.n_blocks} | {
            f"data.{key}": value for key, value in data.items() if isinstance(value, str | int)
        }
        self._log(run_id, params=params)
        self.client.log_text(run_id, json.dumps(info.folds, indent=1), "folds.json")
        self._store_plan(run_id, info)
        self.client.set_tag(run_id, "thaw.recorded", "yes")

    def _store_plan(self, run_id: str, info: SweepInfo) -> None:
        self.client.log_text(run_id, json.dumps(info.spec, indent=1, sort_keys=True), "spec.json")
        self.client.log_text(run_id, schema.info_to_json(info), "info.json")

    @told
    def finish_sweep(
        self, run_id: str, verdict: str, report: str | None = None, choice: Mapping[str, str] | None = None
    ) -> None:
        """Close the sweep's run with its verdict as description and the HTML page `report` as an artifact.

        `choice`: run id of a trial -> what the answer calls it (`winner`, `cheapest choice`), a tag of that run; all
        other trials lose the tag that an earlier end of the sweep may have given them.
        """
        if report is not None:
            self.client.log_text(run_id, report, "report.html")
        self._tag_choice(run_id, choice or {})
        self._describe(run_id, verdict)
        self.client.set_terminated(run_id, "FINISHED")

    def _tag_choice(self, sweep_run: str, choice: Mapping[str, str]) -> None:
        for trial in self._children(sweep_run):
            wanted, tagged = choice.get(trial.info.run_id), trial.data.tags.get(mlflow_views.CHOICE)
            if wanted is None and tagged is not None:
                self.client.delete_tag(trial.info.run_id, mlflow_views.CHOICE)
            elif wanted is not None and wanted != tagged:
                self.client.set_tag(trial.info.run_id, mlflow_views.CHOICE, wanted)

    def _describe(self, run_id: str, verdict: str) -> None:
        """Save the views of `tracking.store.mlflow_views`, and describe the sweep where a person may come upon it."""
        parent = self._parent(run_id)
        experiment: str = parent.info.experiment_id
        for view in (mlflow_views.trials_view(), mlflow_views.pictures_view(self._neurons(run_id))):
            self.client.set_experiment_tag(experiment, *view.tag(parent.info.start_time))
        synthetic = parent.data.tags["thaw.synthetic"] == "true"
        of_run, of_experiment = mlflow_views.describe_sweep(experiment, run_id, verdict, synthetic)
        self.client.set_experiment_tag(experiment, "mlflow.note.content", of_experiment)
        self.client.set_tag(run_id, "mlflow.note.content", of_run)

    # ---- its trials ----

    @told
    def open_trial(self, sweep_run: str, info: TrialInfo) -> str:
        """The one run of this candidate: made when missing; lost and failed ones are taken up again."""
        parent = self._parent(sweep_run)
        candidate = info.candidate
        run = self._run_of(sweep_run, candidate)
        if run is None:
            params = schema.trial_params(info)
            tags = {
                "mlflow.parentRunId": sweep_run,
                "thaw.kind": "trial",
                "thaw.synthetic": parent.data.tags["thaw.synthetic"],
                schema.VERSION_TAG: str(schema.TRIAL_VERSION),
                "thaw.candidate": candidate.key,
                "thaw.trial": schema.trial_to_json(info),
                **{f"thaw.{key}": params[key] for key in ("mask", "order", "depth", "epochs")},
            }
            run = self.client.create_run(parent.info.experiment_id, run_name=candidate.name, tags=tags)
        elif run.info.status in ("FAILED", "KILLED"):
            if DROPPED in run.data.tags:
                self.client.delete_tag(run.info.run_id, DROPPED)
            self.client.update_run(run.info.run_id, status="RUNNING")
        run_id: str = run.info.run_id
        if "mask" not in run.data.params:
            # The cost is a metric: MLflow sorts those as numbers, and can plot against them.
            self._log(run_id, [("trainable_params", info.trainable_params, 0)], schema.trial_params(info))
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
        points = schema.fold_metrics(result)
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
        data = self.client.get_run(run_id).data
        epochs = results[0].epochs
        summary = schema.summary_metrics(results)
        self._log(run_id, [(key, value, epochs) for key, value in summary.items() if key not in data.metrics])
        info = schema.trial_from_tags(data.tags, run_id)
        self._log_scores(run_id, results, data.tags, own_images=info.candidate.split != "grouped")
        self._log_checkpoints(run_id, checkpoints)
        if montage:
            self.client.log_image(run_id, Image.open(io.BytesIO(montage)), artifact_file="montage.png")
            self._log_pictures(run_id, {"montage": montage})  # again: MLflow's charts know pictures by their keys
        note = mlflow_views.describe_trial(info, summary, len(results), data.tags["thaw.synthetic"] == "true")
        self.client.set_tag(run_id, "mlflow.note.content", note)
        self.client.set_terminated(run_id, "FINISHED")

    def _log_scores(
        self, run_id: str, results: Sequence[FoldResult], there: Mapping[str, str], *, own_images: bool
    ) -> None:
        """Per-image scores twice: a table that MLflow's pages show, and tags that come with the run."""
        self.client.log_text(run_id, schema.scores_to_table(results), "scores.json")
        scores = [(result.fold, score) for result in results for score in result.scores]
        tags = scores_to_tags(scores, own_images=own_images)
        for old in there.keys() - tags.keys():
            if old.startswith(TAG):  # of a training before, which took more of them
                self.client.delete_tag(run_id, old)
        tags[schema.VERSION_TAG] = str(schema.TRIAL_VERSION)
        tags["mlflow.loggedArtifacts"] = '[{"path": "scores.json", "type": "table"}]'
        self._log(run_id, tags=tags)

    def _log_checkpoints(self, run_id: str, checkpoints: Iterable[tuple[str, bytes]]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            for name, content in checkpoints:
                (Path(folder) / name).write_bytes(content)
            if any(Path(folder).iterdir()):
                self.client.log_artifacts(run_id, folder, "checkpoints")

    @told
    def log_neurons(self, run_id: str, pictures: Mapping[str, bytes]) -> None:
        """Log one PNG per neuron under its key (`am/<block>/<filter>`); one that is there already is left alone."""
        self._log_pictures(run_id, pictures)

    def _log_pictures(self, run_id: str, pictures: Mapping[str, bytes]) -> None:
        there = self._pictures(run_id) if pictures else set()
        for key in pictures.keys() - there:
            # Step 0 for all: MLflow sets pictures side by side only at one and the same step.
            self.client.log_image(run_id, Image.open(io.BytesIO(pictures[key])), key=key, step=0)

    @told
    def fail_trial(self, run_id: str, reason: str) -> None:
        """Close the trial as FAILED; the reason becomes a tag and the run's description."""
        self.client.set_tag(run_id, "thaw.reason", reason[:4000])
        self.client.set_tag(run_id, "mlflow.note.content", f"Failed: {reason[:4000]}")
        self.client.set_terminated(run_id, "FAILED")

    @told
    def drop_trial(self, run_id: str, reason: str, estimate: float) -> None:
        """Close the trial as given up between folds; it has no mean Dice, and `estimate` is none."""
        self.client.set_tag(run_id, "thaw.reason", reason)
        self.client.set_tag(run_id, "mlflow.note.content", f"Dropped: {reason}")
        self.client.set_tag(run_id, DROPPED, repr(estimate))
        self.client.set_terminated(run_id, "KILLED")

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

    @told
    def log_file(self, run_id: str, path: Path, folder: str) -> None:
        """Keep a file as an artifact of a run, in `folder`."""
        self.client.log_artifact(run_id, str(path), folder)

    @told
    def log_bytes(self, run_id: str, name: str, content: bytes) -> None:
        """Keep bytes as the artifact `name` of a run, in the place of what a crash may have left there."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / name
            path.write_bytes(content)
            self.client.log_artifact(run_id, str(path))

    @told
    def log_once(self, run_id: str, name: str, make: Callable[[], bytes]) -> None:
        """Keep `make()` as the artifact `name`, unless a tag of the run says that it is there, and whole."""
        tag = f"thaw.has.{name}"
        if tag not in self.client.get_run(run_id).data.tags:
            self.log_bytes(run_id, name, make())
            self.client.set_tag(run_id, tag, "yes")

    @told
    def read_file(self, run_id: str, path: str) -> bytes | None:
        """The bytes of a run's artifact, or None when it was never logged or has been deleted."""
        return self._artifact(run_id, path)

    # ---- pre-training ----

    @told
    def record_pretraining(
        self,
        digest: str,
        params: Mapping[str, Any],
        losses: Sequence[float],
        held_out_dice: Sequence[float] = (),
    ) -> str:
        """The run id of one pre-training in the experiment `thaw-pretraining`; the same digest is recorded once.

        `losses` and `held_out_dice`: one value per epoch.
        """
        experiment = self._experiment(PRETRAINING, "pretraining")
        run = self._newest(experiment, f"tags.`thaw.digest` = '{digest}' AND attributes.status = 'FINISHED'")
        if run is None:
            tags = {"thaw.kind": "pretraining", "thaw.digest": digest}
            run = self.client.create_run(experiment, run_name=f"pretraining {digest[:8]}", tags=tags)
            points = [("loss", loss, epoch) for epoch, loss in enumerate(losses, 1)]
            points += [("held_out_dice", dice, epoch) for epoch, dice in enumerate(held_out_dice, 1)]
            self._log(run.info.run_id, points, {"digest": digest[:16], **params})
            self.client.set_terminated(run.info.run_id, "FINISHED")
        return str(run.info.run_id)


def _sweep_tags(info: SweepInfo) -> dict[str, str]:
    return {
        "thaw.kind": "sweep",
        "thaw.sweep": info.name,
        "thaw.digest": info.digest,
        "thaw.synthetic": str(bool(info.data.get("synthetic"))).lower(),
        "mlflow.source.git.commit": info.commit,
        "mlflow.source.name": "thaw",
    }


def _same_plan(old: SweepInfo, new: SweepInfo) -> bool:
    plans = [json.dumps([info.spec, info.planned, info.labels], sort_keys=True) for info in (old, new)]
    return plans[0] == plans[1]

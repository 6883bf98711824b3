"""Writing a sweep and its pre-training to MLflow; its trials are written by `tracking.store.trial_writer`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tracking.record import Refit, SweepInfo
from tracking.store import mlflow_views, schema
from tracking.store.connection import explain_errors
from tracking.store.refit_text import FILE as REFIT
from tracking.store.refit_text import refit_to_text
from tracking.store.same_sweep import clash
from tracking.store.trial_writer import TrialWriter
from tracking.sweep_names import HELD_OUT_OF
from trainer.candidate import Candidate

PRETRAINING = "thaw-pretraining"
SWEEP = "tags.`thaw.kind` = 'sweep'"


class Tracker(TrialWriter):
    """Everything that is recorded. Every method takes explicit run ids, so any number of processes may write."""

    # ---- the sweep ----

    @explain_errors
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

    @explain_errors
    def recorded(self, name: str) -> SweepInfo | None:
        """The sweep that is recorded under exactly this name, None when there is none yet. Makes nothing.

        Raises `UserError` when the name stands for an experiment that is not ours.
        """
        if self.client.get_experiment_by_name(name) is None:
            return None
        run = self._newest(self._experiment(name, "sweep"), SWEEP)
        whole = run is not None and run.data.tags.get("thaw.recorded") == "yes"
        return self._info(run.info.run_id) if run is not None and whole else None

    @explain_errors
    def candidates(self, name: str) -> tuple[Candidate, ...]:
        """What the sweep of this name has tried, in no order; nothing where there is no such sweep."""
        experiment = self.client.get_experiment_by_name(name)
        run = None if experiment is None else self._newest(experiment.experiment_id, SWEEP)
        return () if run is None else tuple(trial.candidate for trial in self.trials(run.info.run_id).values())

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

    @explain_errors
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

    @explain_errors
    def record_refit(self, run_id: str, refit: Refit) -> None:
        """Record what the chosen candidate of an outer part's sweep scores on what it never saw."""
        self.client.log_text(run_id, refit_to_text(refit), REFIT)

    def _tag_choice(self, sweep_run: str, choice: Mapping[str, str]) -> None:
        for trial in self._children(sweep_run):
            choice_name, tagged = choice.get(trial.info.run_id), trial.data.tags.get(mlflow_views.CHOICE)
            if choice_name is None and tagged is not None:
                self.client.delete_tag(trial.info.run_id, mlflow_views.CHOICE)
            elif choice_name is not None and choice_name != tagged:
                self.client.set_tag(trial.info.run_id, mlflow_views.CHOICE, choice_name)

    def _describe(self, run_id: str, verdict: str) -> None:
        """Save the views of `tracking.store.mlflow_views`, and describe the sweep where a person may come upon it."""
        parent = self._parent(run_id)
        experiment: str = parent.info.experiment_id
        for view in (mlflow_views.trials_view(), mlflow_views.images_view(self._neurons(run_id))):
            self.client.set_experiment_tag(experiment, *view.tag(parent.info.start_time))
        synthetic = parent.data.tags["thaw.synthetic"] == "true"
        of_run, of_experiment = mlflow_views.describe_sweep(experiment, run_id, verdict, synthetic)
        self.client.set_experiment_tag(experiment, "mlflow.note.content", of_experiment)
        self.client.set_tag(run_id, "mlflow.note.content", of_run)

    # ---- pre-training ----

    @explain_errors
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
        **({HELD_OUT_OF: info.held_out_of} if info.held_out_of else {}),
    }


def _same_plan(old: SweepInfo, new: SweepInfo) -> bool:
    plans = [
        json.dumps(
            [info.spec, info.planned, info.labels, info.distances, info.arithmetic, dict(info.starts)], sort_keys=True
        )
        for info in (old, new)
    ]
    return plans[0] == plans[1]

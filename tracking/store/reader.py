"""A sweep read back from MLflow: all that a report is made of."""

from __future__ import annotations

import difflib
import math
import time
from datetime import UTC, datetime
from pathlib import Path

from tracking.record import SweepInfo, SweepRecord, TrialRecord
from tracking.redact import redact
from tracking.store import schema as stored
from tracking.store.connection import PAGE, Run, Store, told
from trainer.config import UserError
from trainer.results import Score

SHOWN = ("contracting", "expanding")  # the masks whose montage a report shows
DROPPED = "thaw.dropped"  # the tag of a trial that was given up between folds; its value estimates the Dice


def status_of(run: Run) -> str:
    """MLflow's word for how a trial's run stands; DROPPED for one given up between folds, which MLflow knows no word
    for and calls KILLED.
    """
    return "DROPPED" if DROPPED in run.data.tags else str(run.info.status)


class Reader(Store):
    """What can be asked of a store, besides its connection."""

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
        shown = done and trial.candidate.mask in {info.named_masks.get(name) for name in SHOWN}
        return TrialRecord(
            info=trial,
            run_id=run.info.run_id,
            status=status_of(run),
            reason=run.data.tags.get("thaw.reason", ""),
            folds=stored.folds_of(run.data.metrics, len(info.folds)),
            scores=self._scores(run.info.run_id, run.info.artifact_uri) if done else (),
            montage=self._artifact(run.info.run_id, "montage.png", run.info.artifact_uri) if shown else None,
            seconds=float(run.data.metrics.get("seconds", math.nan)),
        )

    def _neurons(self, sweep_run: str) -> list[str]:
        """The keys `am/<block>/<filter>` of a finished trial's pictures, block by block; all trials share them."""
        trial = self._newest(
            self._parent(sweep_run).info.experiment_id,
            f"tags.`mlflow.parentRunId` = '{sweep_run}' AND tags.`thaw.kind` = 'trial' "
            "AND attributes.status = 'FINISHED'",
        )
        keys = self._pictures(trial.info.run_id) if trial else set()
        neurons = [key for key in keys if key.startswith("am/")]
        return sorted(neurons, key=lambda key: [int(number) for number in key.split("/")[1:]])

    def _pictures(self, run_id: str) -> set[str]:
        """The keys of a run's pictures. MLflow names their files `key+step+...`, with ~ for the slashes of the key."""
        files = self.client.list_artifacts(run_id, "images")
        return {Path(file.path).name.split("+")[0].replace("~", "/") for file in files}

    def _scores(self, run_id: str, where: str) -> tuple[tuple[int, Score], ...]:
        table = self._artifact(run_id, "scores.json", where)
        try:
            if table is not None:
                return stored.scores_from_table(table.decode())
        except (ValueError, KeyError, TypeError):
            pass  # said below, like one that is not there
        raise UserError(
            f"The artifact scores.json of run {run_id} is missing or damaged; a report needs it. Delete that run in "
            "MLflow and run the sweep again: its ledger still has the results, so nothing is trained anew."
        )

    def _info(self, run_id: str) -> SweepInfo:
        text = self._artifact(run_id, "info.json")
        if text is None:
            raise UserError(
                f"The artifact info.json of run {run_id} is missing; without it the sweep cannot be read. MLflow keeps "
                "absolute addresses: a home that was moved must be moved back."
            )
        return stored.info_from_json(text.decode())

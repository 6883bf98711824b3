"""The trained weights of trials in MLflow: recorded, found, and let go when a trial has lost."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from tracking.record import TrialState
from tracking.store.connection import explain_errors
from tracking.store.reader import Reader, trial_state
from trainer.config import Candidate

CHECKPOINTS = "checkpoints"  # the folder of a trial's artifacts
TAG = "thaw.weights"
KEPT, LOST = "kept", "not kept"


class Weights(Reader):
    """What a trial's weights are in the record: files in `checkpoints`, and a tag that says whether they are there."""

    @explain_errors
    def with_weights(self, sweep_run: str) -> list[TrialState]:
        """The finished trials of a sweep that hold weights, but for those recorded before there was a choice."""
        query = f"tags.`mlflow.parentRunId` = '{sweep_run}' AND tags.`{TAG}` = '{KEPT}'"
        runs = self._pages([self._parent(sweep_run).info.experiment_id], query)
        return [trial_state(run) for run in runs if run.info.status == "FINISHED"]

    @explain_errors
    def weights_lost(self, run_id: str) -> bool:
        """Whether a trial's weights were let go, or never recorded, since it had lost."""
        return bool(self.client.get_run(run_id).data.tags.get(TAG) == LOST)

    @explain_errors
    def lose_weights(self, sweep_run: str, candidate: Candidate) -> None:
        """Delete a trial's weights; scores, predictions and images stay. The tag last: a kill in between repeats."""
        run = self._run_of(sweep_run, candidate)
        if run is None:
            return
        run_id = run.info.run_id
        self.delete_files(run_id, CHECKPOINTS)
        self.client.set_tag(run_id, TAG, LOST)

    def _log_weights(self, run_id: str, checkpoints: Iterable[tuple[str, bytes]], tags: Mapping[str, str]) -> None:
        """Record (file name, bytes) of every fold's weights; without any, delete what a kill may have left."""
        with tempfile.TemporaryDirectory() as folder:
            for name, content in checkpoints:
                (Path(folder) / name).write_bytes(content)
            if any(Path(folder).iterdir()):
                self.client.set_tag(run_id, TAG, KEPT)  # first: whatever lies there is known to
                self.client.log_artifacts(run_id, folder, CHECKPOINTS)
                return
        if tags.get(TAG) == KEPT:
            self.delete_files(run_id, CHECKPOINTS)
        self.client.set_tag(run_id, TAG, LOST)

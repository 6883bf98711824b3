"""The trained weights of trials in MLflow: recorded, found, and let go when a trial has lost."""

from __future__ import annotations

from collections.abc import Mapping

from tracking.record import TrialState
from tracking.store.connection import Run, explain_errors
from tracking.store.reader import Reader, trial_state
from trainer.candidate import Candidate

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

    def _expect_weights(self, run: Run, tags: Mapping[str, str]) -> None:
        """Before a trial's files are recorded with `tags`: note that weights come, so that whatever lies there is known
        to; where none come, delete what a kill may have left.
        """
        if tags.get(TAG) == KEPT:
            self.client.set_tag(run.info.run_id, TAG, KEPT)
        elif tags.get(TAG) == LOST and run.data.tags.get(TAG) == KEPT:
            self.delete_files(run.info.run_id, CHECKPOINTS)

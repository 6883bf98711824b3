"""What a sweep that runs asks of MLflow: how its trials stand, which is highest, where a person finds them."""

from __future__ import annotations

from collections.abc import Container

from tracking.record import TrialState
from tracking.redact import redact
from tracking.store import mlflow_views as views
from tracking.store import schema as stored
from tracking.store.connection import Run, told
from tracking.store.reader import DROPPED, Reader, status_of
from trainer.config import Candidate

FEW = 4  # runs asked for at once: what lies above the highest allowed one are baselines
UI = "http://127.0.0.1:5000"  # where `thaw ui` serves it, unless told otherwise


class States(Reader):
    """Questions about single trials, each answered without reading the whole sweep."""

    @told
    def trials(self, sweep_run: str) -> dict[str, TrialState]:
        """candidate key -> state of its run (FINISHED, FAILED, DROPPED, RUNNING, or KILLED: closed as lost)."""
        return {run.data.tags["thaw.candidate"]: _trial_state(run) for run in self._children(sweep_run)}

    @told
    def trial(self, sweep_run: str, candidate: Candidate) -> TrialState | None:
        """The state of one candidate's run; None when it has none yet."""
        run = self._run_of(sweep_run, candidate)
        return None if run is None else _trial_state(run)

    @told
    def highest(self, sweep_run: str, like: Candidate, among: Container[Candidate]) -> TrialState | None:
        """The finished trial of the highest mean Dice, of any mask, rate and settings that are `among` those allowed,
        with the epochs and the seed of `like` and from the same pre-trained weights; None while there is none.
        """
        wanted = {"role": "trial", "epochs": stored.written_epochs(like), "seed": like.seed}
        query = [f"params.`{name}` = '{value}'" for name, value in wanted.items()]
        query += [f"tags.`mlflow.parentRunId` = '{sweep_run}'", "attributes.status = 'FINISHED'"]
        experiment = self._parent(sweep_run).info.experiment_id
        found = self._pages([experiment], " AND ".join(query), order="metrics.dice DESC", size=FEW)
        ranked = map(_trial_state, found)
        return next((state for state in ranked if state.candidate in among), None)

    @told
    def dice_by_image(self, run_id: str) -> dict[str, float]:
        """image -> out-of-fold Dice of a finished trial; NaN where the truth is empty."""
        where = self.client.get_run(run_id).info.artifact_uri
        return {score.image: score.dice for _, score in self._scores(run_id, where)}

    def _run_of(self, sweep_run: str, candidate: Candidate) -> Run | None:
        return self._newest(
            self._parent(sweep_run).info.experiment_id,
            f"tags.`mlflow.parentRunId` = '{sweep_run}' AND tags.`thaw.candidate` = '{candidate.key}'",
        )

    def trials_page(self, sweep_run: str) -> str:
        """Where MLflow's UI lists the sweep's trials, best first: the address below the server's."""
        return views.trials_view().address(self._parent(sweep_run).info.experiment_id)

    def pictures_page(self, sweep_run: str) -> str:
        """Where MLflow's UI sets the pictures of the best trials side by side: the address below the server's."""
        return views.pictures_view().address(self._parent(sweep_run).info.experiment_id)

    def trial_page(self, sweep_run: str, run_id: str) -> str:
        """Where MLflow's UI shows a trial: on its server, or where `thaw ui` serves a database."""
        server = redact(self.uri).rstrip("/") if self.uri.startswith(("http://", "https://")) else UI
        return f"{server}/#/experiments/{self._parent(sweep_run).info.experiment_id}/runs/{run_id}"


def _trial_state(run: Run) -> TrialState:
    info, tags = stored.trial_from_json(run.data.tags["thaw.trial"]), run.data.tags
    estimate = float(tags[DROPPED]) if DROPPED in tags else None
    metrics = run.data.metrics
    folds = sum(key.startswith("pixel_error/fold_") for key in metrics) if info.candidate.epochs else 0
    return TrialState(run.info.run_id, status_of(run), metrics.get("dice"), info.candidate, info.trainable_params,
                      estimate, folds, metrics.get("seconds", 0.0))  # fmt: skip

"""What is read back from MLflow: a whole sweep for a report, and the states of single trials for a sweep that runs."""

from __future__ import annotations

import difflib
import math
import time
import zlib
from collections.abc import Callable, Container, Iterable, Iterator, MutableMapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import urlsplit

from tracking.image_scores import FoldScore, ImageOrder, compact, dice_by_image
from tracking.record import Refit, SweepInfo, SweepRecord, TrialRecord, TrialState
from tracking.redact import redact
from tracking.server_probe import check_server
from tracking.store import mlflow_views, schema
from tracking.store.attempts import ATTEMPT, TRAINING, KeptFold, attempt_of, counting, folder_of, rank
from tracking.store.connection import PAGE, Run, Store, explain_errors
from tracking.store.external_tags import FILE, External, external_from_tags, external_from_text
from tracking.store.refit_text import FILE as REFIT
from tracking.store.refit_text import refit_from_text
from tracking.store.score_tags import digest_of, order_of_sweep, scores_from_tags
from tracking.sweep_names import HELD_OUT_OF, outer_name
from trainer.candidate import Candidate
from trainer.errors import StoreAway, UserError

DROPPED = "thaw.dropped"  # the tag of a trial that was stopped between folds; its value estimates the Dice

FEW = 4  # runs asked for at once: what lies above the highest allowed one are baselines
FETCHES = 10  # how often a file is fetched that is there, before it counts as lost: ten seconds in all
UI = "http://127.0.0.1:5000"  # where `thaw ui` serves it, by default


Step = Callable[[int], object]


def _told(runs: Iterable[Run], step: Step) -> Iterator[Run]:
    """The runs, of which `step` is told how many have come."""
    for number, run in enumerate(runs, 1):
        yield run
        step(number)


def _price(trial: TrialRecord) -> tuple[int, int, str]:
    return trial.info.trainable_params, trial.info.candidate.epochs, trial.info.candidate.key


def status_of(run: Run) -> str:
    """The status of a trial's run in MLflow's words; DROPPED for one that was stopped between folds, which MLflow calls
    KILLED.
    """
    return "DROPPED" if DROPPED in run.data.tags else str(run.info.status)


def _is_recorded(sweep: Run) -> bool:
    """Whether a sweep's run holds all that makes it one: it was not cut off before."""
    return bool(sweep.data.tags.get("thaw.recorded") == "yes")


class Reader(Store):
    """What can be asked of a store, besides its connection."""

    @explain_errors
    def read_sweep(self, name: str | None = None, step: Step = lambda done: None) -> SweepRecord:
        """The sweep called `name`, or the one that was last at work, with all its trials and per-image scores.

        The trials come cheapest first, in whatever order they were trained, so that nothing depends on who was faster.
        `step(done)` is told how many have been read. They come hundreds to a request, and are read as they
        come; only those recorded before their scores stood in tags cost a request of their own each.
        """
        run = self._sweep_run(name)
        run_id = run.info.run_id
        if not _is_recorded(run):
            raise UserError(f"The sweep {run.info.run_name!r} was cut off before it began. Run it again first.")
        info = self._info(run_id)
        started = datetime.fromtimestamp(run.info.start_time / 1000, UTC).isoformat(timespec="seconds")
        orders = _orders(info)
        children = _told(self._children(run_id), step)

        def trial_of(child: Run) -> TrialRecord:
            return self._trial(child, len(info.folds), orders, has_external=bool(info.external))

        trials = counting(children, trial_of)
        return SweepRecord(
            *(info, run_id, run.info.status, started, tuple(sorted(trials, key=_price))),
            outer=self._outer(info, step),
            refit=self._refit(run_id) if info.held_out_of else None,
        )

    def _outer(self, info: SweepInfo, step: Step) -> tuple[SweepRecord | None, ...]:
        """The sweeps of the outer parts; None for one that was not begun."""
        names = [outer_name(info.name, part, info.outer) for part in range(1, info.outer + 1)]
        begun = {run.data.tags["thaw.sweep"] for run in self._sweeps() if _is_recorded(run)} if names else set()
        return tuple(self.read_sweep(name, step) if name in begun else None for name in names)

    def _refit(self, run_id: str) -> Refit | None:
        text = self._artifact(run_id, REFIT)
        return None if text is None else refit_from_text(text.decode(errors="replace"))

    @explain_errors
    def read_info(self, name: str | None) -> SweepInfo:
        """What the sweep called `name`, or the one that was last at work, is; none of its trials is read."""
        return self._info(self._sweep_run(name).info.run_id)

    @explain_errors
    def sweep_run(self, name: str | None) -> str:
        """The run id of the sweep called `name`, or of the one that was last at work."""
        run_id: str = self._sweep_run(name).info.run_id
        return run_id

    @explain_errors
    def artifact_scheme(self, run_id: str) -> str:
        """How a run's artifacts are reached: `mlflow-artifacts` through the server, `s3` and the like at a store of
        their own, `file` in a folder of whoever asks.
        """
        return urlsplit(self.client.get_run(run_id).info.artifact_uri).scheme or "file"

    def _sweep_run(self, name: str | None) -> Run:
        """The run of the sweep called `name`, or of the one that was last at work; by name alone that of an outer
        part.
        """
        runs = self._sweeps()
        if not runs:
            raise UserError(f"There is no sweep in {redact(self.uri)} yet. Run one first, for instance: thaw run smoke")
        if name is None:
            whole = [run for run in runs if HELD_OUT_OF not in run.data.tags] or runs
            return max(whole, key=lambda run: run.info.end_time or time.time() * 1000)
        by_name = {run.data.tags["thaw.sweep"]: run for run in runs}
        if name not in by_name:
            similar = difflib.get_close_matches(name, by_name, n=3, cutoff=0.5)
            hint = f"did you mean {' or '.join(map(repr, similar))}? " if similar else ""
            raise UserError(f"Unknown sweep {name!r}; {hint}Sweeps here: {', '.join(sorted(by_name)[:20])}.")
        return by_name[name]

    def _sweeps(self) -> list[Run]:
        experiments = self.client.search_experiments(filter_string="tags.`thaw.kind` = 'sweep'", max_results=PAGE)
        ids = [experiment.experiment_id for experiment in experiments]
        return list(self._pages(ids, "tags.`thaw.kind` = 'sweep'")) if ids else []

    def _trial(
        self, run: Run, folds: int, orders: MutableMapping[str, ImageOrder], *, has_external: bool
    ) -> TrialRecord:
        info = schema.trial_from_tags(run.data.tags, run.info.run_id)
        has_external = has_external and info.role != "referee" and run.info.status == "FINISHED"  # which has no network
        return TrialRecord(
            info=info,
            run_id=run.info.run_id,
            status=status_of(run),
            reason=run.data.tags.get("thaw.reason", ""),
            folds=schema.folds_of(run.data.metrics, folds),
            scores=self._scores(run, orders) if run.info.status == "FINISHED" else (),
            seconds=float(run.data.metrics.get("seconds", math.nan)),
            processors=schema.processors_of(run.data.tags, folds),
            train_images=schema.train_images_of(run.data.metrics, folds),
            external=self._external(run) if has_external else {},
        )

    def _external(self, run: Run) -> External:
        """The scores on external test sets in the run's tags; where they are missing or damaged, in its artifact."""
        found = external_from_tags(run.data.tags)
        if found is not None:
            return found
        run_id: str = run.info.run_id
        content = self._artifact(run_id, FILE, run.info.artifact_uri)
        try:
            if content is not None:
                return external_from_text(content.decode())
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, zlib.error):
            pass  # said below, like one that is not there
        raise UserError(
            f"The artifact {FILE} of run {run_id} is missing or damaged; a report needs it. Delete that run in MLflow "
            "and run the sweep again: its ledger still has the results, so nothing is trained anew."
        )

    def _neurons(self, sweep_run: str) -> list[str]:
        """The keys `am/<block>/<filter>` of a finished trial's images, block by block; all trials share them."""
        trial = self._newest(
            self._parent(sweep_run).info.experiment_id,
            f"tags.`mlflow.parentRunId` = '{sweep_run}' AND tags.`thaw.kind` = 'trial' "
            "AND attributes.status = 'FINISHED'",
        )
        keys = self._image_keys(trial.info.run_id) if trial else set()
        neurons = [key for key in keys if key.startswith("am/")]
        return sorted(neurons, key=lambda key: [int(number) for number in key.split("/")[1:]])

    def _image_keys(self, run_id: str) -> set[str]:
        """The keys of a run's images."""
        return {mlflow_views.image_key(path) for path in self._image_files(run_id)}

    def _image_files(self, run_id: str) -> list[str]:
        return [file.path for file in self.client.list_artifacts(run_id, mlflow_views.IMAGES)]

    def _scores(self, run: Run, orders: MutableMapping[str, ImageOrder]) -> Sequence[FoldScore]:
        """The scores in the run's tags; where they are missing or damaged, those in its artifact."""
        run_id: str = run.info.run_id
        try:
            scores = scores_from_tags(run.data.tags, orders, run_id)
        except ValueError:
            scores = None  # the artifact says the same
        return self._scores_artifact(run, orders) if scores is None else scores

    def _scores_artifact(self, run: Run, orders: MutableMapping[str, ImageOrder]) -> Sequence[FoldScore]:
        run_id: str = run.info.run_id
        table = self._artifact(run_id, "scores.json", run.info.artifact_uri)
        try:
            if table is not None:
                return _share_order(schema.scores_from_table(table.decode()), orders)
        except (ValueError, KeyError, TypeError, RecursionError):
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
        return schema.info_from_json(text.decode(errors="replace"))

    # ---- single trials, each without reading the whole sweep ----

    @explain_errors
    def trials(self, sweep_run: str) -> dict[str, TrialState]:
        """candidate key -> state of its run (FINISHED, FAILED, DROPPED, RUNNING, or KILLED: closed as lost).

        Somebody else's predictions are no trials.
        """
        states = counting(self._children(sweep_run), trial_state)
        return {state.candidate.key: state for state in states if state.candidate.start != "referee"}

    @explain_errors
    def trial(self, sweep_run: str, candidate: Candidate) -> TrialState | None:
        """The state of one candidate's run; None when it has none yet."""
        run = self._run_of(sweep_run, candidate)
        return None if run is None else trial_state(run)

    @explain_errors
    def highest(self, sweep_run: str, like: Candidate, among: Container[Candidate]) -> TrialState | None:
        """The finished trial of the highest mean Dice, of any mask, rate and settings that are `among` those allowed,
        with the epochs and the seed of `like` and from the same pre-trained weights; None while there is none.
        """
        params = {"role": "trial", "epochs": schema.written_epochs(like), "seed": like.seed}
        query = [f"params.`{name}` = '{value}'" for name, value in params.items()]
        query += [f"tags.`mlflow.parentRunId` = '{sweep_run}'", "attributes.status = 'FINISHED'"]
        experiment = self._parent(sweep_run).info.experiment_id
        runs = self._pages([experiment], " AND ".join(query), order="metrics.dice DESC", size=FEW)
        states = (trial_state(run) for run in runs if self._counts(run, sweep_run))
        return next((state for state in states if state.candidate in among), None)

    @explain_errors
    def dice_by_image(self, run_id: str) -> dict[str, float]:
        """image -> out-of-fold Dice of a finished trial; NaN where the truth is empty."""
        run = self.client.get_run(run_id)
        sweep_run: str = run.data.tags["mlflow.parentRunId"]
        if sweep_run not in self._sweep_orders:
            self._sweep_orders[sweep_run] = _orders(self._info(sweep_run))
        return dice_by_image(self._scores(run, self._sweep_orders[sweep_run]))

    @explain_errors
    def runs_of(self, sweep_run: str, candidate: Candidate) -> list[Run]:
        """The active runs of a candidate, that which counts first; several only where several machines began it."""
        query = f"tags.`mlflow.parentRunId` = '{sweep_run}' AND tags.`thaw.candidate` = '{candidate.key}'"
        runs = self._pages([self._parent(sweep_run).info.experiment_id], query, size=FEW)
        return sorted(runs, key=rank, reverse=True)

    @explain_errors
    def runs_of_training(self, sweep_run: str, candidate: Candidate) -> list[Run]:
        """The active runs of all candidates that differ from one only in epochs, where several machines take part."""
        query = f"tags.`mlflow.parentRunId` = '{sweep_run}' AND tags.`{TRAINING}` = '{candidate.training}'"
        return list(self._pages([self._parent(sweep_run).info.experiment_id], query))

    @explain_errors
    def fetch_kept(self, kept: KeptFold) -> bytes | None:
        """The file of a finished fold; None where it is gone, or not what was recorded: it is trained again then.

        Its size is asked before it is fetched. Raises `StoreAway` where the server does not answer.
        """
        for number in range(FETCHES):
            files = self.client.list_artifacts(kept.run, folder_of(kept.epochs))
            if not any(file.path == kept.path and file.file_size == kept.size for file in files):
                return None
            content = self._artifact(kept.run, kept.path)
            if content is not None:
                return content if kept.is_whole(content) else None
            self.check_not_away()
            time.sleep(0.01 * 2**number)  # it is there, so something was in the way
        return None

    def check_not_away(self) -> None:
        """Raise `StoreAway` where the server does not answer."""
        try:
            check_server(self.uri)
        except UserError as error:
            raise StoreAway(str(error)) from error

    @explain_errors
    def is_synthetic(self, sweep_run: str) -> bool:
        """Whether a sweep's images are synthetic."""
        return bool(self._parent(sweep_run).data.tags["thaw.synthetic"] == "true")

    def _run_of(self, sweep_run: str, candidate: Candidate) -> Run | None:
        return next(iter(self.runs_of(sweep_run, candidate)), None)

    def _counts(self, run: Run, sweep_run: str) -> bool:
        """Whether no later attempt at the trial has a run."""
        if ATTEMPT not in run.data.tags:
            return True
        best = self._run_of(sweep_run, schema.trial_from_tags(run.data.tags, run.info.run_id).candidate)
        return best is not None and best.info.run_id == run.info.run_id

    def trials_page(self, sweep_run: str) -> str:
        """Where MLflow's UI lists the sweep's trials by their Dice: the address below the server's."""
        return mlflow_views.trials_view().address(self._parent(sweep_run).info.experiment_id)

    def images_page(self, sweep_run: str) -> str:
        """Where MLflow's UI shows the images of the best trials side by side: the address below the server's."""
        return mlflow_views.images_view().address(self._parent(sweep_run).info.experiment_id)

    def trial_page(self, sweep_run: str, run_id: str) -> str:
        """Where MLflow's UI shows a trial: on its server, or where `thaw ui` serves a database."""
        server = redact(self.uri).rstrip("/") if self.uri.startswith(("http://", "https://")) else UI
        return f"{server}/#/experiments/{self._parent(sweep_run).info.experiment_id}/runs/{run_id}"


def _orders(info: SweepInfo) -> dict[str, ImageOrder]:
    """The orders of images that are known of a sweep before any of its trials is read, by digest."""
    order = order_of_sweep(info)
    return {digest_of(order): order}


def _share_order(scores: Sequence[FoldScore], orders: MutableMapping[str, ImageOrder]) -> Sequence[FoldScore]:
    """The scores in a few arrays where that is possible, and then with the order of other trials of these images."""
    arrays = compact(scores)
    if arrays is None:
        return scores
    return replace(arrays, order=orders.setdefault(digest_of(arrays.order), arrays.order))


def trial_state(run: Run) -> TrialState:
    """What a launcher needs to know of a trial's run."""
    tags, metrics = run.data.tags, run.data.metrics
    info = schema.trial_from_tags(tags, run.info.run_id)
    return TrialState(
        run_id=run.info.run_id,
        status=status_of(run),
        dice=metrics.get("dice"),
        candidate=info.candidate,
        trainable_params=info.trainable_params,
        estimate=float(tags[DROPPED]) if DROPPED in tags else None,
        folds=sum(key.startswith("pixel_error/fold_") for key in metrics) if info.candidate.epochs else 0,
        seconds=metrics.get("seconds", 0.0),
        attempt=attempt_of(run),
    )

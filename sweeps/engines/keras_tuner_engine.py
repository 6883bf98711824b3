"""KerasTuner's engine: its oracles propose, one process evaluates, over the same objective as Optuna's queue.

KerasTuner 1.4.8 takes any exception for a failed trial, gives up after three failures in a row, writes its JSON in
place and takes seed 0 for "any". Hence: what is no `TrialFailed` leaves as a `FatalError`, failures never end a search,
and KerasTuner's folder is written for those who want to look into it but never read back: at each start it is made
anew from what is recorded, so nothing is lost with it and no damage in it matters.
"""

from __future__ import annotations

import math
import random
import shutil
import time
import warnings
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import keras_tuner
from keras_tuner.oracles import BayesianOptimizationOracle, GridSearchOracle, RandomSearchOracle

from sweeps.spec.search_section import Search
from sweeps.spec.space import Space
from sweeps.strategies.axes import Axis, axes, candidate_at, point_of
from sweeps.strategies.history import Claim, Evaluate, History, PastTrial, Status
from sweeps.strategies.propose import is_spent
from trainer.candidate import Candidate
from trainer.errors import TrialFailed
from trainer.files import cannot_write

OBJECTIVE = keras_tuner.Objective("dice", "max")
TRIES = 20  # draws outside the space or known already, before one of what is left is drawn


class Record:
    """What the search knows, growing: every trial so far, the axes that candidates lie on, how far it may go."""

    def __init__(self, search: Search, space: Space, trials: Sequence[PastTrial], deadline: float, seed: int) -> None:
        self.space, self.everything = space, dict.fromkeys(space.candidates())
        self.free = {axis.name: axis for axis in axes(space) if len(axis.values) > 1}
        self.trials = {trial.candidate: trial for trial in trials}
        self.search, self.deadline = search, deadline
        self.draw = random.Random(seed)

    def add(self, trial: PastTrial) -> None:
        self.trials[trial.candidate] = trial

    def is_new(self, point: dict[str, Any] | None) -> bool:
        """Whether a proposal lies in the space and was never tried."""
        candidate = None if point is None else candidate_at(self.space, point)
        return candidate is not None and candidate not in self.trials

    @property
    def is_over(self) -> bool:
        """Whether the budget is spent or nothing is left to try."""
        return (
            time.time() >= self.deadline
            or is_spent(self.search, History(tuple(self.trials.values())))
            or self.everything.keys() <= self.trials.keys()
        )

    def draw_new(self) -> dict[str, int]:
        """One of what is left, drawn evenly."""
        return self.draw.choice(self._untried())

    def nearest_new(self, point: dict[str, int]) -> dict[str, int]:
        """What is left closest to a point, each axis of length one; ties are drawn."""
        axis_length = {name: len(axis.values) - 1 for name, axis in self.free.items()}

        def distance(other: dict[str, int]) -> float:
            return sum(abs(other[name] - point[name]) / axis_length[name] for name in axis_length)

        untried = self._untried()
        shortest = min(map(distance, untried))
        return self.draw.choice([other for other in untried if distance(other) == shortest])

    def _untried(self) -> list[dict[str, int]]:
        return [self.point(candidate) for candidate in self.everything if candidate not in self.trials]

    def point(self, candidate: Candidate) -> dict[str, int]:
        """Where a candidate of the space lies, on the axes that leave a choice."""
        return {name: index for name, index in point_of(self.space, candidate).items() if name in self.free}

    def scored_points(self) -> list[dict[str, int]]:
        """The points of the space that have a score."""
        scored_points = [trial.candidate for trial in self.trials.values() if trial.score is not None]
        return [self.point(candidate) for candidate in scored_points if candidate in self.everything]


class _Random(RandomSearchOracle):  # type: ignore[misc]  # KerasTuner ships no types
    """KerasTuner's draws. It knows no constraints, so it draws again until a point lies in the space."""

    record: Record

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        if self.record.is_over:
            return _oracle_answer(None)
        for _ in range(TRIES):
            point = super().populate_space(trial_id)["values"]
            if self.record.is_new(point):
                return _oracle_answer(point)
        return _oracle_answer(self.record.draw_new())


class _Bayesian(BayesianOptimizationOracle):  # type: ignore[misc]
    """KerasTuner's Gaussian process. It first gets every known score (`run_trial` answers from the record).

    It may name one point again and again, and takes seconds for it: the nearest new point stands for that.
    """

    record: Record
    known: list[dict[str, int]]  # scored points that it was not given yet

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        if self.known:
            return _oracle_answer(self.known.pop(0))
        if self.record.is_over:
            return _oracle_answer(None)
        point = super().populate_space(trial_id)["values"]
        if self.record.is_new(point):
            return _oracle_answer(point)
        return _oracle_answer(self.record.draw_new() if point is None else self.record.nearest_new(point))


class _Grid(GridSearchOracle):  # type: ignore[misc]
    """KerasTuner's walk over all points, over those that are new."""

    record: Record

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        if self.record.is_over:
            return _oracle_answer(None)
        point = super().populate_space(trial_id)["values"]
        if point is not None and not self.record.is_new(point):  # only the first is not made by the next method
            point = self._get_next_combination(point)
        return _oracle_answer(point)

    def _get_next_combination(self, values: dict[str, Any]) -> dict[str, Any] | None:
        point: dict[str, Any] | None = super()._get_next_combination(values)
        while point is not None and not self.record.is_new(point):
            point = super()._get_next_combination(point)
        return point


ORACLES = {"random": _Random, "grid": _Grid, "bayesian": _Bayesian}


class _Tuner(keras_tuner.Tuner):  # type: ignore[misc]
    """One process that evaluates what its oracle proposes."""

    def __init__(self, oracle: Any, evaluate: Evaluate, tell: Callable[[PastTrial], None], folder: Path) -> None:
        self.evaluate, self.tell, self.record = evaluate, tell, oracle.record
        super().__init__(oracle=oracle, directory=str(folder.parent), project_name=folder.name, overwrite=True)

    def run_trial(self, trial: Any, *_: Any, **__: Any) -> dict[str, float]:
        """The mean Dice of a trial's candidate, measured now unless the record has it."""
        try:
            past_trial = self._past_trial(candidate_at(self.record.space, trial.hyperparameters.values))
        except Exception as bug:
            raise keras_tuner.errors.FatalError from bug
        if past_trial.score is None:
            raise keras_tuner.errors.FailedTrialError(f"{past_trial.candidate.name} has no score")
        return {OBJECTIVE.name: past_trial.score}

    def _past_trial(self, candidate: Candidate | None) -> PastTrial:
        assert candidate is not None, "a point outside the space was handed out"
        if candidate not in self.record.trials:
            trial = _evaluate(candidate, self.evaluate)
            self.record.add(trial)
            self.tell(trial)
        recorded_trial: PastTrial = self.record.trials[candidate]
        return recorded_trial


def tune(
    search: Search,
    space: Space,
    trials: Sequence[PastTrial],
    evaluate: Evaluate,
    folder: Path,
    *,
    seed: int,
    deadline: float = math.inf,
    tell: Callable[[PastTrial], None] = lambda trial: None,
) -> None:
    """Let KerasTuner search `space` on from `trials`, until the budget is spent, the space is used up, or the
    `deadline` (Unix time) is past.

    `evaluate` raises `TrialFailed` for a candidate that cannot score; any other exception is a bug and comes through.
    `tell` gets the outcome of each new candidate. `folder` is emptied, then holds KerasTuner's own files; raises
    `UserError` where it cannot be written.
    """
    record = Record(search, space, trials, deadline, seed)
    oracle: Any = ORACLES[search.strategy](
        objective=OBJECTIVE,
        max_trials=None,  # the budget counts what the record holds, the baselines too
        hyperparameters=_hyperparameters(record.free.values()),
        seed=seed + 1,  # KerasTuner takes 0 for none and draws one
        max_consecutive_failed_trials=math.inf,
    )
    oracle.record, oracle.known, oracle.verbose = record, record.scored_points(), 0
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=DeprecationWarning, module=r"keras_tuner\.")
        warnings.filterwarnings("ignore", module=r"sklearn\.gaussian_process")  # its fit is at a bound: no news
        try:
            _empty(folder)
            _Tuner(oracle, evaluate, tell, folder).search()
        except keras_tuner.errors.FatalError as stop:
            raise stop.__cause__ or stop from None
        except Exception as error:
            if isinstance(error, OSError) or type(error).__module__.startswith("tensorflow"):  # which it writes through
                raise cannot_write(folder, OSError(0, str(error))) from error
            raise


def _evaluate(candidate: Candidate, evaluate: Evaluate) -> PastTrial:
    """Evaluate a new candidate. KerasTuner gets no score of a single fold, and the estimate of a dropped candidate."""
    try:
        scored = evaluate(candidate, Claim())
    except TrialFailed:
        return PastTrial(candidate, "failed")
    if math.isnan(scored.score):
        return PastTrial(candidate, "failed")  # as Optuna has it
    status: Status = "dropped" if scored.dropped_after else "done"
    return PastTrial(candidate, status, scored.score, scored.trainings, scored.seconds, scored.parameters)


def _hyperparameters(free: Iterable[Axis]) -> Any:
    """The axes as KerasTuner declares them: a boolean per block, the place on every other axis."""
    hyperparameters = keras_tuner.HyperParameters()
    for axis in free:
        if axis.values == (False, True):
            hyperparameters.Boolean(axis.name)
        else:
            hyperparameters.Int(axis.name, 0, len(axis.values) - 1)
    return hyperparameters


def _oracle_answer(point: dict[str, Any] | None) -> dict[str, Any]:
    """An oracle's answer: try this point, or stop."""
    return {"status": "STOPPED" if point is None else "RUNNING", "values": point}


def _empty(folder: Path) -> None:
    """Remove the folder, or the file in its place."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    if folder.is_dir() and not folder.is_symlink():
        shutil.rmtree(folder)
    else:
        folder.unlink(missing_ok=True)

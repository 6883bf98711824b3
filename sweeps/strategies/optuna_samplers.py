"""Optuna's samplers as strategies: from what a search has seen to its next candidate, with nothing kept in between.

Every call makes a study in memory from the history and asks its sampler, so any worker can ask at any time, and a
search goes on after a crash as if nothing had been. What a sampler asks for may be known already, or not allowed: then
it is asked again, and after `TRIES` a candidate is drawn from those that were not proposed yet.

Left out: GP and CMA-ES (they need torch and cmaes, and CMA-ES takes no categories), NSGA-III (made for many
objectives; this search has two at most), brute force and grid, which `exhaustive` and `grid` are.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution
from optuna.samplers import BaseSampler, NSGAIISampler, TPESampler
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, Trial, TrialState

from sweeps.spec.space import Space
from sweeps.strategies.axes import Axis, axes, candidate_at, point_of
from sweeps.strategies.history import History, PastTrial
from trainer.candidate import Candidate

TRIES = 30  # of a sampler, before a candidate is drawn; about a hundredth of a second each
POPULATION = 8  # of nsga2: twelve generations of 100 trials; Optuna's 50 leave two
POINTS, FIRST = 4096, 256  # qmc looks through so many points of its sequence, so many at a time
MAXIMIZE, MINIMIZE = StudyDirection.MAXIMIZE, StudyDirection.MINIMIZE
Objectives = Mapping[StudyDirection, Callable[[PastTrial], float]]  # one to raise, perhaps one to lower


def tpe(space: Space, history: History, seed: int) -> Candidate | None:
    """Tree-structured Parzen estimator (Bergstra et al. 2011; multivariate, with constant liar for open trials).

    A dropped candidate counts with its estimate: it is on the scale of the others, and Optuna would rank a pruned trial
    below every complete one, although a candidate dropped for being worse than the best may be better than most.
    """
    return _next(space, history, seed, lambda number, _: TPESampler(seed=number), {MAXIMIZE: _score})


def nsga2(space: Space, history: History, seed: int) -> Candidate | None:
    """NSGA-II (Deb et al. 2002): Dice up, `space.cost` down."""
    return _next(space, history, seed, _Generations, {MAXIMIZE: _score, MINIMIZE: _cost(space, history)})


def random(space: Space, history: History, seed: int) -> Candidate | None:
    """One of the candidates that were not proposed yet, drawn evenly."""
    return None if _is_exhausted(space, history) else _draw_unseen(space, history, seed)


def qmc(space: Space, history: History, seed: int) -> Candidate | None:
    """The first unseen candidate on a scrambled Sobol sequence: random, but spread evenly over the space.

    The points are those of Optuna's `QMCSampler`; it would give them one by one, from its first one on every time.
    """
    from scipy.stats.qmc import Sobol

    if _is_exhausted(space, history):
        return None
    known, choices = history.known, axes(space)
    sequence = Sobol(len(choices), scramble=True, rng=np.random.default_rng(seed))
    for row in itertools.chain.from_iterable(sequence.random(FIRST) for _ in range(POINTS // FIRST)):
        point = {axis.name: int(coordinate * len(axis.values)) for axis, coordinate in zip(choices, row, strict=True)}
        candidate = candidate_at(space, point)
        if candidate is not None and candidate not in known:
            return candidate
    return _draw_unseen(space, history, seed)


class _Generations(NSGAIISampler):
    """NSGA-II whose generations are read off the order in which candidates were handed out, `POPULATION` each.

    Optuna writes down a trial's generation when it proposes the trial, and counts only the trials complete by then. A
    history does not tell which those were, so all that were handed out count; with one worker that is the same.
    A sampler is for one study, whose complete trials stay the same.
    """

    def __init__(self, seed: int, handed_out: int) -> None:
        super().__init__(population_size=POPULATION, seed=seed)
        self._now = handed_out // POPULATION
        self._populations: dict[int, list[FrozenTrial]] | None = None
        self._parents: list[list[FrozenTrial]] = [[]]  # of every generation; the first has none

    def get_trial_generation(self, study: optuna.Study, trial: FrozenTrial) -> int:
        return self._now

    def get_population(self, study: optuna.Study, generation: int) -> list[FrozenTrial]:
        if self._populations is None:
            self._populations = {}
            for trial in study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)):
                self._populations.setdefault(trial.number // POPULATION, []).append(trial)
        return self._populations.get(generation, [])

    def get_parent_population(self, study: optuna.Study, generation: int) -> list[FrozenTrial]:
        """From the first generation on: Optuna goes back from the last, deeper than Python calls functions."""
        while len(self._parents) <= generation:
            self._parents.append(list(self.select_parent(study, len(self._parents))))
        return self._parents[generation]

    def sample_relative(self, study: optuna.Study, trial: FrozenTrial, search_space: Any) -> dict[str, Any]:
        """What is asked for again has the same parents in the order of their trials, as Optuna keeps them."""
        sample = super().sample_relative(study, trial, search_space)
        self._parents[self._now].sort(key=lambda parent: parent.number)
        return sample

    def select_parent(self, study: optuna.Study, generation: int) -> list[FrozenTrial]:
        """No parents where fewer than two are left, as after a generation of failures: a child has two."""
        parents = super().select_parent(study, generation)
        return parents if len(parents) > 1 else []


def _next(
    space: Space, history: History, seed: int, sampler: Callable[[int, int], BaseSampler], objectives: Objectives
) -> Candidate | None:
    """Ask a sampler, made from its seed and the number of trials that it learns from, for something new."""
    if _is_exhausted(space, history):
        return None
    known = history.known
    trials_inside = [trial for trial in history.trials if trial.candidate in space]
    distributions = {axis.name: _distribution(axis) for axis in axes(space)}
    study = _study(
        space, trials_inside, distributions, sampler(_sampler_seed(history, seed), len(trials_inside)), objectives
    )
    for _ in range(TRIES):
        proposal: Trial = study.ask(distributions)  # stays open, so that the next answer keeps away from it
        candidate = candidate_at(space, proposal.params)
        if candidate is not None and candidate not in known:
            return candidate
    return _draw_unseen(space, history, seed)


def _study(
    space: Space,
    trials_inside: Sequence[PastTrial],
    distributions: dict[str, BaseDistribution],
    sampler: BaseSampler,
    objectives: Objectives,
) -> optuna.Study:
    """A study in memory that holds what the space has of the history, in its order."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=sampler, directions=list(objectives))
    for trial in trials_inside:
        scored = trial.status in ("done", "dropped") and not math.isnan(_score(trial))
        state = TrialState.COMPLETE if scored else TrialState.RUNNING if trial.status == "open" else TrialState.FAIL
        study.add_trial(
            optuna.trial.create_trial(
                state=state,
                params=point_of(space, trial.candidate),
                distributions=distributions,
                values=[value(trial) for value in objectives.values()] if scored else None,
            )
        )
    return study


def _distribution(axis: Axis) -> BaseDistribution:
    size = len(axis.values)
    return IntDistribution(0, size - 1) if axis.ordinal else CategoricalDistribution(range(size))


def _score(trial: PastTrial) -> float:
    return math.nan if trial.score is None else trial.score


def _cost(space: Space, history: History) -> Callable[[PastTrial], float]:
    """What training a candidate on one fold costs: the parameters that it thaws, or seconds.

    What came out of the ledger took no seconds; it counts with what an epoch of the others took.
    """
    if space.cost == "parameters":
        thawed = {str(mask): count for mask, count in zip(space.masks, space.parameters, strict=True)}
        return lambda trial: trial.parameters or thawed[trial.candidate.mask]
    paid = [trial for trial in history.trials if trial.trainings and trial.candidate.epochs]
    epoch = [trial.seconds / trial.trainings / trial.candidate.epochs for trial in paid]
    typical = median(epoch) if epoch else 1.0
    return lambda trial: trial.seconds / trial.trainings if trial.trainings else typical * trial.candidate.epochs


def _is_exhausted(space: Space, history: History) -> bool:
    return sum(candidate in space for candidate in history.known) >= len(space)


def _draw_unseen(space: Space, history: History, seed: int) -> Candidate:
    """One of the candidates that were not proposed yet, drawn evenly; there is at least one."""
    known, settings = history.known, list(space.settings())
    rng = np.random.default_rng([seed, len(history.trials)])
    for _ in range(100):  # before the whole space is listed: it may be large
        mask = space.masks[rng.integers(len(space.masks))]
        epochs, rate = int(rng.choice(space.epochs)), float(rng.choice(space.learning_rate))
        candidate = space.candidate(mask, epochs, rate, settings[rng.integers(len(settings))])
        if candidate not in known and candidate in space:
            return candidate
    unseen = [candidate for candidate in space.candidates() if candidate not in known]
    return unseen[rng.integers(len(unseen))]


def _sampler_seed(history: History, seed: int) -> int:
    """A seed for a sampler, of its own for every length of the history."""
    return int(np.random.SeedSequence([seed, len(history.trials)]).generate_state(1)[0])

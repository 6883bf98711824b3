"""What Optuna's samplers learn from a history: the contract of all strategies is in `test_strategies.py`."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.distributions import CategoricalDistribution, IntDistribution

from sweeps.spec.search_section import Search
from sweeps.spec.space import Space, space_of
from sweeps.strategies import optuna_samplers
from sweeps.strategies.axes import Axis, axes
from sweeps.strategies.history import History, PastTrial
from trainer.candidate import Candidate
from trainer.config import Settings
from trainer.masks import parse

SIZES = [1, 2, 4, 8, 16, 8, 4, 2, 1]
Strategy = Callable[[Space, History, int], Candidate | None]
SPACE = space_of(Search(space="subsets"), SIZES, Settings())


def dice(candidate: Candidate) -> float:
    """Blocks 1 to 3 help each other, 6 to 9 harm: cheap and good go together only in a corner."""
    blocks = set(parse(candidate.mask, 9).blocks)
    return 0.4 + 0.02 * len(blocks & {1, 2, 3}) ** 2 - 0.03 * len(blocks & {6, 7, 8, 9}) + 0.02 * (5 in blocks)


def search(strategy: Strategy, space: Space, seed: int, trials: int) -> list[Candidate]:
    history: tuple[PastTrial, ...] = ()
    while len(history) < trials:
        candidate = strategy(space, History(history), seed)
        assert candidate is not None
        history = (*history, PastTrial(candidate, "done", dice(candidate), 5, 10.0 * candidate.epochs))
    return [one.candidate for one in history]


def volume(found: list[Candidate]) -> float:
    """What the front of Dice against parameters encloses, from Dice 0.2 and all parameters."""
    points = {(sum(SIZES[block - 1] for block in parse(one.mask, 9).blocks), dice(one)) for one in found}
    best, area, last = 0.2, 0.0, 0
    for cost, score in sorted(points, key=lambda point: (point[0], -point[1])):
        if score > best:
            area += (best - 0.2) * (cost - last)
            best, last = score, cost
    return area + (best - 0.2) * (sum(SIZES) - last)


def test_nsga2_goes_on_after_more_generations_than_python_calls_functions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(optuna_samplers, "POPULATION", 2)
    space = space_of(Search(space="subsets", epochs=(1, 2)), SIZES, Settings())
    past = [PastTrial(candidate, "done", dice(candidate), 5, 1.0) for candidate in space.candidates()]
    assert optuna_samplers.nsga2(space, History(tuple(past[:900])), 0) in set(space.candidates())


@pytest.mark.slow
def test_nsga2_selects() -> None:
    nsga2, random = optuna_samplers.nsga2, optuna_samplers.random
    gained = [volume(search(nsga2, SPACE, seed, 64)) - volume(search(random, SPACE, seed, 64)) for seed in range(4)]
    assert np.mean(gained) > 0.5 and sum(gain > 0 for gain in gained) >= 3, gained


def test_tpe_learns() -> None:
    late = [np.mean([dice(one) for one in search(optuna_samplers.tpe, SPACE, seed, 36)[18:]]) for seed in range(2)]
    drawn = np.mean([dice(one) for one in SPACE.candidates()])
    assert min(late) > drawn + 0.05, (late, drawn)


def test_qmc_is_spread_evenly() -> None:
    """Of 16 points on a Sobol sequence about half train any one block; drawn ones vary more."""
    spread = []
    for strategy in (optuna_samplers.qmc, optuna_samplers.random):
        counts = [
            sum(block in parse(one.mask, 9).blocks for one in search(strategy, SPACE, seed, 16))
            for seed in range(3)
            for block in range(1, 10)
        ]
        spread.append(np.std(counts))
    assert spread[0] < 0.6 * spread[1], spread


def test_a_dropped_candidate_counts_with_its_estimate() -> None:
    """Of blocks 1 to 3 all that is known comes from dropped candidates; it must not be taken for the worst."""
    drawn = search(optuna_samplers.random, SPACE, 0, 60)
    good = {one for one in drawn if len({1, 2, 3} & set(parse(one.mask, 9).blocks)) >= 2}
    past = tuple(PastTrial(one, "dropped" if one in good else "done", dice(one)) for one in drawn)
    shares = []
    for seed in range(12):
        found = optuna_samplers.tpe(SPACE, History(past), seed)
        assert found is not None
        shares.append(len({1, 2, 3} & set(parse(found.mask, 9).blocks)))
    assert np.mean(shares) > 2


@pytest.mark.parametrize("limits", [{"max_blocks": 1}, {"max_blocks": 3, "must_train": (5,), "must_freeze": (1,)}])
def test_a_narrow_space_does_not_spin(limits: dict[str, int]) -> None:
    narrow = space_of(Search(space="subsets", epochs=(3, 6, 9, 12), **limits), SIZES, Settings())  # type: ignore[arg-type]
    drawn = search(optuna_samplers.random, narrow, 0, len(narrow) - 2)
    past = History(tuple(PastTrial(one, "done", dice(one), 5, 1.0) for one in drawn))
    for strategy in (optuna_samplers.tpe, optuna_samplers.nsga2, optuna_samplers.qmc):
        start = time.process_time()
        assert strategy(narrow, past, 0) in narrow
        assert time.process_time() - start < 2


def test_seconds_as_cost_are_of_one_training_and_guessed_where_the_ledger_paid() -> None:
    timed = space_of(Search(space="subsets", epochs=(3, 6), cost="seconds"), SIZES, Settings())
    paid, free = (Candidate("1", epochs, 1e-3) for epochs in (6, 3))
    cost = optuna_samplers._cost(
        timed, History((PastTrial(paid, "done", 0.5, 5, 60.0), PastTrial(free, "done", 0.5, 0, 0.0)))
    )
    assert cost(PastTrial(paid, "done", 0.5, 5, 60.0)) == 12.0 and cost(PastTrial(free, "done", 0.5)) == 6.0


def seen(mask: str, status: Any, score: float | None = None, trainings: int = 5, seconds: float = 0.0) -> PastTrial:
    return PastTrial(Candidate(mask, 12, 1e-3), status, score, trainings, seconds)


FATES = [
    seen("1", "done", 0.5),
    seen("2", "dropped", 0.4),
    seen("3", "failed"),
    seen("4", "open"),
    seen("5", "done", math.nan),
]


def study(sampler: Any = None) -> optuna.Study:
    distributions = {axis.name: optuna_samplers._distribution(axis) for axis in axes(SPACE)}
    objectives = {optuna_samplers.MAXIMIZE: optuna_samplers._score, optuna_samplers.MINIMIZE: lambda one: 7.0}
    sampler = sampler or optuna.samplers.RandomSampler(seed=0)
    return optuna_samplers._study(SPACE, FATES, distributions, sampler, objectives)


def test_a_study_holds_what_became_of_every_candidate() -> None:
    trials = study().trials
    assert [trial.state.name for trial in trials] == ["COMPLETE", "COMPLETE", "FAIL", "RUNNING", "FAIL"]
    assert [trial.values for trial in trials] == [[0.5, 7.0], [0.4, 7.0], None, None, None]
    assert trials[1].params["block_2"] == 1 and trials[1].params["block_1"] == 0
    assert [direction.name for direction in study().directions] == ["MAXIMIZE", "MINIMIZE"]


def test_ordinal_axes_are_numbers_and_others_are_categories() -> None:
    found = [optuna_samplers._distribution(axis) for axis in (Axis("a", (3, 5, 9), True), Axis("b", ("x", "y"), False))]
    assert found == [IntDistribution(0, 2), CategoricalDistribution((0, 1))]


def test_generations_are_eight_candidates_each_and_parents_are_two() -> None:
    first, second = optuna_samplers._Generations(0, 7), optuna_samplers._Generations(0, 8)
    trial: Any = None
    assert [one.get_trial_generation(study(), trial) for one in (first, second)] == [0, 1]
    assert [one.number for one in first.get_population(study(), 0)] == [0, 1]
    assert first.get_population(study(), 1) == []
    assert len(first.select_parent(study(), 1)) in (0, 2)
    few = optuna.create_study(directions=["maximize", "minimize"])
    assert optuna_samplers._Generations(0, 8).select_parent(few, 1) == []


def test_parameters_as_cost_are_those_of_the_mask() -> None:
    cost = optuna_samplers._cost(SPACE, History())
    assert [cost(seen(mask, "done")) for mask in ("1", "5", "1-3", "all")] == [1, 16, 7, sum(SIZES)]
    assert cost(replace(seen("all", "done"), parameters=3)) == 3  # biases alone, say


@pytest.mark.parametrize(
    ("past", "cost"),
    [
        ([], 12.0),  # nobody knows: a second per epoch
        ([seen("1", "done", 0.5, 5, 120.0)], 24.0),
        ([seen("1", "done", 0.5, 5, 120.0), seen("2", "done", 0.5, 4, 240.0), seen("3", "done", 0.5, 1, 36.0)], 36.0),
        ([seen("1", "done", 0.5, 5, 120.0), seen("2", "done", 0.5, 0, 0.0)], 24.0),
        ([replace(seen("1", "done", 0.5, 5, 9.0), candidate=Candidate("none", 0, 1e-3))], 12.0),
    ],
)
def test_seconds_as_cost_by_hand(past: list[PastTrial], cost: float) -> None:
    timed = space_of(Search(space="subsets", cost="seconds"), SIZES, Settings())
    found = optuna_samplers._cost(timed, History(tuple(past)))
    assert found(seen("9", "open", None, 0, 0.0)) == pytest.approx(cost)
    assert found(seen("9", "done", 0.5, 4, 10.0)) == 2.5


def test_a_candidate_is_drawn_anew_for_every_length_of_the_history_and_seed() -> None:
    past = History((seen("1", "done", 0.5),))
    drawn = {optuna_samplers._draw_unseen(SPACE, history, seed) for history in (History(), past) for seed in range(3)}
    assert len(drawn) > 3 and drawn == {
        optuna_samplers._draw_unseen(SPACE, history, seed) for history in (History(), past) for seed in range(3)
    }
    numbers = {optuna_samplers._sampler_seed(history, seed) for history in (History(), past) for seed in range(3)}
    assert len(numbers) == 6
    with_baseline = History((PastTrial(Candidate("all", 12, 1e-3, "scratch"), "done", 0.4),))
    assert not optuna_samplers._is_exhausted(single(), with_baseline)


def single() -> Space:
    return space_of(Search(space="single"), SIZES[:2], Settings())


def test_the_last_candidate_is_found_and_then_nothing() -> None:
    known = seen("1", "done", 0.5)
    for strategy in (optuna_samplers.tpe, optuna_samplers.nsga2, optuna_samplers.random, optuna_samplers.qmc):
        assert strategy(single(), History((known,)), 0) == Candidate("2", 12, 1e-3)
        assert strategy(single(), History((known, seen("2", "failed"))), 0) is None


def test_each_seed_scrambles_the_sequence_in_its_own_way() -> None:
    assert len({optuna_samplers.qmc(SPACE, History(), seed) for seed in range(5)}) > 2

"""Whose weights stay while a sweep is at work: trial by trial, with a made-up cross-validation and a real ledger."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from sweeps.environment.home import Home
from sweeps.planning.open_sweep import OpenSweep
from sweeps.planning.plan import Plan
from sweeps.planning.resolve import resolve
from sweeps.run.holdings import Holding, held_by
from sweeps.run.kept_weights import KeptWeights, staying
from sweeps.run.objective import trial_info
from sweeps.spec.load import load_spec
from tests.component import needs_driver
from tracking.record import TrialState
from trainer.candidate import Candidate
from trainer.errors import UserError
from trainer.network.blocks import Block, BlockLayer
from trainer.results import FoldResult
from trainer.training.ledger import Ledger, State

BLOCKS = tuple(Block(number, (BlockLayer(f"layer{number}", number, 10 * number),)) for number in range(1, 10))
FOLDS = 2


class Store:
    """A record that notes whose weights it lost."""

    def __init__(self) -> None:
        self.lost: list[str] = []
        self.away = False
        self.holders: list[TrialState] = []

    def with_weights(self, sweep_run: str) -> list[TrialState]:
        return self.holders

    def lose_weights(self, sweep_run: str, candidate: Candidate) -> None:
        if self.away:
            raise UserError("away")
        self.lost.append(f"{candidate.mask}@{candidate.epochs}")


class Sweep:
    """A sweep of six masks at 2 and 4 epochs, whose trials are finished by hand."""

    def __init__(self, root: Path, *sets: str) -> None:
        masks = 'search.masks=["1", "2", "1-2", "1-5", "6-9", "all"]'
        spec = load_spec("smoke", sets=[masks, "search.epochs=[2,4]", f"folds={FOLDS}", *sets])
        self.home, self.store = Home(root), Store()
        store: Any = self.store
        plan = Plan("s", resolve(spec, [10 * number for number in range(1, 10)]), "", (), "", "", "", "run")
        cross_validation: Any = SimpleNamespace(
            folds=lambda candidate: range(1, FOLDS + 1),
            key=lambda candidate, fold: f"{candidate.training}{fold:048d}",
        )
        self.kept = KeptWeights(OpenSweep(self.home, plan, store), cross_validation)

    def begin(self, mask: str, epochs: int = 4, **more: Any) -> Holding:
        holding = self.kept.begin(trial_info(Candidate(mask, epochs, 5e-3, **more), BLOCKS, ()))
        weights = {"layer/0": np.ones(3, np.float32)}
        for key in holding.trainings:
            for budget in {2, epochs}:
                result = FoldResult(1, budget, (), (0.1,) * budget, 8, 1.0, 1, weights=weights)
                Ledger(self.home.ledger).entry(key).keep(result, State(budget, (0.1,) * budget, {}))
        return holding

    def finish(self, mask: str, dice: float, epochs: int = 4, smaller: float | None = None, **more: Any) -> bool:
        holding = self.begin(mask, epochs, **more)
        wanted = self.kept.wanted(holding, dice)
        passed = {} if smaller is None else {2: smaller}
        self.kept.finished(replace(holding, dice=dice, recorded=True, uploaded=wanted), passed)
        return wanted

    def held(self) -> set[str]:
        return {f"{one.candidate.mask}@{one.candidate.epochs}" for one in held_by(self.home, "s")}

    def in_ledger(self, mask: str, epochs: int = 4) -> list[bool]:
        training = Candidate(mask, epochs, 5e-3).training
        results = [Ledger(self.home.ledger).entry(f"{training}{fold:048d}").result(epochs) for fold in (1, 2)]
        return [bool(result and result.weights) for result in results]


def test_what_something_cheaper_beats_goes_at_once_and_is_not_even_recorded(tmp_path: Path) -> None:
    sweep = Sweep(tmp_path)
    assert sweep.finish("1-2", 0.6) and sweep.finish("1", 0.5)
    assert not sweep.finish("2", 0.5)  # as good as mask 1, and dearer
    assert sweep.held() == {"1-2@4", "1@4"} and sweep.store.lost == []
    assert sweep.in_ledger("2") == [False, False] and sweep.in_ledger("1") == [True, True]
    assert sweep.finish("1", 0.7, epochs=2)  # beats both at half the price
    assert sweep.held() == {"1@2"} and sorted(sweep.store.lost) == ["1-2@4", "1@4"]


def test_contracting_and_expanding_stay_at_their_best_setting_and_baselines_never(tmp_path: Path) -> None:
    sweep = Sweep(tmp_path)
    sweep.finish("1", 0.9)
    assert sweep.finish("1-5", 0.4, epochs=2) and sweep.finish("1-5", 0.5) and sweep.finish("6-9", 0.2)
    assert not sweep.finish("all", 0.95, start="scratch") and not sweep.finish("all", 0.8)
    assert sweep.held() == {"1@4", "1-5@4", "6-9@4"} and sweep.store.lost == ["1-5@2"]


def test_states_go_at_the_largest_budget_and_what_is_trained_is_left_alone(tmp_path: Path) -> None:
    sweep = Sweep(tmp_path)
    training = sweep.begin("all")
    sweep.finish("1", 0.9, epochs=2)
    sweep.finish("1-5", 0.3)
    entries = {
        mask: Ledger(tmp_path / "ledger").entry(f"{Candidate(mask, 4, 5e-3).training}{1:048d}")
        for mask in ("1", "1-5", "all")
    }
    assert {mask: entry.state() is not None for mask, entry in entries.items()} == {
        "1": True,
        "1-5": False,
        "all": True,
    }
    assert sweep.in_ledger("all") == [True, True]
    sweep.kept.ended(training)
    assert sweep.in_ledger("all") == [False, False]


def test_smaller_budgets_on_the_way_are_judged_too_and_leave_one_fold_where_neurons_are_drawn(tmp_path: Path) -> None:
    for neurons, left in ((False, [False, False]), (True, [True, False])):
        sweep = Sweep(tmp_path / str(neurons), *(["search.neurons=[1]"] if neurons else []))
        sweep.finish("1", 0.5)
        sweep.finish("2", 0.6, smaller=0.4)
        assert sweep.in_ledger("2", 2) == left and sweep.in_ledger("2") == [True, True]
        assert sweep.store.lost == []
        sweep.finish("1-2", 0.7, smaller=0.65)
        assert sweep.in_ledger("1-2", 2) == [True, True]  # its own trial comes later, and may win


@pytest.mark.parametrize(("keep", "wanted", "stays"), [("all", True, {"1@4", "2@4"}), ("none", False, set())])
def test_all_or_none(tmp_path: Path, keep: str, wanted: bool, stays: set[str]) -> None:
    sweep = Sweep(tmp_path, f"keep={keep}")
    assert sweep.finish("1", 0.9) == wanted and sweep.finish("2", 0.3) == wanted
    assert sweep.held() == stays and sweep.in_ledger("2") == [wanted, wanted]


def test_a_store_that_is_away_is_asked_again(tmp_path: Path) -> None:
    sweep = Sweep(tmp_path)
    sweep.finish("1-2", 0.5)
    sweep.store.away = True
    sweep.finish("1", 0.6)
    assert sweep.held() == {"1-2@4", "1@4"} and sweep.in_ledger("1-2") == [True, True]
    sweep.store.away = False
    sweep.finish("2", 0.1)
    assert sweep.held() == {"1@4"} and sweep.store.lost == ["1-2@4"]


def test_a_candidate_is_judged_when_all_seeds_have_done_it() -> None:
    def seeded(mask: str, params: int, dices: dict[int, float | None]) -> list[Holding]:
        return [
            Holding(Candidate(mask, 4, 1e-3, seed=seed), params, (), dice=dice, recorded=dice is not None)
            for seed, dice in dices.items()
        ]

    best, worse = seeded("1", 10, {0: 0.5, 1: 0.7}), seeded("2", 20, {0: 0.65, 1: 0.5})
    assert staying([*best, *worse], repeats=2) == best  # by the mean over both
    begun = seeded("2", 20, {0: 0.1})
    assert staying([*best, *begun], repeats=2) == [*best, *begun]
    trains = seeded("2", 20, {0: 0.1, 1: None})
    assert staying([*best, *trains], repeats=2) == [*best, *trains]


@needs_driver
def test_a_cache_lets_go_what_another_machine_found_to_have_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep = Sweep(tmp_path)
    sweep.finish("1", 0.5)
    sweep.finish("1-2", 0.6)
    sweep.begin("all")  # not recorded yet: nobody else knows it
    sweep.kept.follow()  # the home holds the study itself: nobody else decides
    assert sweep.held() == {"1@4", "1-2@4", "all@4"}
    monkeypatch.setenv("THAW_STORAGE", "postgresql+psycopg://lab/thaw")
    winner = Candidate("1-2", 4, 5e-3)
    sweep.store.holders = [TrialState("other-run", "FINISHED", 0.6, winner)]
    sweep.kept.follow()
    assert sweep.held() == {"1-2@4", "all@4"} and sweep.in_ledger("1") == [False, False]

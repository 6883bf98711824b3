"""Who holds weights in the ledger: several sweeps may, and only the last one to let go loses them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sweeps.environment.home import Home
from sweeps.run.holdings import Holding, held_by, hold, let_go, lose_states
from trainer.candidate import Candidate
from trainer.results import FoldResult
from trainer.training.ledger import Entry, Ledger, State

KEYS = ("aa" * 32, "bb" * 32)
MINE = Holding(Candidate("1-5", 4, 1e-3, train=(("batch", 8),)), 50, KEYS, dice=0.5, recorded=True)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Two folds in the ledger, at 2 and at 4 epochs."""
    weights = {"layer/0": np.ones(3, np.float32)}
    for key in KEYS:
        for epochs in (2, 4):
            result = FoldResult(1, epochs, (), (0.1,) * epochs, 8, 1.0, 1, weights=weights)
            Ledger(tmp_path / "ledger").entry(key).keep(result, State(epochs, (0.1,) * epochs, {}))
    return Home(tmp_path)


def entries(home: Home) -> list[Entry]:
    return [Ledger(home.ledger).entry(key) for key in KEYS]


def lost(home: Home, epochs: int) -> list[bool]:
    results = [entry.result(epochs) for entry in entries(home)]
    return [result.weights_lost for result in results if result is not None]


def states(home: Home) -> list[bool]:
    return [entry.state() is not None for entry in entries(home)]


def test_a_holding_comes_back_and_a_damaged_one_counts_as_none(home: Home) -> None:
    hold(home, "one", MINE)
    assert held_by(home, "one") == [MINE] and held_by(home, "two") == []
    for text in ("", "[]", '{"candidate": {"train": 3}}', '{"candidate": {"mask": 1, "train": []}, "trainings": []}'):
        next(home.holdings("one").glob("*.json")).write_text(text)
        assert held_by(home, "one") == [], text


def test_what_nobody_holds_any_more_goes_and_scores_stay(home: Home) -> None:
    hold(home, "one", MINE)
    let_go(home, "one", MINE)
    assert lost(home, 4) == [True, True] and lost(home, 2) == [False, False]  # of another budget
    assert states(home) == [False, False] and held_by(home, "one") == []
    let_go(home, "one", MINE, all_budgets=True)
    assert lost(home, 2) == [True, True]


@pytest.mark.parametrize("sweep", ["two", "one"])
def test_what_another_holds_stays_at_its_budget(home: Home, sweep: str) -> None:
    other = replace(MINE, candidate=replace(MINE.candidate, epochs=2), trainings=KEYS[1:], state=False)
    hold(home, "one", MINE)
    hold(home, sweep, other)
    let_go(home, "one", MINE, all_budgets=True)
    assert lost(home, 4) == [True, True] and lost(home, 2) == [True, False]
    let_go(home, sweep, other)
    assert lost(home, 2) == [True, True]


def test_a_state_stays_while_somebody_may_go_on_from_it(home: Home) -> None:
    hold(home, "two", replace(MINE, trainings=KEYS[1:]))
    lose_states(home, "one", MINE)
    assert states(home) == [False, True] and lost(home, 4) == [False, False]


def test_one_fold_may_stay(home: Home) -> None:
    let_go(home, "one", MINE, but_fold=1)
    assert lost(home, 4) == [False, True]

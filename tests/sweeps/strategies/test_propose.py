"""When a search goes on, when its budget is spent, and how it says so."""

from __future__ import annotations

import time
from typing import Any

import pytest

from sweeps.spec.search_section import Search
from sweeps.spec.space import listed, space_of
from sweeps.strategies import propose as module
from sweeps.strategies.history import History, PastTrial
from sweeps.strategies.propose import (
    budget,
    check_budget,
    is_spent,
    planned_work,
    proposer,
    searcher_name,
    strategy_of,
    warnings,
)
from trainer.candidate import Candidate
from trainer.config import Settings
from trainer.errors import UserError

SETTINGS = Settings()
LIST, TPE, GUIDED = Search(), Search(strategy="tpe", space="subsets"), Search(strategy="guided", space="subsets")
KERAS_TUNER = Search(engine="keras-tuner", strategy="bayesian")


def handed_out(count: int, trainings: int = 5) -> tuple[PastTrial, ...]:
    return tuple(PastTrial(Candidate(str(block), 12, 1e-3), "done", 0.5, trainings) for block in range(1, count + 1))


@pytest.mark.parametrize(
    ("limits", "trials", "probe", "over"),
    [
        ({}, 9, {}, False),
        ({"trials": 4}, 3, {}, False),
        ({"trials": 4}, 4, {}, True),
        ({"trials": 4}, 5, {}, True),
        ({"trainings": 16}, 3, {}, False),
        ({"trainings": 15}, 3, {}, True),
        ({"trainings": 16}, 3, {1: 0.5}, True),  # the probe is paid for too
        ({"trials": 9, "trainings": 15}, 3, {}, True),
        ({"trials": 3, "trainings": 99}, 3, {}, True),
        ({"hours": 0.1}, 9, {}, False),  # time is a deadline, not a budget
    ],
)
def test_a_budget_is_spent_when_it_is_reached(
    limits: dict[str, Any], trials: int, probe: dict[int, float], over: bool
) -> None:
    assert is_spent(Search(strategy="tpe", **limits), History(handed_out(trials), probe)) is over


def test_what_failed_or_runs_has_begun_at_least_one_training() -> None:
    statuses: list[Any] = ["failed", "open", "done", "dropped"]
    trials = tuple(PastTrial(Candidate("1", 12, 1e-3), status, None, 0) for status in statuses)
    assert History(trials).trainings == 2 and History(handed_out(2, 3)).trainings == 6


@pytest.mark.parametrize("strategy", ["tpe", "guided"])
def test_the_strategy_is_asked_with_the_probe_only_where_it_starts_from_that(
    strategy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[History, int]] = []

    def ask(space: Any, history: History, seed: int) -> None:
        asked.append((history, seed))

    monkeypatch.setattr(module, "strategy_of", lambda name: ask if name == strategy else None)
    search = Search(strategy=strategy, space="subsets", trainings=16)
    space = space_of(search, [1] * 3, SETTINGS)
    probes: list[int] = []

    def probe() -> dict[int, float]:
        probes.append(1)
        return {1: 0.5}

    propose = proposer(search, space, 7, time.time() + 60, probe)
    assert not propose(handed_out(2)) and asked[0][1] == 7
    assert asked[0][0].probe == ({1: 0.5} if strategy == "guided" else {}) and len(probes) == (strategy == "guided")
    propose(handed_out(3))  # 15 trainings, and one more for the probe of the guided search
    assert len(asked) == (1 if strategy == "guided" else 2)
    propose(handed_out(4))
    assert len(probes) == 2 * (strategy == "guided"), "a spent budget is seen before anything is measured"


def test_nothing_is_begun_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "strategy_of", lambda name: lambda *_: Candidate("1", 12, 1e-3))
    propose = proposer(TPE, space_of(TPE, [1] * 3, SETTINGS), 0, 1000.0, dict)
    for now, proposed in ((999.0, True), (1000.0, False), (1001.0, False)):
        monkeypatch.setattr(time, "time", lambda now=now: now)
        assert bool(propose(())) is proposed


@pytest.mark.parametrize("name", ["guided", "greedy", "tpe", "nsga2", "random", "qmc"])
def test_a_strategy_is_a_function_of_its_name(name: str) -> None:
    assert strategy_of(name).__name__ == name


# On three blocks a search starts from: all, from scratch, 1-2 (contracting), 3 (expanding and deep-1), zero-shot.
@pytest.mark.parametrize(
    ("search", "least"),
    [
        ({"strategy": "tpe", "trials": 4}, "'search.trials' must be at least 5 here, but got 4: .* 5 trials and 20 tr"),
        ({"strategy": "tpe", "trials": 5}, None),
        (
            {"strategy": "tpe", "trainings": 19},
            "'search.trainings' must be at least 20 here, but got 19.*20 trainings. ",
        ),
        ({"strategy": "tpe", "trainings": 20}, None),
        (
            {"strategy": "guided", "trainings": 22},
            "at least 23 here, but got 22.* the probe of each block included. Give",
        ),
        ({"strategy": "guided", "trainings": 23, "trials": 5}, None),
        ({"strategy": "tpe"}, None),
        ({"strategy": "grid", "trials": 1, "trainings": 1}, None),  # a list has no budget
    ],
)
def test_a_budget_that_is_too_small_to_start_is_refused(search: dict[str, Any], least: str | None) -> None:
    asked = Search(space="subsets", **search)
    space = space_of(asked, [1, 2, 3], SETTINGS)
    if least is None:
        check_budget(asked, space, listed(asked, space, SETTINGS), SETTINGS.folds)
    else:
        with pytest.raises(UserError, match=least):
            check_budget(asked, space, listed(asked, space, SETTINGS), SETTINGS.folds)


@pytest.mark.parametrize(
    ("search", "said"),
    [
        (LIST, "3 of 20 trials to run"),
        (TPE, "3 trials to start from, then tpe proposes (until it ends by itself; 4 recorded)"),
        (
            Search(engine="keras-tuner", strategy="bayesian", trials=9, hours=1.5),
            "3 trials to start from, then KerasTuner's bayesian proposes (9 trials and 1.5 hours; 4 recorded)",
        ),
    ],
)
def test_what_is_to_do_in_words(search: Search, said: str) -> None:
    assert planned_work(search, 3, 20, 4) == said


def test_who_and_how_far() -> None:
    assert (searcher_name(TPE), searcher_name(KERAS_TUNER)) == ("tpe", "KerasTuner's bayesian")
    assert budget(Search(trainings=7)) == "7 trainings" and budget(TPE) == "until it ends by itself"


def test_a_designed_search_says_what_it_cannot_tell_apart() -> None:
    assert list(warnings(LIST, 9)) == []
    (said,) = warnings(Search(strategy="factorial", space="subsets", cells=64), 9)
    assert said.startswith("Design: 64 of 512 cells")

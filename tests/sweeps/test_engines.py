"""The Optuna engine: a list is drained exactly once by any number of workers, and nothing is invented."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections import Counter
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState

from sweeps import engines
from sweeps.rules import Search
from sweeps.space import listed
from trainer.config import Candidate, UserError
from trainer.results import TrialFailed

SPACE = Search(epochs=(1, 2), learning_rate=(1e-3, 1e-2))
CANDIDATES = listed(SPACE, 9)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'optuna.db'}"


def trials(url: str, name: str = "s") -> list[optuna.trial.FrozenTrial]:
    return engines._study(url, name, engines.ListStorage).get_trials()


def drain(url: str, folder: Path, pause: float = 0.0) -> None:
    def evaluate(candidate: Candidate) -> float:
        with (folder / "seen.txt").open("a") as file:
            file.write(f"{candidate.key}\n")
        time.sleep(pause)
        return 0.5

    engines.drain(url, "s", evaluate, 9)


def die(url: str) -> None:
    engines.HEARTBEAT_SECONDS, engines.GRACE_SECONDS = 1, 3

    def evaluate(candidate: Candidate) -> float:
        os.kill(os.getpid(), signal.SIGKILL)
        return 0.0

    engines.drain(url, "s", evaluate, 9)


def test_candidates_come_back_as_they_were_listed(url: str) -> None:
    seen: list[Candidate] = []
    assert engines.enqueue(url, "s", CANDIDATES, 9) == len(CANDIDATES)
    engines.drain(url, "s", lambda one: seen.append(one) or 0.5, 9)  # type: ignore[func-returns-value]
    assert seen == list(CANDIDATES)


def test_four_workers_drain_a_list_exactly_once_and_invent_nothing(url: str, tmp_path: Path) -> None:
    engines.enqueue(url, "s", CANDIDATES, 9)
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=drain, args=(url, tmp_path, 0.02)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0, 0]
    seen = Counter((tmp_path / "seen.txt").read_text().split())
    assert set(seen) == {one.key for one in CANDIDATES} and set(seen.values()) == {1}
    assert [trial.state for trial in trials(url)] == [TrialState.COMPLETE] * len(CANDIDATES)


def test_an_empty_list_hands_nothing_out(url: str) -> None:
    engines.drain(url, "s", lambda one: pytest.fail(f"invented {one}"), 9)
    assert trials(url) == []


def test_waiting_candidates_are_not_listed_twice_and_a_list_may_grow(url: str) -> None:
    assert engines.enqueue(url, "s", CANDIDATES[:3], 9) == 3
    assert engines.enqueue(url, "s", CANDIDATES[:5], 9) == 2
    engines.drain(url, "s", lambda one: 0.5, 9)
    assert engines.enqueue(url, "s", [Candidate("1,4,9", 40, 3e-4)], 9) == 1  # values no earlier candidate had
    engines.drain(url, "s", lambda one: 0.7, 9)
    assert len(trials(url)) == 6


def test_failures_are_failures_and_bugs_stop(url: str) -> None:
    engines.enqueue(url, "s", CANDIDATES[:3], 9)

    def evaluate(one: Candidate) -> float:
        if one == CANDIDATES[0]:
            raise TrialFailed("no")
        if one == CANDIDATES[2]:
            raise KeyError("typo")
        return 0.5

    with pytest.raises(KeyError, match="typo"):
        engines.drain(url, "s", evaluate, 9)
    assert [trial.state.name for trial in trials(url)] == ["FAIL", "COMPLETE", "FAIL"]


def test_work_lost_with_a_killed_worker_is_repeated(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    engines.enqueue(url, "s", CANDIDATES[:2], 9)
    dying = multiprocessing.get_context("spawn").Process(target=die, args=(url,))
    dying.start()
    dying.join()
    assert dying.exitcode == -signal.SIGKILL
    monkeypatch.setattr(engines, "HEARTBEAT_SECONDS", 1)
    monkeypatch.setattr(engines, "GRACE_SECONDS", 3)
    seen: list[Candidate] = []
    engines.drain(url, "s", lambda one: seen.append(one) or 0.5, 9)  # type: ignore[func-returns-value]
    assert sorted(one.key for one in seen) == sorted(one.key for one in CANDIDATES[:2])
    assert Counter(trial.state.name for trial in trials(url)) == {"COMPLETE": 2, "FAIL": 1}


@pytest.mark.parametrize("strategy", ["tpe", "random"])
def test_a_sampler_proposes_as_many_as_it_may(url: str, strategy: str) -> None:
    space = Search(strategy=strategy, trials=12, epochs=(1, 2))  # type: ignore[arg-type]
    seen: list[Candidate] = []
    for _ in range(2):  # the second time there is nothing left to propose
        engines.search(url, "s", space, lambda one: seen.append(one) or len(one.mask) / 10, 9, seed=1)  # type: ignore[func-returns-value]
    assert len(seen) == 12 == engines.proposed(url, "s")
    assert {one.epochs for one in seen} <= {1, 2}


def test_a_database_that_cannot_be_used_is_told_without_its_secrets(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="must be reachable and writable"):
        engines.enqueue(f"sqlite:///{tmp_path}/none/optuna.db", "s", CANDIDATES, 9)

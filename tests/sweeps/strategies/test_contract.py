"""One contract for every strategy, whether it lists or proposes, over every kind of space."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sweeps.engines import optuna_queue
from sweeps.spec.search_section import Search
from sweeps.spec.space import Space, listed, space_of, warm_start
from sweeps.spec.strategy_names import ENDING, LISTS, PROBED, PROPOSING
from sweeps.strategies.history import Claim, Evaluate, History, PastTrial, Scored, Status
from sweeps.strategies.propose import proposer, strategy_of
from trainer.candidate import Candidate
from trainer.config import Settings
from trainer.errors import TrialFailed
from trainer.files import locked
from trainer.masks import parse

SIZES = [1, 2, 4, 8, 3]  # parameters of five blocks
SPACES = {
    "orders": Search(space="orders", epochs=(2, 4), learning_rate=(1e-2, 1e-3)),
    "masks": Search(space="masks", masks=("1", "2-3", "1,4", "2-5"), epochs=(2, 4, 6)),
    "single": Search(space="single", epochs=(1, 2, 4)),
    "subsets": Search(space="subsets", epochs=(2, 4)),
    "constrained": Search(space="subsets", max_blocks=3, max_parameters=12, must_train=(1,), must_freeze=(5,)),
    "starts": Search(
        space="orders",
        starts=(("a", "composites"), ("b", "phantoms"), ("scratch", "scratch"), ("random-frozen", "random-frozen")),
    ),
    "settings": Search(train=(("batch", (4, 8, 16)), ("loss", ("bce", "bce+dice")))),
}
PROBE = {block: 0.1 * block for block in range(1, 6)}
TRIALS = 10  # six of them the warm start
ALL = (*LISTS, *PROPOSING)
Turn = Callable[[], AbstractContextManager[Any]]


@cache
def space(kind: str) -> Space:
    return space_of(SPACES[kind], SIZES, Settings())


def search(kind: str, **changes: Any) -> Search:
    return replace(SPACES[kind], **changes)


def dice(candidate: Candidate) -> float:
    """A landscape: blocks 2 and 3 help, 5 harms, epochs help a little."""
    blocks = set(parse(candidate.mask, 5).blocks)
    return 0.5 + 0.1 * len(blocks & {2, 3}) - 0.1 * (5 in blocks) + 0.01 * candidate.epochs


def past(kind: str, known: int, last: Status = "done") -> History:
    """The warm start and a drawn part of the space, of every fate; the last three ended like `last`."""
    there = space(kind)
    drawn = np.random.default_rng(0).permutation(len(there))[:known]
    inside = list(there.candidates())
    start = warm_start(SPACES[kind], there, Settings())
    candidates = list(dict.fromkeys([*start, *(inside[place] for place in drawn)]))
    fates: list[Status] = ["done", "done", "dropped", "done", "failed"]
    trials = [seen(one, fates[place % 5]) for place, one in enumerate(candidates)]
    return History((*trials[:-3], *(seen(one.candidate, last) for one in trials[-3:])), PROBE)


def seen(candidate: Candidate, status: Status = "done") -> PastTrial:
    score = dice(candidate) if status in ("done", "dropped") else None
    return PastTrial(candidate, status, score, 5, 2.0 * candidate.epochs, len(candidate.mask))


def proposals(name: str, kind: str, history: History, most: int, seed: int = 0) -> Iterator[Candidate]:
    """What a strategy proposes one after the other, each scored before the next."""
    for _ in range(most):
        candidate = strategy_of(name)(space(kind), history, seed)
        if candidate is None:
            return
        yield candidate
        history = replace(history, trials=(*history.trials, seen(candidate)))


@pytest.mark.parametrize("kind", SPACES)
@pytest.mark.parametrize("name", PROPOSING)
def test_a_proposal_is_new_and_inside_and_the_same_again(name: str, kind: str) -> None:
    history = past(kind, len(space(kind)) // 2)
    found = list(proposals(name, kind, history, 4))
    assert all(one in space(kind) for one in found)
    assert len({*found, *history.known}) == len(found) + len(history.known)
    for done in range(len(found)):  # a search that stopped there goes on with the same one
        trials = (*history.trials, *map(seen, found[:done]))
        assert strategy_of(name)(space(kind), replace(history, trials=trials), 0) == found[done]


@pytest.mark.parametrize("kind", SPACES)
@pytest.mark.parametrize("name", PROPOSING)
def test_with_trials_open_another_is_proposed_or_awaited(name: str, kind: str) -> None:
    history = past(kind, len(space(kind)) // 2, "open")
    assert all(one in space(kind) and one not in history.known for one in proposals(name, kind, history, 2))


@pytest.mark.parametrize("kind", SPACES)
@pytest.mark.parametrize("name", PROPOSING)
def test_a_strategy_goes_through_the_space_and_then_stops(name: str, kind: str) -> None:
    history = past(kind, len(space(kind)) - 3)
    left = set(space(kind).candidates()) - history.known
    found = list(proposals(name, kind, history, 5))
    assert len(set(found)) == len(found) and (name in ENDING or set(found) == left)
    full = past(kind, len(space(kind)))
    assert strategy_of(name)(space(kind), full, 0) is None


@pytest.mark.parametrize("kind", SPACES)
@pytest.mark.parametrize("name", LISTS)
def test_a_list_is_the_space_and_its_baselines_once_each(name: str, kind: str) -> None:
    wanted = search(kind, strategy=name, cells=16)
    found = listed(wanted, space(kind))
    inside = {one for one in found if one in space(kind)}
    assert len(set(found)) == len(found) and found == listed(wanted, space(kind))
    assert {(one.mask, one.start) for one in found if one not in space(kind)} <= {
        ("all", "scratch"),
        ("all", "pretrained"),
        *(("none", start) for start in ("pretrained", *space(kind).starts)),
    }
    if name == "factorial":
        assert 0 < len(inside) < len(space(kind)) or kind != "subsets"
    else:
        assert inside == set(space(kind).candidates())


@pytest.mark.parametrize("budget", [{"trials": 9}, {"trainings": 40}])
@pytest.mark.parametrize("name", PROPOSING)
def test_a_spent_budget_ends_it(name: str, budget: dict[str, int]) -> None:
    limited = search("subsets", strategy=name, **budget)
    propose = proposer(limited, space("subsets"), 0, time.time() + 60, lambda: PROBE)
    trials = tuple(map(seen, warm_start(limited, space("subsets"), Settings())))
    while proposed := propose(trials):
        trials = (*trials, *map(seen, proposed))
    paid = 5 * len(trials) + (len(PROBE) if name in PROBED else 0)
    assert len(trials) == 9 if "trials" in budget else 40 <= paid < 45
    assert proposer(limited, space("subsets"), 0, time.time() - 1, lambda: PROBE)(trials[:6]) == ()


def run(name: str, url: str, evaluate: Evaluate, turn: Turn = nullcontext) -> None:
    """A worker on a strategy: its list, then what it proposes, ten trials in all."""
    what = search("subsets", strategy=name, trials=TRIALS)
    propose = proposer(what, space("subsets"), 0, time.time() + 60, lambda: PROBE) if what.proposes else None
    optuna_queue.drain(url, "s", evaluate, 5, propose, turn)


def begin(name: str, folder: Path) -> tuple[str, tuple[Candidate, ...]]:
    url = f"sqlite:///{folder / 'optuna.db'}"
    wanted = listed(search("subsets", strategy=name, cells=16, trials=TRIALS), space("subsets"))
    wanted = wanted[:TRIALS]  # enough of a long list
    optuna_queue.enqueue(url, "s", wanted, 5)
    return url, wanted


SOONER = ("guided", "tpe")  # the others are among the slow tests


@pytest.mark.parametrize("name", [pytest.param(name, marks=() if name in SOONER else pytest.mark.slow) for name in ALL])
def test_failures_are_failures_a_bug_stops_it_and_the_rest_is_done_afterwards(name: str, tmp_path: Path) -> None:
    url, _ = begin(name, tmp_path)
    tried: list[Candidate] = []

    def evaluate(candidate: Candidate, claim: Claim) -> Scored:
        tried.append(candidate)
        if len(tried) in (3, 7):
            raise TrialFailed("diverged")
        if len(tried) == 8:
            raise KeyError("typo")
        return Scored(dice(candidate), 5, 1.0, 7)

    with pytest.raises(KeyError, match="typo"):
        run(name, url, evaluate)
    assert len(tried) == 8
    run(name, url, evaluate)
    found = optuna_queue.history(url, "s")
    assert [one.candidate for one in found] == tried and len(set(tried)) == len(tried) == TRIALS
    assert [place for place, one in enumerate(found, 1) if one.status == "failed"] == [3, 7, 8]


def work(name: str, folder: Path, dies: int = 0) -> None:
    """A worker process; killed in the middle of its trial number `dies`."""
    asked = 0

    def evaluate(candidate: Candidate, claim: Claim) -> Scored:
        nonlocal asked
        asked += 1
        with (folder / "tried.txt").open("a") as file:
            file.write(f"{candidate.key}\n")
        if asked == dies:
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.02)
        return Scored(dice(candidate), 5, 1.0, 7)

    run(name, f"sqlite:///{folder / 'optuna.db'}", evaluate, lambda: locked(folder / "turn.lock"))


def processes(count: int, *arguments: Any) -> list[int | None]:
    """The exit codes of so many workers that ran side by side."""
    started = [multiprocessing.get_context("spawn").Process(target=work, args=arguments) for _ in range(count)]
    for one in started:
        one.start()
    for one in started:
        one.join()
    return [one.exitcode for one in started]


def test_four_workers_on_one_search_repeat_nothing(tmp_path: Path) -> None:
    begin("tpe", tmp_path)
    assert processes(4, "tpe", tmp_path) == [0] * 4
    tried = Counter((tmp_path / "tried.txt").read_text().split())
    assert len(tried) >= TRIALS and set(tried.values()) == {1}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name == "nsga2" else pytest.mark.slow) for name in ALL]
)
def test_only_what_a_killed_worker_had_in_hand_is_repeated(name: str, tmp_path: Path) -> None:
    url, _ = begin(name, tmp_path)
    assert processes(1, name, tmp_path, TRIALS - 2) == [-signal.SIGKILL]  # after the warm start
    killed = (tmp_path / "tried.txt").read_text().split()[-1]
    optuna_queue.release(url, "s")  # as `thaw run` does when it goes on
    work(name, tmp_path)
    tried = Counter((tmp_path / "tried.txt").read_text().split())
    assert (
        len(tried) == TRIALS and {key for key, times in tried.items() if times > 1} == {killed} and tried[killed] == 2
    )

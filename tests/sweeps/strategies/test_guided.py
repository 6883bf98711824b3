"""The guided search: it finds the best set of a made-up landscape early, and uses everything that it is told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sweeps.spec.search_section import Search
from sweeps.spec.space import Space, space_of, warm_start
from sweeps.strategies.guided import guided
from sweeps.strategies.history import History, PastTrial
from tracking.best_mask.gaussian_process import Points, fitted
from trainer.config import Candidate, Settings
from trainer.masks import parse

GAINS = np.array([0.06, 0.03, 0.03, 0.02, -0.02, -0.01, 0.02, 0.03, -0.03])  # of blocks 1 to 9
BEST = "1-4,7-8"
SUBSETS = Search(space="subsets", epochs=(8,))


def space(blocks: int = 9, **changes: Any) -> Space:
    return space_of(replace(SUBSETS, **changes), list(range(1, blocks + 1)), Settings())


def dice(candidate: Candidate, seed: int = 0) -> float:
    """Additive, with noise a tenth of a block's gain, and a loss for shorter trainings."""
    blocks = [block in parse(candidate.mask, 9) for block in range(1, 10)]
    noise = np.random.default_rng([seed, *blocks]).normal(0, 0.003)
    return float(0.5 + GAINS @ blocks + noise - 0.02 * (8 - candidate.epochs))


def done(candidate: Candidate, seed: int = 0) -> PastTrial:
    return PastTrial(candidate, "done", dice(candidate, seed), 5)


def start(inside: Space, seed: int = 0) -> History:
    return History(tuple(done(one, seed) for one in warm_start(SUBSETS, inside, Settings()) if one.start != "scratch"))


def search(inside: Space, trials: int, seed: int = 0) -> list[str]:
    """The masks that are proposed one after the other."""
    history, found = start(inside, seed), []
    for _ in range(trials):
        candidate = guided(inside, history, seed)
        assert candidate is not None
        found.append(candidate.mask)
        history = History((*history.trials, done(candidate, seed)))
    return found


@pytest.mark.parametrize("seed", range(3))
def test_the_best_of_511_sets_is_tried_within_25(seed: int) -> None:
    assert BEST in search(space(), 25, seed)


def test_a_constraint_is_kept_and_the_best_that_keeps_it_found() -> None:
    inside = space(max_blocks=3, must_freeze=(1,))
    found = search(inside, 15)
    assert {parse(mask, 9) for mask in found} <= set(inside.masks)
    assert "2-3,8" in found


@pytest.mark.parametrize("block", range(1, 10))
def test_the_probe_says_where_to_look_first(block: int) -> None:
    """Of a block that brings much alone, and of one that harms."""
    zero_shot = start(space()).trials[-1:]
    for alone, there in ((0.7, True), (0.4, False)):
        probe = {other: alone if other == block else 0.55 for other in range(1, 10)}
        first = guided(space(), History(zero_shot, probe), 0)
        assert first is not None and (block in parse(first.mask, 9)) == there


def test_workers_keep_away_from_what_is_open() -> None:
    inside, history = space(), start(space())
    found: list[Candidate] = []
    for _ in range(4):
        candidate = guided(inside, History((*history.trials, *(PastTrial(one, "open") for one in found))), 0)
        assert candidate is not None and candidate not in found
        found.append(candidate)


def test_what_failed_is_left_and_so_is_its_neighbourhood() -> None:
    inside = space(learning_rate=(1e-3, 1e-1), epochs=(4, 8))
    tried = [Candidate(mask, 8, 1e-1) for mask in ("1", "2-3", "1-6", "3,8")]
    history = History((*start(inside).trials, *(PastTrial(one, "failed") for one in tried)))
    for _ in range(4):
        candidate = guided(inside, history, 0)
        assert candidate is not None and candidate.learning_rate == 1e-3
        history = History((*history.trials, done(candidate)))


def test_a_dropped_candidate_counts_with_its_estimate() -> None:
    inside, history = space(), start(space())
    low, high = (
        guided(inside, History((*history.trials, PastTrial(Candidate("1-4", 8, 1e-3), "dropped", score))), 0)
        for score in (0.3, 0.9)
    )
    assert low is not None and high is not None
    near = [len(set(parse(one.mask, 9).blocks) ^ {1, 2, 3, 4}) for one in (low, high)]
    assert near[1] < near[0]


@pytest.mark.parametrize("status", ["failed", "open"])
def test_with_nothing_scored_it_still_proposes(status: Any) -> None:
    trials = tuple(PastTrial(one.candidate, status) for one in start(space()).trials)
    candidate = guided(space(), History(trials), 0)
    assert candidate in space() and candidate not in History(trials).known
    cheapest = guided(space(), History(), 0)
    assert cheapest is not None and cheapest.mask == "1"


def test_the_same_history_gives_the_same_answer_and_a_full_one_none() -> None:
    small = space(3, epochs=(4, 8))
    history = History(tuple(done(one) for one in list(small.candidates())[:-1]))
    last = list(small.candidates())[-1]
    assert [guided(small, history, 0) for _ in range(2)] == [last, last]
    assert guided(small, History((*history.trials, PastTrial(last, "open"))), 0) is None


def test_of_a_large_space_a_part_is_weighed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sweeps.strategies.guided.LARGEST", 500)
    monkeypatch.setattr("sweeps.strategies.guided.CHUNK", 64)
    large = space(12)
    trials = [
        PastTrial(Candidate(mask, 8, 1e-3), "done", 0.1 * len(parse(mask, 12).blocks)) for mask in ("1", "2-5", "all")
    ]
    found = {guided(large, History(tuple(trials)), seed) for seed in (0, 0, 1)}
    assert len(found) == 2
    assert all(one in large and one not in History(tuple(trials)).known for one in found)


def test_the_process_returns_what_it_was_told_and_is_unsure_elsewhere() -> None:
    blocks = np.where(np.arange(16)[:, None] >> np.arange(4) & 1, 1.0, -1.0)
    points = Points(blocks, np.zeros((16, 0)))
    scores = 0.5 + blocks @ np.array([0.1, 0.05, 0.0, -0.05])
    model = fitted(points.take(np.arange(10)), scores[:10], np.zeros(10, bool))
    mean, deviation = model.predict(points)
    assert mean[:10] == pytest.approx(scores[:10], abs=0.02)
    assert np.abs(mean[10:] - scores[10:]).max() < 2.5 * deviation[10:].max()
    assert deviation[10:].min() > deviation[:10].max()
    believing = model.believing(points.take(np.arange(10, 12)))
    assert believing.predict(points)[0] == pytest.approx(mean)
    assert (believing.predict(points)[1] <= deviation + 1e-9).all()
    assert believing.predict(points)[1][10] < deviation[10] / 2

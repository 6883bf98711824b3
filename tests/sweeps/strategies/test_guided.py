"""The guided search: it finds the best set of a made-up landscape early, and uses everything that it is told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sweeps.spec.search_section import Search
from sweeps.spec.space import Space, space_of, warm_start
from sweeps.strategies import guided as module
from sweeps.strategies.guided import _fit_model, _grid, _hints, _improvement, _observation, _unseen_numbers, guided
from sweeps.strategies.history import History, PastTrial
from tracking.best_mask.gaussian_process import Points, fitted
from trainer.candidate import Candidate
from trainer.config import Settings
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


def both_axes() -> Space:
    return space(3, epochs=(4, 8), learning_rate=(1e-2, 1e-3))


def test_the_grid_numbers_masks_first_then_epochs_and_rates() -> None:
    grid, inside = _grid(both_axes()), both_axes()
    assert grid.choices == ((4, 1e-3, ()), (4, 1e-2, ()), (8, 1e-3, ()), (8, 1e-2, ()))
    assert grid.coordinates.tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert _grid(space(3)).coordinates.shape == (1, 0)  # one value is no axis
    every = [grid.candidate(inside, number) for number in range(len(inside))]
    assert set(every) == set(inside.candidates()) and [one.mask for one in every[:5]] == ["1"] * 4 + ["2"]
    points = grid.points(np.arange(5))
    assert points.blocks[:, 0].tolist() == [1, 1, 1, 1, -1] and points.places[4].tolist() == [0, 0]


def test_hints_are_marked_and_lie_where_the_probe_was_measured() -> None:
    found = _hints(_grid(both_axes()), both_axes(), History((), {1: 0.4, 3: 0.6}))
    assert [(one.blocks, one.score, one.hint) for one in found] == [((1,), 0.4, True), ((3,), 0.6, True)]
    assert {one.choice for one in found} == {3}  # the largest epoch count, the rate named first


def test_hints_are_noisy_and_share_a_shift_and_set_no_best() -> None:
    trials = (PastTrial(Candidate("1-2", 8, 1e-2), "done", 0.5), PastTrial(Candidate("none", 0, 1e-2), "done", 0.3))
    learnt = _fit_model(_grid(both_axes()), both_axes(), History(trials, {1: 0.9, 2: 0.8}))
    assert learnt is not None
    model, best = learnt
    noise = model.noise[0, 0]
    assert model.noise == pytest.approx(np.diag([noise] * 4) + np.pad(np.ones((2, 2)) + np.eye(2), (2, 0)))
    assert len(model.scored) == 4 and 0.3 < best < 0.6  # of what was trained, though the probe says more


@pytest.mark.parametrize(
    ("candidate", "place"),
    [
        (Candidate("1,3", 8, 1e-2), 3),
        (Candidate("none", 0, 1e-3), 2),  # zero-shot stands at the largest epoch count
        (Candidate("1,3", 8, 1e-2, "scratch"), None),
        (Candidate("1,3", 8, 1e-2, split="leaky"), None),
        (Candidate("1,3", 6, 1e-2), None),
        (Candidate("1,3", 8, 1e-1), None),
        (Candidate("1,3", 8, 1e-2, train=(("batch", 4),)), None),
    ],
)
def test_what_a_trial_tells_of_the_space(candidate: Candidate, place: int | None) -> None:
    found = _observation(_grid(both_axes()), both_axes(), PastTrial(candidate, "done", 0.5), 0.0)
    assert (found and found.choice) == place
    assert found is None or (found.blocks, found.score, found.hint) == (parse(candidate.mask, 3).blocks, 0.5, False)


def test_a_failure_counts_as_the_worst_score() -> None:
    failed = PastTrial(Candidate("1", 8, 1e-3), "failed")
    others = (
        PastTrial(Candidate("2", 8, 1e-3), "done", 0.4),
        PastTrial(Candidate("3", 8, 1e-3), "dropped", 0.2),
        failed,
    )
    learnt = _fit_model(_grid(both_axes()), both_axes(), History(others))
    assert learnt is not None and learnt[0].centre == pytest.approx((0.4 + 0.2 + 0.2) / 3)
    alone = _observation(_grid(both_axes()), both_axes(), failed, 0.0)
    assert alone is not None and alone.score == 0.0
    assert (
        _fit_model(_grid(both_axes()), both_axes(), History((PastTrial(failed.candidate, "open"),), {1: 0.5})) is None
    )


def test_of_very_many_scores_it_learns_from_the_best_and_an_even_draw(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LEARNT", 20)
    every = [done(candidate) for candidate in space().candidates()]
    learnt = _fit_model(_grid(space()), space(), History(tuple(every)))
    assert learnt is not None and len(learnt[0].scored) == 20
    best = sorted(every, key=lambda trial: -(trial.score or 0))[:10]
    rows = {tuple(row) for row in learnt[0].scored.blocks}
    assert {tuple(_grid(space()).blocks[_grid(space()).row[trial.candidate.mask]]) for trial in best} < rows


def test_an_open_trial_is_believed_to_score_as_predicted() -> None:
    inside, trials = (
        both_axes(),
        (PastTrial(Candidate("1", 8, 1e-2), "done", 0.5), PastTrial(Candidate("2", 8, 1e-2), "done", 0.6)),
    )
    grid = _grid(inside)
    alone, waiting = (
        _fit_model(grid, inside, History((*trials, *more)))
        for more in ((), (PastTrial(Candidate("3", 8, 1e-2), "open"),))
    )
    assert alone is not None and waiting is not None and alone[1] == waiting[1]
    assert len(alone[0].scored) == 2 and len(waiting[0].scored) == 3
    here = grid.points(np.array([grid.row["3"] * 4 + 3]))
    assert waiting[0].predict(here)[1] < alone[0].predict(here)[1]


def test_the_expected_improvement_is_an_integral() -> None:
    inside = both_axes()
    trials = tuple(
        PastTrial(Candidate(mask, 8, 1e-2), "done", score) for mask, score in (("1", 0.5), ("2", 0.6), ("1,3", 0.4))
    )
    learnt = _fit_model(_grid(inside), inside, History(trials))
    assert learnt is not None
    points = _grid(inside).points(np.arange(len(inside)))
    gains, (mean, deviation) = _improvement(*learnt, points), learnt[0].predict(points)
    for gain, middle, width in zip(gains, mean, deviation, strict=True):
        steps = np.linspace(-9, 9, 20001)
        density = np.exp(-(steps**2) / 2) / np.sqrt(2 * np.pi)
        better = np.maximum(middle + width * steps - learnt[1], 0)
        assert gain == pytest.approx(np.trapezoid(better * density, steps), rel=1e-4, abs=1e-12)


def test_nobody_is_proposed_twice_and_a_space_of_just_the_limit_is_weighed_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    inside, grid = both_axes(), _grid(both_axes())
    known = [Candidate("1", 4, 1e-3), Candidate("1-2", 8, 1e-2), Candidate("all", 8, 1e-2, "scratch")]
    history = History(tuple(PastTrial(one, "open") for one in known))
    for limit in (len(inside), len(inside) - 1):
        monkeypatch.setattr("sweeps.strategies.guided.LARGEST", limit)
        left = {grid.candidate(inside, int(row)) for row in _unseen_numbers(grid, inside, history, 0)}
        assert not left & set(known)
        assert (len(left) == len(inside) - 2) == (limit == len(inside))


def test_of_equally_promising_candidates_the_one_with_fewest_parameters() -> None:
    dear_first = space_of(replace(SUBSETS, epochs=(4, 8)), [9, 2, 5], Settings())
    found = guided(dear_first, History(), 0)
    assert found is not None and found.mask == "2"

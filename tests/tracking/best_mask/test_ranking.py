from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from tests.tracking.best_mask.test_candidates import MASKS, candidates, level
from tests.tracking.made_up import repeated, subset_record
from tracking.best_mask.ranking import Ranking, rank
from tracking.record import SweepRecord


@pytest.fixture(scope="module")
def ranked() -> Ranking:
    return rank(candidates(subset_record(MASKS, level)))


def test_a_candidate_ties_when_the_interval_of_its_distance_holds_zero(ranked: Ranking) -> None:
    assert 1 < len(ranked.tied) < ranked.candidates
    for one in ranked.compared:
        assert one.tied == (one.low <= 0) and one.low < one.behind < one.high
    assert all(one.p_adjusted > 0.05 for one in ranked.tied if one.behind)  # the interval is the less strict of both


@pytest.mark.parametrize("side", [-1, 1])
def test_a_best_that_wins_every_draw_ties_with_itself(side: int) -> None:
    """Images differ much and folds hardly: on one side the optimism is a little below 0, and the interval misses 0."""
    record = subset_record([(1,), (2,)], lambda _: 0.5)
    spread, images = np.array([1, -1, 2, -2, 0]), side * np.random.default_rng(0).normal(0, 0.2, 30)
    trials = []
    for trial in record.trials:
        mean = 0.6 if trial.info.blocks == (1,) else 0.4
        folds = tuple(float(value) for value in mean + 1e-6 * (spread if mean > 0.5 else -spread))
        dice = [replace(score, dice=float(mean + one)) for (_, score), one in zip(trial.scores, images, strict=True)]
        scores = tuple((fold, score) for (fold, _), score in zip(trial.scores, dice, strict=True))
        trials.append(replace(trial, folds={**trial.folds, "dice": folds}, scores=scores))
    found = rank(candidates(replace(record, trials=tuple(trials))))
    assert [one.mask for one in found.tied] == ["1"] == [found.best.mask]


def test_without_spread_everything_ties() -> None:
    found = rank(candidates(subset_record([(1,), (2,)], lambda blocks: 0.5 + 0.1 * (1 in blocks), noise=0.0)))
    assert len(found.tied) == 2 and all(math.isnan(one.low) for one in found.compared)


def test_the_cheapest_choice_lies_above_the_best_minus_its_sem(ranked: Ranking) -> None:
    cheap = ranked.one_standard_error
    dice = next(one for one in candidates(subset_record(MASKS, level)).trials if one.mean_dice == ranked.best.dice)
    sem = np.std(dice.folds["dice"], ddof=1) / math.sqrt(5)
    assert cheap.floor == pytest.approx(ranked.best.dice - sem) and cheap.dice >= cheap.floor
    cheaper = [one for one in ranked.compared if one.trainable_params < cheap.trainable_params]
    assert all(one.dice < cheap.floor for one in cheaper)


def test_seeds_say_how_far_another_moves_the_distance_from_the_best(record: SweepRecord) -> None:
    plain, again = rank(candidates(record)), rank(candidates(repeated(record)))
    assert all(one.noise is None for one in plain.compared)
    noisy = [one for one in again.compared if one.noise is not None]
    assert len(noisy) == again.candidates - 1  # the best has no distance from itself
    for one in noisy:
        assert one.noise is not None and len(one.noise.per_seed) == 3
        assert np.mean(one.noise.per_seed) == pytest.approx(one.behind)


def test_few_images_give_no_correction_and_no_shares() -> None:
    record = subset_record(MASKS, level)
    few = replace(record, trials=tuple(replace(trial, scores=trial.scores[:9]) for trial in record.trials))
    found = rank(candidates(few))
    assert found.corrected is None and all(math.isnan(one.chosen) for one in found.compared)
    assert all((one.low + one.high) / 2 == pytest.approx(one.behind) for one in found.compared)

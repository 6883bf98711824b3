from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from tracking.analysis.winners_curse import (
    against_best,
    bbc_cv,
    dice_by_image,
    image_scores,
    margin_of_all,
    one_standard_error,
)
from tracking.record import SweepRecord
from tracking.statistics import corrected_t, critical

TRAIN, TEST = [128] * 5, [32] * 5


def test_equal_masks_lose_their_lead() -> None:
    """17 equal masks whose means scatter by 0.01: the best looks +0.018 better (protocol.md), and truly is 0.5."""
    rng = np.random.default_rng(0)
    found = [bbc_cv(0.5 + rng.normal(0, 0.01 * math.sqrt(100), (100, 17)), draws=150, seed=seed) for seed in range(150)]
    apparent, corrected = (np.mean([getattr(one, key) for one in found]) for key in ("apparent", "corrected"))
    assert apparent == pytest.approx(0.518, abs=0.002)
    assert corrected == pytest.approx(0.5, abs=0.003)
    assert np.mean([one.low < 0.5 < one.high for one in found]) > 0.9


def test_a_clear_winner_keeps_its_score() -> None:
    scores = np.random.default_rng(1).normal(0.5, 0.1, (200, 4)) + np.array([0, 0, 0.3, 0])
    found = bbc_cv(scores)
    assert (found.best, found.frequencies) == (2, (0.0, 0.0, 1.0, 0.0))
    assert found.corrected == pytest.approx(found.apparent, abs=0.002)
    assert found.optimism == found.apparent - found.corrected


def test_against_an_implementation_without_counts() -> None:
    """The algorithm of the paper, index lists instead of counts, with draws of its own."""
    scores = np.random.default_rng(2).normal(0.5, 0.1, (40, 5)) + np.linspace(0, 0.03, 5)
    rng, outside, chosen = np.random.default_rng(3), [], []
    for _ in range(2000):
        bag = rng.choice(40, 40)
        left = sorted(set(range(40)) - set(bag.tolist()))
        chosen.append(max(range(5), key=lambda mask, bag=bag: float(np.mean(scores[bag, mask]))))  # type: ignore[misc]
        outside.append(float(np.mean(scores[left, chosen[-1]])))
    found = bbc_cv(scores)
    assert found.corrected == pytest.approx(np.mean(outside), abs=0.003)
    assert (found.low, found.high) == pytest.approx(tuple(np.percentile(outside, [2.5, 97.5])), abs=0.01)
    assert found.frequencies == pytest.approx([chosen.count(mask) / 2000 for mask in range(5)], abs=0.05)


def test_the_same_scores_give_the_same_numbers_and_equal_masks_go_to_the_first() -> None:
    scores = np.repeat(np.random.default_rng(4).random((20, 1)), 3, axis=1)
    assert bbc_cv(scores) == bbc_cv(scores)
    assert bbc_cv(scores).frequencies == (1.0, 0.0, 0.0)


@pytest.mark.parametrize("shape", [(9, 3), (30, 1)])
def test_too_little_to_choose_from(shape: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="at least 10 images and 2 masks"):
        bbc_cv(np.ones(shape))


def test_how_far_masks_lie_behind_the_best() -> None:
    noise = np.array([0.0, 0.01, -0.01, 0.02, -0.02])
    folds = np.array([0.3 + noise[::-1], 0.79 - noise, 0.8 + noise, 0.8 + noise, np.full(5, math.nan)])
    best, found = against_best(folds, TRAIN, TEST)
    assert best == 2
    assert [one.p_adjusted < 0.05 for one in found] == [True, False, False, False, False]
    assert found[0].p_adjusted == pytest.approx(6 * found[0].p)  # pairs among the four that have a score
    assert math.isnan(found[2].p) and math.isnan(found[4].p)
    assert found[0].mean == pytest.approx(0.5)


def test_of_two_masks_it_is_the_corrected_t_test() -> None:
    folds = np.array([[0.6, 0.7, 0.65, 0.62, math.nan], [0.5, 0.66, 0.55, 0.6, 0.9]])
    best, (_, other) = against_best(folds[:, :4], TRAIN[:4], TEST[:4])
    expected = corrected_t(list(folds[0, :4] - folds[1, :4]), TRAIN[:4], TEST[:4])
    assert best == 0
    assert other.mean == pytest.approx(expected.mean)
    assert other.p == other.p_adjusted == pytest.approx(expected.p)


@pytest.mark.parametrize("folds", [[[0.8, 0.8], [0.7, 0.7]], [[0.8], [0.2]], [[0.8, math.nan], [math.nan, 0.7]]])
def test_without_spread_nothing_is_excluded(folds: list[list[float]]) -> None:
    sizes = [10] * len(folds[0])
    assert all(
        math.isnan(one.p) and math.isnan(one.p_adjusted) for one in against_best(np.array(folds), sizes, sizes)[1]
    )


@pytest.mark.parametrize(
    ("levels", "costs", "chosen"),
    [
        ([0.70, 0.79, 0.80], [10, 20, 30], 1),  # SEM of the best: 0.0126
        ([0.70, 0.78, 0.80], [10, 20, 30], 2),
        ([0.80, 0.70, 0.79], [10, 20, 30], 0),
        ([0.79, 0.795, 0.80], [20, 20, 30], 1),  # as cheap: the better one
        ([math.nan, 0.79, 0.80], [10, 20, 30], 1),
    ],
)
def test_the_cheapest_within_one_standard_error(levels: list[float], costs: list[int], chosen: int) -> None:
    noise = 0.01 * math.sqrt(2) * np.array([-1.0, -1.0, 0.0, 1.0, 1.0]) * 2
    found, floor = one_standard_error(np.array(levels)[:, None] + noise, costs)
    assert found == chosen
    assert floor == pytest.approx(0.8 - np.std(noise, ddof=1) / math.sqrt(5))


def test_the_margin_is_that_of_any_difference_of_two_rows() -> None:
    folds = np.array([[0.6, 0.7, 0.65, 0.62, math.nan], [0.5, 0.66, 0.55, 0.6, 0.9]])
    expected = corrected_t(list(folds[0, :4] - folds[1, :4]), TRAIN[:4], TEST[:4])
    assert margin_of_all(folds, TRAIN, TEST) == pytest.approx(critical(3) * expected.se)
    assert math.isnan(margin_of_all(folds[:, 3:], TRAIN[3:], TEST[3:]))
    assert math.isnan(margin_of_all(np.full((2, 5), 0.5), TRAIN, TEST))


def test_the_matrix_pairs_images_by_name(record: SweepRecord) -> None:
    first, second = record.finished[:2]
    names, scores = image_scores([first, replace(second, scores=second.scores[:0:-1])])  # turned round, one missing
    assert "case 0-0" not in names and "case 2-5" not in names and len(names) == 28
    assert np.array_equal(scores[:, 1], [dice_by_image(second)[name] for name in names])

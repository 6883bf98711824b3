from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from tracking.analysis.winners_curse import (
    FurtherVariance,
    _draw_counts,
    against_best,
    bbc_cv,
    dice_by_image,
    image_scores,
    one_standard_error,
)
from tracking.record import SweepRecord
from tracking.statistics import added, corrected_t, critical, tail

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


def margin(folds: np.ndarray, n_train: Sequence[int], n_test: Sequence[int]) -> float:
    (width,) = {one.margin if one.margin == one.margin else None for one in against_best(folds, n_train, n_test)[1]}
    return math.nan if width is None else width


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
    assert margin(folds, TRAIN, TEST) == pytest.approx(critical(3) * expected.se)
    assert math.isnan(margin(folds[:, 3:], TRAIN[3:], TEST[3:]))
    assert math.isnan(margin(np.full((2, 5), 0.5), TRAIN, TEST))


def test_the_matrix_pairs_images_by_name(record: SweepRecord) -> None:
    first, second = record.finished[:2]
    names, scores = image_scores([first, replace(second, scores=second.scores[:0:-1])])  # turned round, one missing
    assert "case 0-0" not in names and "case 2-5" not in names and len(names) == 28
    assert np.array_equal(scores[:, 1], [dice_by_image(second)[name] for name in names])


def test_ten_images_and_two_masks_are_enough() -> None:
    scores = np.random.default_rng(5).random((10, 2))
    assert bbc_cv(scores).draws == 2000 and sum(bbc_cv(scores, draws=50).frequencies) == pytest.approx(1)


def test_a_choice_by_hand_from_known_draws() -> None:
    """The same draws, made here: chosen in-bag, scored on what the bag leaves out, ahead of each reference there."""
    scores = np.random.default_rng(6).random((12, 3))
    references = [scores[:, :1], scores[:, 1:]]
    found = bbc_cv(scores, draws=40, seed=9, references=references)
    rng = np.random.default_rng(9)
    outside: list[float] = []
    chosen: list[int] = []
    ahead: list[list[float]] = [[], []]
    while len(outside) < 40:
        bag = rng.integers(12, size=12)
        left = [image for image in range(12) if image not in bag]
        chosen.append(int(np.argmax(scores[bag].sum(axis=0))))
        outside.append(scores[left, chosen[-1]].mean())
        for place, one in enumerate(references):
            ahead[place].append(outside[-1] - one[left, np.argmax(one[bag].sum(axis=0))].mean())
    assert found.best == int(np.argmax(scores.mean(axis=0))) and found.draws == 40
    assert found.apparent == pytest.approx(scores.mean(axis=0).max())
    assert found.corrected == pytest.approx(np.mean(outside))
    assert (found.low, found.high) == pytest.approx(tuple(np.percentile(outside, [2.5, 97.5])))
    assert found.frequencies == pytest.approx([chosen.count(mask) / 40 for mask in range(3)])
    assert found.ahead == pytest.approx([np.mean(one) for one in ahead])
    assert bbc_cv(scores, seed=1) != bbc_cv(scores) == bbc_cv(scores, draws=2000, seed=0)


def test_a_draw_always_leaves_an_image_out() -> None:
    rng = np.random.default_rng(0)
    drawn = [_draw_counts(rng, 2) for _ in range(50)]  # half of all draws of two images leave none out
    assert {tuple(counts) for counts in drawn} == {(2.0, 0.0), (0.0, 2.0)}
    assert _draw_counts(rng, 30).sum() == 30


def pooled(table: list[list[float]], factor: float) -> tuple[float, int]:
    """The standard error of the difference of two rows by two-way analysis of variance, written out."""
    rows, columns = len(table), len(table[0])
    whole = sum(map(sum, table)) / (rows * columns)
    means = [sum(row) / columns for row in table]
    across = [sum(row[column] for row in table) / rows for column in range(columns)]
    rest = sum((table[r][c] - means[r] - across[c] + whole) ** 2 for r in range(rows) for c in range(columns))
    df = (rows - 1) * (columns - 1)
    return math.sqrt(2 * factor * rest / df), df


TABLE = [[0.6, 0.7, 0.62, math.nan], [0.5, 0.66, 0.55, 0.9], [0.4, 0.7, 0.61, 0.1]]


def test_distances_from_the_best_by_hand() -> None:
    """The last fold is left out of the test, for one mask has no score there; not out of the choice of the best."""
    best, found = against_best(np.array(TABLE), [80, 70, 90, 1], [20, 30, 10, 500])
    assert best == 1
    se, df = pooled([row[:3] for row in TABLE], 1 / 3 + (20 / 80 + 30 / 70 + 10 / 90) / 3)
    behind = [(-0.1 - 0.04 - 0.07) / 3, 0.0, (0.1 - 0.04 - 0.06) / 3]
    assert [one.mean for one in found] == pytest.approx(behind, abs=1e-12)
    for row in (0, 2):
        assert found[row].p == pytest.approx(2 * tail(abs(behind[row]) / se, df))
        assert found[row].p_adjusted == pytest.approx(min(1.0, 3 * found[row].p))
    assert math.isnan(found[1].p)


def test_what_folds_do_not_show_is_added_row_by_row() -> None:
    folds, sizes = np.array([row[:3] for row in TABLE]), ([80] * 3, [20] * 3)
    plain = against_best(folds, *sizes)[1]
    found = against_best(folds, *sizes, further=FurtherVariance([0.0, 0.0, 0.01], 2))[1]
    assert found[:2] == plain[:2] or math.isnan(plain[0].p) or math.isnan(plain[1].p)
    se, df = pooled([row[:3] for row in TABLE], 1 / 3 + 0.25)
    wider, fewer = added(se, df, 0.01, 2)
    assert found[2].margin == pytest.approx(critical(fewer) * wider) and found[2].p > plain[2].p
    assert found[0].margin == plain[0].margin


def test_a_row_without_scores_keeps_its_place() -> None:
    folds = np.array([[math.nan] * 3, [0.5, 0.66, 0.55], [0.4, 0.7, 0.3]])
    best, found = against_best(folds, TRAIN[:3], TEST[:3])
    assert best == 1 and math.isnan(found[0].mean)
    assert found[2].p == pytest.approx(corrected_t(list(folds[1] - folds[2]), TRAIN[:3], TEST[:3]).p)
    assert found[2].mean == pytest.approx(0.31 / 3)


@pytest.mark.parametrize(
    ("folds", "sizes", "width"),
    [
        ([row[:3] for row in TABLE], 3, "pooled"),
        ([row[:2] for row in TABLE[:2]], 2, "pooled"),  # two rows, two folds: the least
        ([[0.8, 0.9, 0.7]], 3, "none"),
        ([[0.8], [0.7]], 1, "none"),
        ([[0.8, 0.8], [0.7, 0.7]], 2, "none"),
    ],
)
def test_the_margin_of_all_rows(folds: list[list[float]], sizes: int, width: str) -> None:
    found = margin(np.array(folds), [80] * sizes, [20] * sizes)
    if width == "none":
        assert math.isnan(found)
    else:
        se, df = pooled(folds, 1 / sizes + 0.25)
        assert found == pytest.approx(critical(df) * se)


def test_the_margin_leaves_out_folds_without_a_score() -> None:
    kept = margin(np.array(TABLE)[:, :3], [80, 70, 90], [20, 30, 10])
    assert margin(np.array(TABLE), [80, 70, 90, 1], [20, 30, 10, 500]) == pytest.approx(kept)


@pytest.mark.parametrize("gap", [0.0, 1e-9])
def test_a_row_on_the_floor_is_within_one_standard_error(gap: float) -> None:
    best = np.array([0.7, 0.8, 0.9])
    found, floor = one_standard_error(np.array([best - (0.1 + gap) / math.sqrt(3), best]), [1, 2])
    assert floor == pytest.approx(0.8 - 0.1 / math.sqrt(3)) and (gap == 0.0 or found == 1)


def test_with_one_fold_only_the_best_itself_is_as_good() -> None:
    assert one_standard_error(np.array([[0.79], [0.8], [0.8]]), [1, 2, 2]) == (1, 0.8)  # as good and as cheap: first

"""Scores against scikit-learn and by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score, f1_score

from trainer.results import adjusted_rand, dice, pixel_error
from trainer.training.metrics import counts, score


@pytest.mark.parametrize("seed", range(300))
def test_equal_to_scikit_learn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    size = int(rng.integers(20, 4000))
    truth = rng.random(size) < rng.uniform(0.01, 0.6)
    predicted = truth ^ (rng.random(size) < rng.uniform(0, 0.5))
    four = counts(truth, predicted)
    assert sum(four) == size
    assert adjusted_rand(*four) == pytest.approx(adjusted_rand_score(truth, predicted), abs=1e-12)
    if truth.any():
        assert dice(*four[:3]) == pytest.approx(f1_score(truth, predicted), abs=1e-12)
    assert pixel_error(*four) == pytest.approx(100 * np.mean(truth != predicted), abs=1e-12)


def test_an_empty_truth_has_no_dice_but_a_pixel_error() -> None:
    truth = np.zeros((4, 4), np.uint8)
    probability = np.zeros((4, 4), np.float32)
    probability[0] = 0.9
    found = score("x", "normal", truth, probability)
    assert math.isnan(found.dice) and found.pixel_error == 25.0 and found.fp == 4


def test_threshold_is_above_one_half() -> None:
    found = score("x", "", np.ones((1, 2), np.uint8), np.array([[0.5, 0.500001]], np.float32))
    assert (found.tp, found.fn) == (1, 1)


@pytest.mark.parametrize(
    ("four", "expected_dice", "error"),
    [((1, 0, 0, 1), 1.0, 0.0), ((0, 1, 1, 2), 0.0, 50.0), ((2, 1, 3, 4), 0.5, 40.0), ((0, 3, 0, 1), None, 75.0)],
)
def test_scores_by_hand(four: tuple[int, int, int, int], expected_dice: float | None, error: float) -> None:
    tp, fp, fn, tn = four
    found = score(
        "x",
        "label",
        np.array([[1] * (tp + fn) + [0] * (fp + tn)], np.uint8),
        np.array([[0.9] * tp + [0.1] * fn + [0.9] * fp + [0.1] * tn], np.float32),
    )
    assert (found.image, found.label, found.tp, found.fp, found.fn, found.tn) == ("x", "label", *four)
    assert math.isnan(found.dice) if expected_dice is None else found.dice == expected_dice
    assert found.pixel_error == pytest.approx(error) and found.ari == adjusted_rand(*four)


@pytest.mark.parametrize(
    ("four", "ari"), [((1, 0, 0, 1), 1.0), ((1, 1, 1, 1), -0.5), ((2, 1, 0, 1), 0.0), ((2, 0, 1, 1), 0.0)]
)
def test_adjusted_rand_of_four_or_fewer_pixels(four: tuple[int, int, int, int], ari: float) -> None:
    assert adjusted_rand(*four) == pytest.approx(ari)


def test_ignored_pixels_are_not_scored() -> None:
    truth = np.array([[1, 1, 0, 0], [255, 255, 255, 255]], np.uint8)
    probability = np.array([[0.9, 0.1, 0.9, 0.1], [0.9, 0.1, 0.9, 0.1]], np.float32)
    found = score("x", "", truth, probability)
    assert (found.tp, found.fp, found.fn, found.tn) == (1, 1, 1, 1)


def test_an_image_of_which_nothing_counts_has_no_score() -> None:
    found = score("x", "", np.full((2, 2), 255, np.uint8), np.ones((2, 2), np.float32))
    assert math.isnan(found.dice) and math.isnan(found.pixel_error)

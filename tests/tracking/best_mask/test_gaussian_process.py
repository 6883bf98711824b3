from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from tracking.best_mask.gaussian_process import PLACE, Points, correlation, fitted, signs

NO_HINTS = np.zeros(32, bool)


def every_set() -> Points:
    """All 32 sets of five blocks, at one setting."""
    return Points(np.array(list(product((-1.0, 1.0), repeat=5))), np.zeros((32, 0)))


def additive(points: Points) -> np.ndarray:
    return np.asarray(0.5 + points.blocks @ np.array([0.06, 0.03, -0.02, 0.01, 0.0]), np.float64)


def test_sets_are_signs() -> None:
    assert signs([(1, 3), ()], 3).tolist() == [[1, -1, 1], [-1, -1, -1]]


def test_each_differing_block_and_each_place_take_their_part() -> None:
    points = Points(signs([(1,), (1, 2), (2, 3)], 3), np.array([[0.0], [0.0], [PLACE]]))
    found = correlation(points, points, 0.8)
    assert np.allclose(found, found.T) and np.allclose(np.diag(found), 1)
    assert found[0, 1] == pytest.approx(0.8) and found[0, 2] == pytest.approx(0.8**3 * np.exp(-0.5))


def test_it_predicts_what_it_was_not_told() -> None:
    points = every_set()
    told = np.random.default_rng(0).permutation(32)
    model = fitted(points.take(told[:20]), additive(points)[told[:20]], NO_HINTS[:20])
    mean, sd = model.predict(points)
    assert np.corrcoef(mean[told[20:]], additive(points)[told[20:]])[0, 1] > 0.95
    assert sd[told[20:]].mean() > sd[told[:20]].mean()  # surer of what it was told


def test_it_smooths_noise() -> None:
    points, rng = every_set(), np.random.default_rng(1)
    errors = []
    for _ in range(10):
        noisy = additive(points) + rng.normal(0, 0.03, 32)
        mean, _ = fitted(points, noisy, NO_HINTS).predict(points)
        errors.append((np.abs(mean - additive(points)).mean(), np.abs(noisy - additive(points)).mean()))
    smoothed, raw = np.mean(errors, axis=0)
    assert smoothed < 0.8 * raw


def test_hints_may_all_be_shifted() -> None:
    points, truth = every_set(), additive(every_set())
    hints = np.arange(32) >= 8
    shifted = fitted(points, np.where(hints, truth - 0.3, truth), hints)
    mean, _ = shifted.predict(points)
    assert abs((mean - truth)[:8].mean()) < 0.05


def test_believing_makes_it_surer_and_keeps_its_opinion() -> None:
    points = every_set()
    model = fitted(points.take(np.arange(20)), additive(points)[:20], NO_HINTS[:20])
    after = model.believing(points.take(np.arange(20, 24)))
    assert np.allclose(model.predict(points)[0], after.predict(points)[0])
    assert (after.predict(points)[1][20:24] < model.predict(points)[1][20:24]).all()

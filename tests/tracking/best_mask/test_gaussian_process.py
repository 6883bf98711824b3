"""The Gaussian process against the definition: a multivariate normal density and its conditional."""

from __future__ import annotations

import itertools
from itertools import product

import numpy as np
import pytest
from scipy import stats

from tracking.best_mask.gaussian_process import PLACE, Array, Points, correlation, fitted, signs

BLOCKS, NOISES = (0.95, 0.9, 0.8, 0.7, 0.5), (0.003, 0.01, 0.03, 0.1)


SETS = [(1,), (2, 3), (), (1, 2, 3), (3,), (1, 3), (2,)]


PLACES = np.array([[0.0], [1.0], [2.0], [0.0], [2.0], [1.0], [0.0]])


SCORES = np.array([0.5, 0.62, 0.31, 0.7, 0.55, 0.6, 0.58])


def points(rows: slice = slice(None), axes: int = 1) -> Points:
    return Points(signs(SETS, 3)[rows], PLACES[rows, :axes])


def likeness(one: int, other: int, block: float, axes: int = 1) -> float:
    differing = len(set(SETS[one]) ^ set(SETS[other]))
    apart = (PLACES[one, :axes] - PLACES[other, :axes]) ** 2
    return float(block**differing * np.exp(-apart.sum() / (2 * 1.5**2)))


def covariance(block: float, noise: float, hints: Array) -> Array:
    """Of the scores in units of the landscape's variance: likeness, an unknown level, each training's chance, and what
    all hints have in common."""
    count = len(SETS)
    of_all = np.array([[likeness(i, j, block) for j in range(count)] for i in range(count)]) + 1.0
    return of_all + noise * np.eye(count) + np.diag(hints) + np.outer(hints, hints)


def best_settings(hints: Array) -> tuple[float, float, float]:
    """Scale, block and noise of the likeliest process, by SciPy's density; two more scores as large as the spread tell
    the scale."""
    centred, found = SCORES - SCORES.mean(), []
    for block, noise in itertools.product(BLOCKS, NOISES):
        whole = covariance(block, noise, hints)
        scale = (centred @ np.linalg.solve(whole, centred) + 2 * SCORES.var()) / (len(SETS) + 2)
        density = stats.multivariate_normal(np.zeros(len(SETS)), scale * whole).logpdf(centred)
        # The prior of the scale: two scores of that spread.
        density += -np.log(scale) - SCORES.var() / scale
        found.append((density, scale, block, noise))
    return max(found)[1:]


@pytest.mark.parametrize(
    ("sets", "expected"),
    [
        ([(1,), (2, 3)], [[1, -1, -1], [-1, 1, 1]]),
        ([()], [[-1, -1, -1]]),
        ([(3, 1)], [[1, -1, 1]]),
    ],
)
def test_sets_as_signs(sets: list[tuple[int, ...]], expected: list[list[int]]) -> None:
    assert signs(sets, 3).tolist() == expected and signs([], 3).shape == (0, 3)


@pytest.mark.parametrize("axes", [0, 1])
def test_correlation_falls_with_every_block_and_place(axes: int) -> None:
    found = correlation(points(axes=axes), points(slice(0, 3), axes), 0.8)
    assert found.shape == (7, 3) and len(points()) == 7
    assert found == pytest.approx(np.array([[likeness(i, j, 0.8, axes) for j in range(3)] for i in range(7)]))


@pytest.mark.parametrize("hints", [(), (0, 4), (1, 2, 3)])
def test_settings_and_predictions_are_those_of_the_definition(hints: tuple[int, ...]) -> None:
    told = np.isin(np.arange(7), hints)
    model = fitted(points(), SCORES, told)
    scale, block, noise = best_settings(told.astype(float))
    assert (model.scale, model.block) == pytest.approx((scale, block))
    whole = covariance(block, noise, told.astype(float))
    assert model.noise == pytest.approx(whole - covariance(block, 0, np.zeros(7)))

    asked = [0, 2, 5]
    across = np.array([[likeness(i, j, block) + 1 for j in range(7)] for i in asked])
    weights = np.linalg.solve(whole, SCORES - SCORES.mean())
    mean, deviation = model.predict(points().take(np.array(asked)))
    assert mean == pytest.approx(SCORES.mean() + across @ weights)
    left = 2.0 - np.diag(across @ np.linalg.solve(whole, across.T))
    assert deviation == pytest.approx(np.sqrt(scale * left))


def test_believing_is_conditioning_on_its_own_predictions() -> None:
    model, more = fitted(points(slice(0, 5)), SCORES[:5], np.zeros(5, bool)), points(slice(5, 7))
    believing = model.believing(more)
    sure = np.diag(model.noise).min()
    both = Points(np.vstack([points(slice(0, 5)).blocks, more.blocks]), PLACES)
    whole = correlation(both, both, model.block) + 1.0
    whole[:5, :5] += model.noise
    whole[5:, 5:] += sure * np.eye(2)
    across = correlation(points(), both, model.block) + 1.0
    told = np.append(SCORES[:5], model.predict(more)[0])
    assert believing.predict(points())[0] == pytest.approx(
        model.centre + across @ np.linalg.solve(whole, told - model.centre)
    )
    left = 2.0 - np.diag(across @ np.linalg.solve(whole, across.T))
    assert believing.predict(points())[1] == pytest.approx(np.sqrt(model.scale * left))


def test_equal_scores_are_no_landscape_but_no_failure_either() -> None:
    mean, deviation = fitted(points(), np.full(7, 0.5), np.zeros(7, bool)).predict(points())
    assert mean == pytest.approx(np.full(7, 0.5)) and 0 < deviation.max() < 0.01


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

"""Smooth noise is standardised; outlines enclose the area their radii promise."""

from __future__ import annotations

import numpy as np
import pytest

from trainer.phantoms.shapes import Blob, blur, draw_outline, inside, radial_field, resized, smooth_noise


@pytest.mark.parametrize("shape, sigma", [((400,), (5.0,)), ((64, 64), (3.0, 6.0)), ((63, 41), (0.0, 2.0))])
def test_smooth_noise_has_unit_sd_and_the_wanted_smoothness(shape: tuple[int, ...], sigma: tuple[float, ...]) -> None:
    noise = smooth_noise(np.random.default_rng(0), shape, sigma)
    assert noise.shape == shape
    assert noise.std() == pytest.approx(1)
    # Neighbours along an axis of width s correlate as exp(-1 / (4 s^2)).
    neighbours = np.corrcoef(noise.ravel()[:-1], noise.ravel()[1:])[0, 1]
    assert neighbours == pytest.approx(np.exp(-1 / (4 * sigma[-1] ** 2)), abs=0.05)


def test_blur_keeps_the_mean_and_leaves_a_zero_width_axis_alone() -> None:
    ramp = np.outer(np.arange(8.0), np.ones(6))
    np.testing.assert_allclose(blur(ramp, (0, 2)), ramp, atol=1e-12)
    assert blur(ramp, (3, 0)).mean() == pytest.approx(ramp.mean())


@pytest.mark.parametrize("roughness", [0.0, 0.2, 0.6])
@pytest.mark.parametrize("radii", [(20.0, 35.0), (30.0, 18.0)])
def test_area_is_that_of_the_ellipse_however_rough(roughness: float, radii: tuple[float, float]) -> None:
    axis = np.linspace(0.5, 199.5, 200)
    blob = Blob((100, 100), radii, 0.4, draw_outline(np.random.default_rng(1), roughness, 8))
    area = (radial_field(blob, axis[:, None], axis[None]) < 1).sum()
    assert area == pytest.approx(np.pi * radii[0] * radii[1], rel=0.02)


def test_an_upright_ellipse_is_taller_than_wide() -> None:
    axis = np.linspace(0.5, 99.5, 100)
    blob = Blob((50, 50), (40, 20), 0.0, np.ones(16))
    rows, columns = np.nonzero(radial_field(blob, axis[:, None], axis[None]) < 1)
    assert (int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1) == (80, 40)


def test_inside_falls_from_one_to_zero_across_the_outline() -> None:
    np.testing.assert_allclose(inside(np.array([0.0, 1.0, 2.0]), 0.1), [1, 0.5, 0], atol=1e-9)


def test_a_fine_pattern_averages_out_when_reduced() -> None:
    stripes = np.tile([0.0, 1.0], (64, 32))
    assert resized(stripes, (16, 16)).shape == (16, 16)
    np.testing.assert_allclose(resized(stripes, (16, 16)), 0.5, atol=0.1)

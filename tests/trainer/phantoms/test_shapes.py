"""Smooth noise is standardised; outlines enclose the area their radii promise."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.trainer.phantoms.traces import trace
from trainer.phantoms.shapes import Blob, blur, draw_outline, inside, radial_field, resized, series, smooth_noise


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


def drawn() -> dict[str, Any]:
    """What every function gives for small, uneven arguments."""
    rng = np.random.default_rng(3)
    axis = np.linspace(-2.0, 3.0, 7)
    outlines = [draw_outline(rng, 0.3, 6), draw_outline(rng, 0.2, 3, decay=0.8), draw_outline(rng, 1.5, 9)]
    blob = Blob((0.3, -0.2), (1.1, 0.7), 0.6, outlines[0])
    radial = radial_field(blob, axis[:, None], axis[None])
    return {
        "blur": blur(rng.normal(size=(5, 6)), (0.7, 1.3)),
        "blur of one axis": blur(rng.normal(size=7), (0.9,)),
        "smooth_noise": smooth_noise(rng, (4, 5), (0.5, 1.0)),
        "outlines": outlines,
        "radial_field": radial,
        "inside": inside(radial, 0.7),
        "resized": resized(rng.normal(size=(9, 9)), (4, 5)),
        "series": series(
            lambda stream, size: (stream.random((size, size)), np.eye(size, dtype=np.uint8), "x"), 2, 3, 5
        ),
    }


FIXED = {
    "blur": -1.205738019,
    "blur of one axis": 1.295211812,
    "smooth_noise": -0.12656584,
    "outlines": -0.1399274426,
    "radial_field": 4.701124592,
    "inside": -0.5537998162,
    "resized": 0.2152812574,
    "series": 208.7114078,
}


def test_what_is_drawn_stays_what_it_was() -> None:
    assert {name: trace(one) for name, one in drawn().items()} == pytest.approx(FIXED, rel=1e-6)


def test_far_from_an_outline_nothing_overflows() -> None:
    np.testing.assert_allclose(inside(np.array([-1e9, 1e9]), 0.1), [1, 0], atol=1e-12)

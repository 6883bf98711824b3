"""The physics of a radiograph: exponential attenuation, counted photons, scatter, the logarithm of film."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.trainer.phantoms.traces import trace
from trainer.phantoms.xray import (
    ATTENUATION,
    FIELD_CM,
    SCATTER,
    Exposure,
    count_photons,
    expected_counts,
    film,
    positions,
    total_attenuation,
)

SIZE = 64
PIXEL = (FIELD_CM / SIZE) ** 2


def slab(**centimetres: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """The attenuation of even layers."""
    return total_attenuation({tissue: np.full((SIZE, SIZE), path) for tissue, path in centimetres.items()})


@pytest.mark.parametrize(
    ("layers", "exponent"),
    [({"soft": 10}, 2.17), ({"soft": 6, "lung": 14}, 2.044), ({"bone": 1, "soft": 20}, 4.944), ({"air": 5}, 0.001)],
)
def test_beer_and_lambert(layers: dict[str, float], exponent: float) -> None:
    attenuation = slab(**layers)
    np.testing.assert_allclose(attenuation, exponent)
    counts = expected_counts(attenuation, 1e6)
    np.testing.assert_allclose(counts, 1e6 * PIXEL * np.exp(-exponent) * (1 + SCATTER), rtol=1e-9)


def test_tissues_in_the_order_that_radiographs_show() -> None:
    assert ATTENUATION["air"] < ATTENUATION["lung"] < ATTENUATION["soft"] < ATTENUATION["bone"]


@pytest.mark.parametrize("mean", [3.0, 50.0, 4000.0])
def test_counts_vary_as_poisson_does(mean: float) -> None:
    counts = count_photons(np.random.default_rng(0), np.full((300, 300), mean))
    assert counts.mean() == pytest.approx(mean, rel=0.01)
    assert counts.var() == pytest.approx(mean, rel=0.03)


def test_four_times_the_dose_halves_the_noise_on_film() -> None:
    noise = []
    for photons in (2e5, 8e5):
        counts = count_photons(np.random.default_rng(1), expected_counts(slab(soft=10), photons))
        noise.append(film(counts, Exposure(photons, black=0, white=10)).std())
    assert noise[0] / noise[1] == pytest.approx(2, rel=0.05)
    # d(log counts) is one over the square root of the counts; ten units of attenuation span the grey scale.
    expected = 1 / np.sqrt(2e5 * PIXEL * np.exp(-2.17) * (1 + SCATTER)) / 10
    assert noise[0] == pytest.approx(expected, rel=0.05)


def test_scatter_takes_contrast_away() -> None:
    """A thin sheet's contrast in the counts falls by 1 / (1 + scatter), whatever lies behind it."""
    plain = slab(soft=10)
    with_disc = plain.copy()
    with_disc[31:33, 31:33] += 0.05  # far smaller than the veil is wide
    counts, before = (expected_counts(attenuation, 1e6) for attenuation in (with_disc, plain))
    seen = 1 - counts[31, 31] / before[31, 31]
    assert seen == pytest.approx((1 - np.exp(-0.05)) / (1 + SCATTER), rel=0.01)


def test_film_is_linear_in_attenuation_and_bone_is_bright() -> None:
    exposure = Exposure(1e9, black=1, white=5)
    greys = [film(expected_counts(slab(soft=path), 1e9).astype(np.int64), exposure)[5, 5] for path in (10, 15, 20)]
    assert greys[0] < greys[1] < greys[2]
    assert greys[2] - greys[1] == pytest.approx(greys[1] - greys[0], rel=1e-3)
    assert greys[1] == pytest.approx((15 * ATTENUATION["soft"] - np.log(1 + SCATTER) - 1) / 4, rel=1e-3)
    assert film(np.zeros((4, 4), np.int64), exposure).max() == 1  # no photon at all: white, not infinite


def test_the_picture_spans_the_field() -> None:
    axis = positions(100)
    assert (axis[0] + axis[-1], axis[1] - axis[0]) == (pytest.approx(FIELD_CM), pytest.approx(FIELD_CM / 100))


def drawn() -> dict[str, Any]:
    """What every function gives for small, uneven arguments."""
    rng = np.random.default_rng(3)
    uneven = rng.uniform(0.1, 3, (9, 9))
    counts = np.array([[0, 1], [30, 400]])
    return {
        "attenuation": list(ATTENUATION.values()),
        "positions": positions(3),
        "total_attenuation": total_attenuation({"air": uneven, "bone": uneven.T}),
        "expected_counts": expected_counts(uneven, 70.0),
        "count_photons": count_photons(rng, uneven),
        "film": film(counts, Exposure(2.0, 0.3, 7.7)),
    }


FIXED = {
    "attenuation": -0.2273075412,
    "positions": 24.86617366,
    "total_attenuation": -3.800558179,
    "expected_counts": -1166.692441,
    "count_photons": 14.58694291,
    "film": 1.617332374,
}


def test_what_is_drawn_stays_what_it_was() -> None:
    assert {name: trace(one) for name, one in drawn().items()} == pytest.approx(FIXED, rel=1e-6)

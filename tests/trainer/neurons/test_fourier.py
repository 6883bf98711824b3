"""The plane waves: complete, orthonormal, and labelled with the frequency that NumPy's FFT finds in them."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from trainer.neurons.fourier import FALL, amplitudes, energy_above, radii, waves


def picture(coefficients: NDArray[np.float64]) -> NDArray[np.float64]:
    cosines, sines = waves(len(coefficients))
    return np.asarray(cosines @ coefficients @ (cosines + sines) + sines @ coefficients @ (cosines - sines), np.float64)


@pytest.mark.parametrize("n", [7, 8])
def test_every_picture_is_a_sum_of_waves_in_one_way(n: int) -> None:
    rng = np.random.default_rng(0)
    wanted = rng.normal(size=(n, n))
    coefficients = np.array([[np.sum(picture(_one(n, i, j)) * wanted) for j in range(n)] for i in range(n)])
    np.testing.assert_allclose(picture(coefficients), wanted, atol=1e-5)
    assert np.linalg.norm(coefficients) == pytest.approx(np.linalg.norm(wanted), rel=1e-5)


@pytest.mark.parametrize(("i", "j"), [(1, 0), (2, 3), (7, 1), (0, 0)])
def test_a_coefficient_is_one_plane_wave_of_its_frequency(i: int, j: int) -> None:
    power = np.abs(np.fft.fft2(picture(_one(8, i, j)))) ** 2
    assert power[i, j] + power[-i % 8, -j % 8] * ((i, j) != (-i % 8, -j % 8)) == pytest.approx(power.sum(), rel=1e-5)


def test_amplitudes_fall_with_frequency_whatever_the_size() -> None:
    assert amplitudes(64)[2, 0] == pytest.approx(amplitudes(64)[1, 0] / 2**FALL)
    assert amplitudes(64)[4, 0] == pytest.approx(16 / np.sqrt(8))  # a wave of 16 px, as if the fall were 1
    assert amplitudes(64)[0, 0] == amplitudes(64)[0, 1]
    assert amplitudes(64)[8, 8] == pytest.approx(amplitudes(32)[4, 4])  # the same frequency in cycles per pixel
    assert radii(8).max() == pytest.approx(np.sqrt(0.5))


@pytest.mark.parametrize(("i", "share"), [(3, 0.0), (5, 1.0)])
def test_energy_above_splits_at_the_frequency(i: int, share: float) -> None:
    assert energy_above(picture(_one(16, i, 0)).astype(np.float32), 0.25) == pytest.approx(share, abs=1e-6)


def _one(n: int, i: int, j: int) -> NDArray[np.float64]:
    coefficients = np.zeros((n, n))
    coefficients[i, j] = 1
    return coefficients

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


@pytest.mark.parametrize("n", [3, 4])
def test_waves_and_radii_by_their_definition(n: int) -> None:
    cosines, sines = waves(n)
    frequency = [0, 1 / 3, -1 / 3] if n == 3 else [0, 0.25, -0.5, -0.25]
    for i in range(n):
        for j in range(n):
            assert cosines[i, j] == pytest.approx(np.cos(2 * np.pi * i * j / n) / np.sqrt(n), abs=1e-6)
            assert sines[i, j] == pytest.approx(np.sin(2 * np.pi * i * j / n) / np.sqrt(n), abs=1e-6)
            assert radii(n)[i, j] == pytest.approx(np.sqrt(frequency[i] ** 2 + frequency[j] ** 2))
            expected = 16 / np.sqrt(8) * (16 * max(radii(n)[i, j], 1 / n)) ** -1.25
            assert amplitudes(n)[i, j] == pytest.approx(expected, rel=1e-5)


def test_energy_above_by_hand() -> None:
    """A wave of a quarter cycle per pixel, and one of a half with twice the amplitude: four times the power."""
    rows = np.arange(8)[:, None] * np.ones(8)
    both = (np.cos(np.pi * rows / 2) * np.sqrt(2) + 2 * np.cos(np.pi * rows) + 5).astype(np.float32)
    assert energy_above(both) == pytest.approx(0.8)  # the limit itself is not above it
    assert energy_above(both, 0.24) == pytest.approx(1) and energy_above(both, 0.5) == 0
    assert energy_above(np.ones((4, 4), np.float32)) == 0

"""Plane waves for square images, as two small matrices: the backends share no inverse real FFT with a gradient."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FALL = 1.25  # natural images have 1; a little steeper draws fewer specks of one pixel and excites as much
PIVOT = 1 / 16  # cycles per pixel at which `FALL` changes nothing


def waves(n: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Cosines and sines (n, n), both symmetric: row i has `numpy.fft.fftfreq(n)[i]` cycles per pixel, scaled by 1/√n.

    With C, S and real coefficients A (n, n), the image `C A (C + S) + S A (C - S)` is the Hartley sum over all plane
    waves: entry (i, j) weighs cos + sin of the wave with i cycles down and j across. That basis is orthonormal, holds
    exactly the images of an inverse real FFT, and favours no direction, as products of one-dimensional waves would.
    """
    angle = 2 * np.pi * np.outer(np.arange(n), np.arange(n)) / n
    return np.asarray(np.cos(angle) / np.sqrt(n), np.float32), np.asarray(np.sin(angle) / np.sqrt(n), np.float32)


def radii(n: int) -> NDArray[np.float64]:
    """Spatial frequency (n, n) of every coefficient, in cycles per pixel, laid out as `numpy.fft.fft2` does."""
    frequencies = np.fft.fftfreq(n)
    return np.asarray(np.hypot(frequencies[:, None], frequencies[None, :]), np.float64)


def amplitudes(n: int) -> NDArray[np.float32]:
    """Scale (n, n) of the coefficients, falling with frequency^-`FALL`; the mean counts like one cycle per side.

    Waves of 1 / `PIVOT` pixels have the power that complex coefficients of the same spread, scaled by n / frequency,
    inverse-transformed and divided by 4, would have: the rate of 0.05 in docs/protocol.md was tried with
    these.
    """
    return np.asarray(1 / (np.sqrt(8) * PIVOT) * (np.maximum(radii(n), 1 / n) / PIVOT) ** -FALL, np.float32)


def energy_above(image: NDArray[np.float32], frequency: float = 0.25) -> float:
    """Share of a square image's variance at more than `frequency` cycles per pixel, in [0, 1].

    >>> checkerboard = np.indices((8, 8)).sum(axis=0) % 2
    >>> round(energy_above(checkerboard.astype(np.float32)), 6)
    1.0
    """
    power = np.square(np.abs(np.fft.fft2(image - image.mean())))
    return float(power[radii(len(image)) > frequency].sum() / max(power.sum(), np.finfo(np.float32).tiny))

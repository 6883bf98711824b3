"""A linear-array scanner: from a map of echo amplitude to a B-mode image, in the physics of fully developed speckle.

Many scatterers share a resolution cell, so their sum is a circular complex Gaussian (Wagner et al., IEEE Trans. Sonics
Ultrason. 30:156, 1983): the envelope of even tissue has a mean to SD ratio of 1.91 and, in dB, an SD of 5.57.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.phantoms.shapes import Field

Echo = NDArray[np.complex128]

FREQUENCY_MHZ = 8.5
SOUND_MM_PER_US = 1.54
DEPTH_MM = 40.0
# Full widths at half maximum: the pulse along the beam, the beam at its focus and its spread away from it.
PULSE_MM = 0.30
F_NUMBER = 2.2
SPREAD = 0.022
FWHM_PER_SIGMA = 2.355


@dataclass(frozen=True)
class Console:
    """What the sonographer sets: the focus in mm, the grey scale in dB (`white` is the level shown as 1)."""

    focus: float
    white: float
    dynamic_range: float


def depths(size: int) -> Field:
    """Depth of each of `size` rows in mm. The image is square, so columns are spaced alike."""
    return (np.arange(size) + 0.5) * DEPTH_MM / size


def beam_width(depth: Field, focus: float) -> Field:
    """Lateral full width at half maximum in mm at each depth: diffraction limited at the focus, spreading from it."""
    return np.hypot(F_NUMBER * SOUND_MM_PER_US / FREQUENCY_MHZ, SPREAD * (depth - focus))


def gaussian_gain(sigma: Field, samples: int) -> Field:
    """Fourier multipliers (len(sigma), samples) of Gaussians `sigma` samples wide; white noise keeps its power."""
    gain: Field = np.exp(-2 * np.pi**2 * (sigma[:, None] * np.fft.fftfreq(samples)) ** 2)
    unit: Field = gain / np.sqrt(np.mean(gain**2, axis=1, keepdims=True))
    return unit


def complex_noise(rng: np.random.Generator, shape: tuple[int, ...]) -> Echo:
    """Circular complex Gaussian noise of mean power 1."""
    parts = rng.standard_normal((2, *shape)) / np.sqrt(2)
    noise: Echo = parts[0] + 1j * parts[1]
    return noise


def echo(rng: np.random.Generator, amplitude: Field, focus: float) -> Echo:
    """Beamformed complex echo of random scatterers weighted by `amplitude` (n, n); mean power amplitude squared."""
    size = amplitude.shape[0]
    pixel = DEPTH_MM / size
    pulse = gaussian_gain(np.array([PULSE_MM / FWHM_PER_SIGMA / pixel]), size)
    beam = gaussian_gain(beam_width(depths(size), focus) / FWHM_PER_SIGMA / pixel, size)
    scatterers = complex_noise(rng, amplitude.shape) * amplitude
    along = np.fft.ifft(np.fft.fft(scatterers, axis=0) * pulse.T, axis=0)
    return np.fft.ifft(np.fft.fft(along, axis=1) * beam, axis=1)


def envelope_db(signal: Echo) -> Field:
    """Detected envelope in dB."""
    return 20 * np.log10(np.abs(signal) + 1e-9)


def log_compress(level: Field, console: Console) -> Field:
    """Grey values in [0, 1] of levels in dB: 1 at `white` and above, 0 at `dynamic_range` below it."""
    return np.clip(1 + (level - console.white) / console.dynamic_range, 0, 1)

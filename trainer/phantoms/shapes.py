"""Tools to draw synthetic images: random fields, closed Fourier outlines, reduction in size, a random stream each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from skimage import transform

Field = NDArray[np.float64]

resize: Callable[..., Any] = transform.resize  # scikit-image leaves it untyped


def blur(values: Field, sigma: Sequence[float]) -> Field:
    """Gaussian blur of `values`, standard deviations `sigma` in samples, one per axis; opposite edges meet."""
    spectrum = np.fft.rfftn(values)
    for axis, (length, width) in enumerate(zip(values.shape, sigma, strict=True)):
        last = axis == values.ndim - 1
        frequency = np.fft.rfftfreq(length) if last else np.fft.fftfreq(length)
        gain = np.exp(-2 * np.pi**2 * (width * frequency) ** 2)
        spectrum *= gain.reshape([-1 if other == axis else 1 for other in range(values.ndim)])
    blurred: Field = np.fft.irfftn(spectrum, values.shape, axes=range(values.ndim))
    return blurred


def smooth_noise(rng: np.random.Generator, shape: Sequence[int], sigma: Sequence[float]) -> Field:
    """Gaussian noise of mean about 0 and standard deviation 1 that varies over `sigma` samples along each axis."""
    noise = blur(rng.standard_normal(shape), sigma)
    return noise / float(noise.std())


@dataclass(frozen=True)
class Blob:
    """A closed outline: an ellipse whose radius is multiplied by `outline`, given at equally spaced angles.

    `centre` and `radii` are (vertical, horizontal) in the unit of the coordinates it is drawn on, `angle` in radians.
    """

    centre: tuple[float, float]
    radii: tuple[float, float]
    angle: float
    outline: Field


def draw_outline(rng: np.random.Generator, roughness: float, harmonics: int, decay: float = 1.0) -> Field:
    """Radius over 256 angles, mean square 1 so that roughness leaves the enclosed area alone.

    Harmonics 2 .. `harmonics` + 1 have normal amplitudes of standard deviation roughness / order**decay.
    """
    order = np.arange(2, harmonics + 2)
    amplitude = rng.standard_normal(harmonics) * roughness / order**decay
    phase = rng.uniform(0, 2 * np.pi, harmonics)
    angle = np.linspace(0, 2 * np.pi, 256, endpoint=False)
    # A radius below 0.35 would pinch the shape into separate petals.
    radius = np.maximum(1 + amplitude @ np.cos(order[:, None] * angle + phase[:, None]), 0.35)
    outline: Field = radius / np.sqrt(np.mean(radius**2))
    return outline


def radial_field(blob: Blob, vertical: Field, horizontal: Field) -> Field:
    """Distance from the centre in units of the outline: 0 at the centre, 1 on the outline, above 1 outside."""
    down, right = vertical - blob.centre[0], horizontal - blob.centre[1]
    cosine, sine = np.cos(blob.angle), np.sin(blob.angle)
    along = (cosine * right + sine * down) / blob.radii[1]
    across = (cosine * down - sine * right) / blob.radii[0]
    turn = np.arctan2(across, along) / (2 * np.pi) % 1
    closed = np.append(blob.outline, blob.outline[0])
    radial: Field = np.hypot(along, across) / np.interp(turn, np.linspace(0, 1, closed.size), closed)
    return radial


def inside(radial: Field, softness: float) -> Field:
    """How far a point lies inside an outline, 1 deep inside to 0 outside; the edge is `softness` radii wide."""
    cover: Field = 1 / (1 + np.exp(np.clip((radial - 1) / (softness / 4), -40, 40)))
    return cover


def resized(image: Field, shape: tuple[int, int]) -> Field:
    """`image` at `shape`, smoothed first where it shrinks so that fine detail averages out instead of aliasing."""
    return np.asarray(resize(image, shape, order=1, anti_aliasing=True), float)


Phantom = tuple[NDArray[np.floating], NDArray[np.uint8], str]
Draw = Callable[[np.random.Generator, int], Phantom]


def series(draw: Draw, n: int, size: int, seed: int) -> tuple[NDArray[np.float32], NDArray[np.uint8], tuple[str, ...]]:
    """Images float32 (n, size, size), masks uint8 {0, 1} and labels of `n` phantoms.

    Phantom i depends on (seed, i, size) alone, so a larger `n` extends a smaller one.
    """
    images, masks = np.empty((n, size, size), np.float32), np.empty((n, size, size), np.uint8)
    labels = []
    for index in range(n):
        images[index], masks[index], label = draw(np.random.default_rng([seed, index]), size)
        labels.append(label)
    return images, masks, tuple(labels)

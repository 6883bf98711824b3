"""An X-ray room: from centimetres of each tissue along the beam to a radiograph, in the physics of counted photons.

Photons that pass fall off exponentially with the attenuation on their way (Beer and Lambert); scattered ones add a
smooth veil; what is counted is Poisson distributed; film shows the logarithm. The beam is parallel and of one energy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.phantoms.shapes import Field, blur

FIELD_CM = 36.0
# Linear attenuation in 1/cm at 60 keV, the mean energy of a chest exposure: mass attenuation (Hubbell and Seltzer,
# NISTIR 5632, 1995) times density (ICRU report 44; the lung inflated, 0.26 g/cm3).
ATTENUATION = {"air": 0.0002, "lung": 0.053, "soft": 0.217, "bone": 0.604}
# Scattered photons for each primary one behind a grid, and how far they spread.
SCATTER, SCATTER_CM = 0.25, 4.0


@dataclass(frozen=True)
class Exposure:
    """What the radiographer sets. `photons` per cm² reach the detector through air; the film shows the attenuation
    `black` (and less) as 0, `white` (and more) as 1.
    """

    photons: float
    black: float
    white: float


def positions(size: int) -> Field:
    """Distance in cm of each of `size` rows from the upper edge. The image is square, so columns are spaced alike."""
    return (np.arange(size) + 0.5) * FIELD_CM / size


def total_attenuation(paths: Mapping[str, Field]) -> Field:
    """The exponent of Beer and Lambert, (n, n), from the cm of each tissue of `ATTENUATION` along the beam."""
    total: Field = np.sum([ATTENUATION[tissue] * path for tissue, path in paths.items()], axis=0)
    return total


def expected_counts(attenuation: Field, photons: float) -> Field:
    """The mean number of photons per pixel, (n, n): primary ones and the veil of scattered ones."""
    size = attenuation.shape[0]
    pixel = FIELD_CM / size
    primary = photons * pixel**2 * np.exp(-attenuation)
    width = SCATTER_CM / pixel
    margin = int(np.ceil(2 * width))
    veil = blur(np.pad(primary, margin, mode="edge"), (width, width))[margin:-margin, margin:-margin]
    expected: Field = primary + SCATTER * veil
    return expected


def count_photons(rng: np.random.Generator, expected: Field) -> NDArray[np.int64]:
    """Counted photons, int64 (n, n): Poisson distributed, so that the variance is the mean."""
    return rng.poisson(expected)


def film(counts: NDArray[np.int64], exposure: Exposure) -> Field:
    """Grey values in [0, 1], bone bright: the logarithm of the counts, between `black` and `white`."""
    through_air = exposure.photons * (FIELD_CM / counts.shape[0]) ** 2
    attenuation = np.log(through_air) - np.log(np.maximum(counts, 0.5))
    grey: Field = np.clip((attenuation - exposure.black) / (exposure.white - exposure.black), 0, 1)
    return grey

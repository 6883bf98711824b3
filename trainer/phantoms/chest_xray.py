"""Synthetic chest X-rays: the chest of `trainer.phantoms.thorax`, exposed as in `trainer.phantoms.xray`.

No claim about patients. Lengths are in cm (docs/protocol.md, "Synthetic data": thorax, lungs, heart, spine, ribs,
clavicles; lung area about 28 %).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trainer.phantoms.shapes import Blob, Field, draw_outline, inside, radial_field, resized, series
from trainer.phantoms.thorax import (
    SIDES,
    Grid,
    Thorax,
    airways,
    body_depth,
    breasts,
    dome_of,
    draw_thorax,
    lung_fields,
    lung_margin,
    pose,
    skeleton,
    vessels,
)
from trainer.phantoms.xray import FIELD_CM, Exposure, count_photons, expected_counts, film, total_attenuation

# Below 256 rows ribs and vessels are finer than a pixel.
FINE_SIZE = 256
OPACITY_SHARE = 0.5


def chest_phantoms(n: int, size: int, seed: int) -> tuple[NDArray[np.float32], NDArray[np.uint8], tuple[str, ...]]:
    """Draw `n` phantoms: images (n, size, size) in [0, 1], lung masks (n, size, size) of 0 and 1, labels.

    Labels are "clear" or "opacity". Phantom i depends on (seed, i, size) alone, so a larger `n` extends a smaller one,
    and up to 256 px every size shows the same chests.

    >>> images, masks, labels = chest_phantoms(2, 64, seed=0)
    >>> images.shape, masks.dtype, len(labels)
    ((2, 64, 64), dtype('uint8'), 2)
    """
    return series(draw_chest, n, size, seed)


def draw_chest(rng: np.random.Generator, size: int) -> tuple[Field, NDArray[np.uint8], str]:
    """One phantom: exposed where its details are resolved, then reduced as an image on a screen would be."""
    fine = max(size, FINE_SIZE)
    thorax, grid = draw_thorax(rng), pose(rng, fine)
    margins = [lung_margin(rng, thorax, grid, side) for side in SIDES]
    fields = lung_fields(thorax, grid, margins)
    label, opacity = draw_opacity(rng, thorax, grid)
    paths = tissue_paths(rng, thorax, grid, margins, opacity)
    image = expose(rng, total_attenuation(paths), fields)
    mask = fields.astype(float)
    if fine != size:
        image, mask = resized(image, (size, size)), resized(mask, (size, size))
    return np.clip(image, 0, 1), (mask > 0.5).astype(np.uint8), label


def draw_opacity(rng: np.random.Generator, thorax: Thorax, grid: Grid) -> tuple[str, Field]:
    """In half of the chests: cm of lung filled with fluid, a nodule or an infiltrate."""
    if rng.random() >= OPACITY_SHARE:
        return "clear", np.zeros_like(grid.down)
    side = rng.choice(SIDES)
    centre = (thorax.apex + thorax.height * rng.uniform(0.2, 0.75), side * thorax.width * rng.uniform(0.4, 0.75))
    radius = np.exp(rng.uniform(np.log(0.8), np.log(4.5)))
    blob = Blob(centre, (radius, radius * rng.uniform(0.7, 1.2)), rng.uniform(0, np.pi), draw_outline(rng, 0.2, 8))
    cover = inside(radial_field(blob, grid.down, grid.across), rng.uniform(0.2, 1.0))
    return "opacity", rng.uniform(1.5, 4.0) * np.sqrt(radius) * cover


def tissue_paths(
    rng: np.random.Generator, thorax: Thorax, grid: Grid, margins: list[Field], opacity: Field
) -> dict[str, Field]:
    """Centimetres of each tissue along the beam; together they fill the body."""
    body = body_depth(thorax, grid)
    heart = 0.6 * thorax.depth * dome_of(radial_field(thorax.heart, grid.down, grid.across))
    aorta = 5.0 * dome_of(radial_field(thorax.aorta, grid.down, grid.across))
    chest = np.maximum(body - rng.uniform(4.0, 7.0), 0)  # inside chest wall and muscles
    aerated = chest * sum(np.sqrt(np.clip(margin / 1.5, 0, 1)) for margin in margins)
    solid = heart + aorta + opacity + vessels(rng, thorax, grid)
    lung = np.maximum(aerated - solid, 0)
    bone = skeleton(rng, thorax, grid) * np.clip(body / 6, 0, 1)
    air = np.minimum(airways(rng, thorax, grid), body - lung)
    soft = np.maximum(body - lung - bone - air, 0) + breasts(rng, thorax, grid) * (body > 0)
    return {"air": air, "lung": lung, "soft": soft, "bone": bone}


def expose(rng: np.random.Generator, attenuation: Field, fields: NDArray[np.bool_]) -> Field:
    """Expose the film: a random dose, from portable to full, and a grey scale that shows lungs dark."""
    photons = float(np.exp(rng.uniform(np.log(3e5), np.log(1e7))))
    counts = count_photons(rng, expected_counts(attenuation, photons))
    attenuations = np.log(photons * (FIELD_CM / counts.shape[0]) ** 2) - np.log(np.maximum(counts, 0.5))
    lungs, middle = np.quantile(attenuations[fields], 0.3), np.quantile(attenuations, 0.9)
    dark, bright = rng.uniform(0.12, 0.35), rng.uniform(0.7, 0.92)
    slope = (bright - dark) / (middle - lungs)
    black = lungs - dark / slope
    return film(counts, Exposure(photons, float(black), float(black + 1 / slope)))

"""Synthetic breast ultrasound: drawn anatomy, scanned as in `trainer.phantoms.bmode`. No claim about patients.

Levels are in dB relative to glandular tissue, lengths in mm (docs/protocol.md, "Synthetic data").
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.phantoms.bmode import DEPTH_MM, Console, complex_noise, depths, echo, envelope_db, log_compress
from trainer.phantoms.shapes import Blob, Field, blur, draw_outline, inside, radial_field, resized, series, smooth_noise

# Below 256 rows the pulse is narrower than two samples and the speckle is no longer resolved.
SPECKLE_SIZE = 256
# The paper's Dataset B: 53 malignant lesions of 163. Area as a share of the image: log-normal, median 3.5 %.
MALIGNANT_SHARE = 53 / 163
MEDIAN_AREA, AREA_SPREAD, AREA_RANGE = 0.035, 0.65, (0.006, 0.16)
CYST_SHARE = 0.25


@dataclass(frozen=True)
class Lesion:
    """One lesion. `shape` is in mm, `level` and `rim` in dB, `edge` in radii, `attenuation` in dB/cm (round trip)."""

    label: str
    shape: Blob
    level: float
    edge: float
    rim: float
    attenuation: float


@dataclass(frozen=True)
class Anatomy:
    """One drawn breast: the depths in mm, per column, of the lower faces of skin and fat and of the top of muscle."""

    skin: Field
    fat: Field
    muscle: Field
    lesion: Lesion


def ultrasound_phantoms(n: int, size: int, seed: int) -> tuple[NDArray[np.float32], NDArray[np.uint8], tuple[str, ...]]:
    """Draw `n` phantoms: images (n, size, size) in [0, 1], lesion masks (n, size, size) of 0 and 1, labels.

    Labels are "benign" or "malignant". Phantom i depends on (seed, i, size) alone, so a larger `n` extends a smaller
    one, and up to 256 px every size shows the same breasts.

    >>> images, masks, labels = ultrasound_phantoms(2, 64, seed=0)
    >>> images.shape, masks.dtype, len(labels)
    ((2, 64, 64), dtype('uint8'), 2)
    """
    return series(draw_phantom, n, size, seed)


def draw_phantom(rng: np.random.Generator, size: int) -> tuple[Field, NDArray[np.uint8], str]:
    """One phantom: simulated where speckle is resolved, then reduced as an image on a screen would be."""
    fine = max(size, SPECKLE_SIZE)
    anatomy = draw_anatomy(rng, fine)
    radial = radial_field(anatomy.lesion.shape, depths(fine)[:, None], depths(fine)[None])
    level = tissue(rng, anatomy, fine)
    level = add_lesion(rng, level, anatomy.lesion, radial)
    level -= attenuation(rng, anatomy.lesion, radial) + contact_shadow(rng, fine)
    image = expose(rng, level, anatomy.lesion.shape.centre[0])
    mask = (radial < 1).astype(float)
    if fine != size:
        image, mask = resized(image, (size, size)), resized(mask, (size, size))
    # A pixel counts when half of it is covered; a lesion too small for that keeps the pixels that it covers most.
    covered = mask > min(0.5, mask.max() / 2)
    return np.clip(image, 0, 1), covered.astype(np.uint8), anatomy.lesion.label


def draw_anatomy(rng: np.random.Generator, size: int) -> Anatomy:
    """Draw the layers and one lesion between them."""
    fat, muscle = rng.uniform(6, 11), rng.uniform(28, 35)
    return Anatomy(
        skin=interface(rng, size, 1.6, 0.1),
        fat=interface(rng, size, fat, 0.8),
        muscle=interface(rng, size, muscle, 0.8),
        lesion=draw_lesion(rng),
    )


def interface(rng: np.random.Generator, size: int, depth: float, waviness: float) -> Field:
    """Depth in mm over `size` columns of a gently wavy, slightly tilted face; `waviness` is its SD in mm."""
    wave = smooth_noise(rng, (2 * size,), (size * 6 / DEPTH_MM,))[:size]
    tilt = rng.normal(0, waviness) * np.linspace(-1, 1, size)
    return np.maximum(depth + waviness * wave + tilt, 0.5)


def draw_lesion(rng: np.random.Generator) -> Lesion:
    """Malignant: taller than wide, rough, blurred, usually shadowing. Benign: flat and smooth; a cyst enhances."""
    malignant = rng.random() < MALIGNANT_SHARE
    cyst = not malignant and rng.random() < CYST_SHARE
    area = np.clip(MEDIAN_AREA * np.exp(rng.normal(0, AREA_SPREAD)), *AREA_RANGE) * DEPTH_MM**2
    aspect = rng.uniform(0.9, 1.6) if malignant else rng.uniform(0.45, 0.85)
    outline = draw_outline(rng, 0.25, 14, decay=0.8) if malignant else draw_outline(rng, 0.16, 5)
    tall, wide = np.sqrt(area / np.pi * aspect), np.sqrt(area / np.pi / aspect)
    shape = Blob(place(rng, tall, wide), (tall, wide), rng.uniform(-0.3, 0.3), outline)
    if malignant:
        shadow = rng.uniform(6, 16) if rng.random() < 0.75 else rng.uniform(0, 3)
        return Lesion("malignant", shape, rng.uniform(-20, -12), rng.uniform(0.15, 0.35), 0.0, shadow)
    if cyst:
        return Lesion("benign", shape, rng.uniform(-34, -24), rng.uniform(0.05, 0.1), 4.0, rng.uniform(-10, -5))
    return Lesion("benign", shape, rng.uniform(-19, -12), rng.uniform(0.06, 0.15), 3.0, rng.uniform(-4, 1))


def place(rng: np.random.Generator, tall: float, wide: float) -> tuple[float, float]:
    """Centre (depth, lateral) in mm of a lesion with these radii that lies below the skin and within the image."""
    depth = np.clip(rng.normal(0.45, 0.1) * DEPTH_MM, tall * 1.1 + 3, max(0.85 * DEPTH_MM - tall, tall * 1.1 + 3))
    margin = min(wide * 1.15, DEPTH_MM / 2)
    return float(depth), float(rng.uniform(margin, DEPTH_MM - margin))


def tissue(rng: np.random.Generator, anatomy: Anatomy, size: int) -> Field:
    """Level in dB of the healthy breast, (size, size): four layers, their faces, ligaments and fat lobules."""
    row = depths(size)[:, None]
    fat_level = rng.uniform(-9, -5)
    level = texture(rng, size, (0.5, 1.6), 2.0) + texture(rng, size, (3.0, 5.0), 2.0)
    level += fibres(rng, size, rng.uniform(3, 9))
    level = add_lobules(rng, level, fat_level)
    level = np.where(row < anatomy.fat, fat_level + texture(rng, size, (1.0, 2.0), 1.5), level)
    muscle = texture(rng, size, (0.2, 5.0), 3.0) + rng.uniform(-9, -4)
    level = np.where(row > anatomy.muscle, muscle, level)
    level = np.where(row < anatomy.skin, 8.0, level)
    lines = [fascia(rng, row, anatomy.fat), fascia(rng, row, anatomy.muscle), *ligaments(rng, anatomy, row)]
    for line_level in lines:
        level = np.maximum(level, line_level)
    return level


def texture(rng: np.random.Generator, size: int, scale: tuple[float, float], sd: float) -> Field:
    """Gaussian variation of `sd` dB over `scale` mm (depth, lateral)."""
    return sd * smooth_noise(rng, (size, size), [length * size / DEPTH_MM for length in scale])


def fibres(rng: np.random.Generator, size: int, strength: float) -> Field:
    """Bright fibrous strands along the layers of the gland: the crests of a flattened noise, `strength` dB."""
    return strength * np.clip(texture(rng, size, (0.25, 2.2), 1.0) - 0.6, 0, None)


def fascia(rng: np.random.Generator, row: Field, face: Field) -> Field:
    """A thin bright line along `face`, its glint varying."""
    size = row.size
    glint = rng.uniform(5, 11) + 3 * smooth_noise(rng, (size,), (size * 2 / DEPTH_MM,))
    return line(row, face, 0.2, glint)


def ligaments(rng: np.random.Generator, anatomy: Anatomy, row: Field) -> list[Field]:
    """Cooper's ligaments: broken, sloping bright lines from the skin through fat and gland."""
    size = row.size
    lateral = depths(size) - DEPTH_MM / 2
    levels = []
    for _ in range(rng.integers(5, 11)):
        start = rng.uniform(3, float(anatomy.muscle.mean()))
        course = interface(rng, size, start, rng.uniform(0.4, 1.2)) + rng.uniform(-0.4, 0.4) * lateral
        glint = rng.uniform(3, 9) - 12 * np.clip(smooth_noise(rng, (size,), (size * 4 / DEPTH_MM,)), 0, None)
        levels.append(np.where(row < anatomy.muscle, line(row, course, rng.uniform(0.12, 0.22), glint), -np.inf))
    return levels


def line(row: Field, course: Field, width: float, level: Field) -> Field:
    """A line of Gaussian power profile, `width` mm SD, that follows `course`, with `level` dB on its crest."""
    profile: Field = -10 * np.log10(np.e) / 2 * ((row - course) / width) ** 2
    return level + profile


def add_lobules(rng: np.random.Generator, level: Field, fat_level: float) -> Field:
    """Fat lobules within the gland: dark, flat and soft-edged, the distractors of every lesion detector."""
    axis = depths(level.shape[0])
    for _ in range(rng.integers(1, 6)):
        centre = (rng.uniform(8, 30), rng.uniform(2, DEPTH_MM - 2))
        radii = (rng.uniform(1.0, 2.4), rng.uniform(2.5, 5.5))
        blob = Blob(centre, radii, rng.uniform(-0.4, 0.4), draw_outline(rng, 0.3, 6))
        weight = inside(radial_field(blob, axis[:, None], axis[None]), 0.4)
        level = level * (1 - weight) + weight * fat_level
    return level


def add_lesion(rng: np.random.Generator, level: Field, lesion: Lesion, radial: Field) -> Field:
    """Blend the lesion into the tissue; a lesion with a capsule gets a thin bright rim just outside."""
    weight = inside(radial, lesion.edge)
    interior = lesion.level + texture(rng, level.shape[0], (1.2, 1.2), 1.5)
    capsule = lesion.rim * np.exp(-0.5 * ((radial - 1.08) / 0.05) ** 2)
    return level * (1 - weight) + weight * interior + capsule


def attenuation(rng: np.random.Generator, lesion: Lesion, radial: Field) -> Field:
    """Loss in dB on the way to each point: the lesion's own, refraction at its flanks, and what gain control leaves."""
    size = radial.shape[0]
    step = DEPTH_MM / size / 10  # cm per row
    own = lesion.attenuation * np.cumsum(inside(radial, lesion.edge), axis=0) * step
    down, right = np.gradient(radial)
    flank = np.exp(-0.5 * ((radial - 1) / 0.06) ** 2) * (np.abs(right) > np.abs(down))
    # A smooth flank bends the beam away as a whole; a rough one scatters it.
    refraction = rng.uniform(2, 8) * (lesion.label == "benign") * np.cumsum(flank, axis=0) * step
    residual = rng.uniform(-0.5, 4.5) * np.clip(depths(size) / 10 - 1, 0, None)
    return blur(own + refraction, (0, size * 0.3 / DEPTH_MM)) + residual[:, None]


def contact_shadow(rng: np.random.Generator, size: int) -> Field:
    """Loss in dB per column: in three of ten images the probe touches poorly somewhere."""
    if rng.random() >= 0.3:
        return np.zeros(size)
    centre, width = rng.uniform(0, DEPTH_MM), DEPTH_MM * rng.uniform(0.02, 0.06)
    return rng.uniform(4, 10) * np.exp(-0.5 * ((depths(size) - centre) / width) ** 2)


def expose(rng: np.random.Generator, level: Field, focus: float) -> Field:
    """Scan the tissue and show it as a sonographer would: focused near the lesion, gland at a middle grey."""
    focus = float(np.clip(focus + rng.normal(0, 4), 8, 32))
    signal = echo(rng, 10 ** (level / 20), focus)
    # Amplified electronic noise fills anechoic areas, more with depth, because gain control lifts it.
    noise_floor = 10 ** ((rng.uniform(-46, -38) + np.linspace(0, 8, level.shape[0])[:, None]) / 20)
    envelope = envelope_db(signal + noise_floor * complex_noise(rng, level.shape))
    console = Console(focus, white=float(np.median(envelope)) + rng.uniform(27, 36), dynamic_range=rng.uniform(50, 60))
    return log_compress(envelope, console)

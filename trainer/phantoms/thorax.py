"""The anatomy of a drawn chest: lungs, heart, bones, vessels and airways as shapes and as centimetres along the beam.

Lengths are in cm. The patient faces the detector: the heart lies to the right of the image.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.phantoms.shapes import Blob, Field, draw_outline, inside, radial_field, smooth_noise
from trainer.phantoms.xray import FIELD_CM, positions

RIBS = 9
SIDES = (-1, 1)
LEFT = 1  # of the patient: the right of the image
BODY_POWER = 2.5


@dataclass(frozen=True)
class Thorax:
    """The measures of one chest in cm: `apex` and `base` are the heights of the lungs' tips and of their lower corners
    below the image's upper edge, `width` half of the inner rib cage, `depth` the body from back to front, `dome` how
    far the diaphragm rises (right, left), `medial` half of the mediastinum.
    """

    apex: float
    base: float
    width: float
    depth: float
    dome: tuple[float, float]
    medial: float
    heart: Blob
    aorta: Blob

    @property
    def height(self) -> float:
        """From the lungs' tips to their lower corners."""
        return self.base - self.apex


@dataclass(frozen=True)
class Grid:
    """Each pixel's position in cm: `down` from the upper edge and `across` from the midline, in the patient's frame."""

    down: Field
    across: Field


def draw_thorax(rng: np.random.Generator) -> Thorax:
    """One adult, from slight to broad, breathing in more or less deeply."""
    width, apex = rng.uniform(12.5, 14.8), rng.uniform(3.0, 5.5)
    base = apex + width * rng.uniform(1.72, 2.02)
    right = rng.uniform(3.2, 6.0)
    large = width * rng.uniform(0.42, 0.54)  # half of the heart's width: cardio-thoracic ratio 0.42 to 0.54
    centre = (base - rng.uniform(0.75, 0.95) * large, large * rng.uniform(0.3, 0.5))
    heart = Blob(centre, (large * rng.uniform(0.75, 0.92), large), rng.uniform(0.3, 0.7), draw_outline(rng, 0.06, 4))
    knob = rng.uniform(1.4, 2.2)
    aorta = Blob((apex + rng.uniform(6.0, 7.5), 1.6), (1.3 * knob, knob), 0.0, draw_outline(rng, 0.05, 3))
    dome = (right, right - rng.uniform(0.3, 1.6))
    return Thorax(apex, base, width, rng.uniform(18, 25), dome, rng.uniform(1.8, 2.8), heart, aorta)


def pose(rng: np.random.Generator, size: int) -> Grid:
    """The patient a little off centre and not quite upright."""
    axis = positions(size) - FIELD_CM / 2
    angle, (down, across) = rng.normal(0, 0.025), rng.normal(0, (0.5, 0.7))
    row, column = axis[:, None] - down, axis[None] - across
    turned = np.cos(angle) * row - np.sin(angle) * column, np.sin(angle) * row + np.cos(angle) * column
    return Grid(turned[0] + FIELD_CM / 2, turned[1])


def lung_margin(rng: np.random.Generator, thorax: Thorax, grid: Grid, side: int) -> Field:
    """How far inside one lung's outline (cm) each pixel lies, negative outside: rib cage, mediastinum, diaphragm."""
    outwards, level = side * grid.across, np.clip((grid.down - thorax.apex) / thorax.height, 0, 1)
    wall = thorax.width * (1 - (1 - level) ** 2.8) ** (1 / 2.8)
    medial = thorax.medial + 1.6 * np.exp(-level / 0.06)
    tip = grid.down - thorax.apex - 0.1 * (outwards - 0.36 * thorax.width) ** 2  # rounds it off
    crest = 0.45 * thorax.width
    sideways = outwards / crest - 1
    # Steep towards the ribs, where it ends in a sharp corner, flat towards the heart.
    fall = np.where(sideways > 0, (sideways * crest / (thorax.width - crest)) ** 2, 0.3 * sideways**2)
    diaphragm = thorax.base - thorax.dome[side == LEFT] * (1 - fall)
    size = grid.down.shape[0]
    wobble = 0.15 * smooth_noise(rng, (size, size), (size / 12, size / 12))
    margin: Field = np.minimum.reduce([wall - outwards, outwards - medial, diaphragm - grid.down, tip]) + wobble
    return margin


def lung_fields(thorax: Thorax, grid: Grid, margins: list[Field]) -> NDArray[np.bool_]:
    """The truth mask: the lungs without heart and aorta, as radiologists outline them (SCR)."""
    organs = [radial_field(organ, grid.down, grid.across) < 1 for organ in (thorax.heart, thorax.aorta)]
    visible: NDArray[np.bool_] = (np.maximum(*margins) > 0) & ~np.logical_or(*organs)
    return visible


def dome_of(radial: Field) -> Field:
    """The thickness of an ellipsoid of depth 1 whose outline is at 1."""
    return np.sqrt(np.clip(1 - radial**2, 0, 1))


def body_depth(thorax: Thorax, grid: Grid) -> Field:
    """The body in cm from back to front: neck, shoulders that reach beyond the image, trunk."""
    shoulder, armpit = thorax.apex - 0.5, thorax.apex + 10.0
    above = 5.5 + 22 * sigmoid((grid.down - shoulder) / 0.9)
    half = above + (thorax.width + 3.0 - above) * sigmoid((grid.down - armpit) / 0.8)
    deep = 11 + (thorax.depth - 11) * sigmoid((grid.down - shoulder - 3) / 1.5)
    depth: Field = deep * np.clip(1 - np.abs(grid.across / half) ** BODY_POWER, 0, 1) ** (1 / BODY_POWER)
    return depth


def sigmoid(values: Field) -> Field:
    """0 far below zero, 1 far above."""
    return 1 / (1 + np.exp(-np.clip(values, -40, 40)))


def skeleton(rng: np.random.Generator, thorax: Thorax, grid: Grid) -> Field:
    """Centimetres of compact bone: spine, ribs behind and before, clavicles, shoulder blades."""
    vertebra = rng.uniform(2.1, 2.6)
    discs = 1 - 0.35 * np.cos(np.pi * (grid.down + rng.uniform(0, vertebra)) / vertebra) ** 8
    bone = rng.uniform(0.7, 1.3) * discs * np.clip(1 - np.abs(grid.across / 1.8) ** 4, 0, 1)
    strength = rng.uniform(0.7, 1.3)
    for side in SIDES:
        outwards = side * grid.across
        bone += strength * ribs(thorax, grid.down, outwards)
        bone += strength * clavicle(rng, thorax, grid.down, outwards)
        blade = Blob(
            (thorax.apex + 7, thorax.width + 0.5), (6.0, 2.4), rng.uniform(0.1, 0.4), draw_outline(rng, 0.1, 3)
        )
        bone += 0.2 * inside(radial_field(blade, grid.down, outwards), 0.1)
    return np.asarray(bone, float)


def ribs(thorax: Thorax, down: Field, outwards: Field) -> Field:
    """Each rib leaves the spine, arches down to the side of the chest and comes back below, fading into cartilage."""
    reach = np.clip(outwards / (thorax.width + 0.6), 0, 1)
    edge = np.clip(1 - reach**2, 0.12, 1) ** -0.5  # along its side the beam meets more of a rib
    on = (outwards > 1.5) & (outwards < thorax.width + 0.6)
    spacing = (thorax.height + 1) / (RIBS + 0.5)
    bone = np.zeros_like(down)
    for number in range(RIBS):
        root = thorax.apex - 1.2 + number * spacing
        drop = 1.5 + 0.45 * number
        behind = root - 0.9 * np.sin(np.pi * reach) + drop * reach**3
        before = root + drop + (4.0 + 0.3 * number) * (1 - reach)
        bone += on * edge * tube(down - behind, 0.55)
        bone += on * edge * tube(down - before, 0.6) * np.clip((reach - 0.4) / 0.25, 0, 1)
    return bone


def tube(distance: Field, radius: float) -> Field:
    """Centimetres of compact bone across a flattened tube whose wall is a quarter of its radius."""
    outer = np.sqrt(np.clip(1 - (distance / radius) ** 2, 0, 1))
    inner = np.sqrt(np.clip(1 - (distance / (0.75 * radius)) ** 2, 0, 1))
    return 1.1 * outer - 0.55 * inner


def clavicle(rng: np.random.Generator, thorax: Thorax, down: Field, outwards: Field) -> Field:
    """From the breastbone up to the shoulder, gently curved."""
    low, rise = thorax.apex + rng.uniform(2.5, 4.0), rng.uniform(0.12, 0.3)
    course = low - rise * outwards + 0.6 * np.sin(outwards / 2.6)
    on = sigmoid((outwards - 1.6) / 0.15) * sigmoid((16 - outwards) / 0.3)
    return 1.8 * on * tube(down - course, 0.75)


def vessels(rng: np.random.Generator, thorax: Thorax, grid: Grid) -> Field:
    """Centimetres of blood: vessels that fan out from each lung's root and thin out, and a fine mesh everywhere."""
    size = grid.down.shape[0]
    blood = 0.35 * np.clip(smooth_noise(rng, (size, size), (0.25 * size / FIELD_CM,) * 2), 0, None)
    for side in SIDES:
        root = thorax.apex + thorax.height * rng.uniform(0.42, 0.5), thorax.medial + 0.8
        down, outwards = grid.down - root[0], side * grid.across - root[1]
        distance, direction = np.hypot(down, outwards), np.arctan2(down, outwards)
        blood += rng.uniform(1.0, 2.5) * np.exp(-0.5 * ((down / 2.0) ** 2 + (outwards / 1.0) ** 2))
        for angle in rng.uniform(-1.5, 1.5, 18):
            width = rng.uniform(0.2, 0.4) * np.exp(-distance / rng.uniform(4, 9)) * (distance > rng.uniform(0.5, 4))
            bend = angle + rng.normal(0, 0.25) * np.sin(distance / rng.uniform(1.5, 4))
            away = distance * np.abs(np.arctan2(np.sin(direction - bend), np.cos(direction - bend)))
            blood += 2 * width * np.sqrt(np.clip(1 - (away / (width + 1e-6)) ** 2, 0, 1))
    return blood


def airways(rng: np.random.Generator, thorax: Thorax, grid: Grid) -> Field:
    """Centimetres of air that is no lung: the windpipe, and in most chests a bubble in the stomach."""
    end = thorax.apex + rng.uniform(7.0, 8.5)
    pipe = 1.6 * np.sqrt(np.clip(1 - (grid.across / 0.9) ** 2, 0, 1)) * sigmoid((end - grid.down) / 0.3)
    if rng.random() < 0.3:
        return pipe
    top = thorax.base - thorax.dome[1]
    centre = (top + rng.uniform(2.0, 3.0), LEFT * thorax.width * rng.uniform(0.4, 0.6))
    bubble = Blob(centre, (rng.uniform(0.8, 1.4), rng.uniform(1.5, 3.0)), 0.0, draw_outline(rng, 0.1, 4))
    return pipe + rng.uniform(3.0, 7.0) * dome_of(radial_field(bubble, grid.down, grid.across))


def breasts(rng: np.random.Generator, thorax: Thorax, grid: Grid) -> Field:
    """Soft tissue in front of the lower lungs, in half of the chests."""
    if rng.random() < 0.5:
        return np.zeros_like(grid.down)
    thick, radius = rng.uniform(1.0, 3.5), rng.uniform(5.0, 7.5)
    blobs = [
        Blob((thorax.base - 3.5, side * 0.58 * thorax.width), (radius, radius), 0.0, draw_outline(rng, 0.05, 3))
        for side in SIDES
    ]
    both: Field = np.sum([dome_of(radial_field(blob, grid.down, grid.across)) for blob in blobs], axis=0)
    return thick * both

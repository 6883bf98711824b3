"""Where to cut masks that hold two levels with soft edges, or the noise of JPEG, between them.

A level has areas: pixels surrounded by their own value (`MaskValues.flat`). An edge has none, and each of its pixels
lies between a darker and a brighter one (`MaskValues.sloped`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from trainer.data.masks.values import MaskValues

LOWEST_TOP = 32  # whole numbers below it are labels, not shades
BAND = 0.12  # of the upper level: values so near to a level belong to it
NOISE = 8 / 255  # of the upper level: in a file that keeps values, areas above it are no black
WHITES = (1.0, 255.0, 65535.0)  # an upper level just below one of these is it
NEAR_WHITE = 0.94
OVERSHOOT = 1.3  # times the upper level: so far does the noise of JPEG reach beyond it
TRACE = 3 / 255  # of the upper level: areas so near to a level may be JPEG's, saved anew without loss
AREA_SHARE, AREA_PIXELS = 0.02, 4  # areas between the levels that are still chance
SLOPED, FEW_PIXELS = 0.8, 8  # so large a share of an edge is sloped


def upper_of_two(masks: Sequence[MaskValues]) -> float | None:
    """The upper level of a set of two, black and that one, to be cut at half of it; None where it has others.

    Every mask must fit by itself, so that a part of the set is cut as the whole is. None, too, where no area tells
    the upper level and no value is beyond half of a known white.
    """
    top = upper_level(masks)
    if top is None or not any(mask.values[0] <= NOISE * top for mask in masks):
        return None
    return top if all(fits(mask, top) for mask in masks) and not one_value_between(masks, top) else None


def one_value_between(masks: Sequence[MaskValues], top: float) -> bool:
    """Whether one exact value, and no other, lies between the levels of the whole set: a rim's label, not an edge."""
    if any(mask.lossy for mask in masks):
        return False
    pixels: dict[float, int] = {}
    for mask in masks:
        for value, count in zip(mask.values.tolist(), mask.counts.tolist(), strict=True):
            if NOISE * top < value < (1 - BAND) * top:
                pixels[value] = pixels.get(value, 0) + count
    return len(pixels) == 1 and max(pixels.values()) > FEW_PIXELS


def upper_level(masks: Sequence[MaskValues]) -> float | None:
    """The value with the largest areas, apart from what is nearly black; the white that it is just below."""
    brightest = max(float(mask.values[-1]) for mask in masks)
    whole_numbers = all(np.equal(np.mod(mask.values, 1), 0).all() for mask in masks)
    if whole_numbers and brightest < LOWEST_TOP:
        return None
    white = next(white for white in (*WHITES, brightest) if brightest <= white and not (whole_numbers and white == 1))
    areas: dict[float, int] = {}
    for mask in masks:
        for value, flat in zip(mask.values.tolist(), mask.flat.tolist(), strict=True):
            if value > BAND * brightest and flat:
                areas[value] = areas.get(value, 0) + flat
    if not areas:  # objects too small to have an inside: only a known white can be told
        return white if brightest > white / 2 else None
    level = max(areas, key=lambda value: (areas[value], value))
    if whole_numbers and level < LOWEST_TOP:
        return None
    return white if level >= NEAR_WHITE * white else level


def fits(mask: MaskValues, top: float) -> bool:
    """Whether a mask holds nothing but black, the level `top`, and edges between them."""
    low = mask.values <= (BAND if mask.lossy else NOISE) * top
    high = np.abs(mask.values - top) <= BAND * top
    between = ~low & ~high
    areas = int(mask.flat[high].sum())
    if mask.flat[between].sum() > AREA_SHARE * areas + AREA_PIXELS:
        return False
    if not mask.lossy and labels_within(mask, top, low, high):
        return False
    beyond = between & (mask.values > top)
    far = beyond & (mask.values > OVERSHOOT * top) if mask.lossy else beyond
    if mask.counts[far].sum() > FEW_PIXELS:
        return False
    edge = between & ~beyond
    pixels = int(mask.counts[edge].sum())
    return pixels <= FEW_PIXELS or int(mask.sloped[edge].sum()) >= SLOPED * pixels


def labels_within(mask: MaskValues, top: float, low: NDArray[np.bool_], high: NDArray[np.bool_]) -> bool:
    """Whether a file that keeps its values has areas of further values within a level: these are labels.

    Beside black they are a faint object, which alone would be one; beside the upper level a neighbouring number.
    """
    limit = AREA_SHARE * int(mask.flat[high].sum()) + AREA_PIXELS if high.any() else 0
    faint = low & (mask.values > (TRACE * top if high.any() else 0))
    other = high & (np.abs(mask.values - top) > TRACE * top)
    return bool(mask.flat[faint].sum() > limit or mask.flat[other].sum() > limit)

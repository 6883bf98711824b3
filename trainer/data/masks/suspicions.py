"""What is odd about a set that could be meant: said, never changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_fill_holes, label

from trainer.data.formats.decoded import Header, Slice
from trainer.data.masks.reading import ScannedMasks, full_meaning
from trainer.data.masks.rule import MaskRule
from trainer.data.masks.values import MaskValues
from trainer.results import OBJECT

LARGE_AREA = 0.60  # of the image: a median object beyond it is rather the background
SMALL_AREA = 0.30  # of the image: where the median object is smaller, one beyond the above is out of line
BORDER = 0.5  # of the image's border: an object on more of it, too
HOLLOW = 1.5  # times its area: an object that filling makes so much larger is an outline
HOLES = 3  # per object: more are a network of vessels, not an outline
SAMPLE = 16  # masks looked at in full size
BOX_SIDE = 6  # pixels at working size: smaller objects are rectangles by chance
FEWEST = 3  # images from which "all" and "most" mean something
DARK = 0.1  # the brightest pixel of the whole set, of 1
SIDES, SHAPES = 4.0, 3.0  # the largest over the smallest: long sides, and width over height
MOST = 0.5


def suspicions(
    scanned: Sequence[ScannedMasks], rule: MaskRule, masks: NDArray[np.uint8], brightest: float
) -> tuple[str, ...]:
    """One sentence for everything odd about the images and masks of a set.

    `masks` uint8 (n, size, size) as merged; `brightest`: the brightest pixel of all images, 0 to 1.
    """
    marked = masks[(masks == OBJECT).any(axis=(1, 2))] == OBJECT
    areas = list(odd_areas(marked, inverted=rule.invert))
    found = [
        *areas,
        *(() if rule.fill or areas else outlines(scanned, rule)),  # the background has holes, too: the objects
        *alike(marked),
        *boxes(marked),
        *dark(brightest),
        *unlike_sides([masks.image for masks in scanned]),
    ]
    return tuple(f"Look at this: {sentence}" for sentence in found)


def odd_areas(marked: NDArray[np.bool_], *, inverted: bool) -> Iterator[str]:
    """Masks that look inverted: (n, size, size), with something marked in each."""
    if not len(marked):
        return
    area = float(np.median(marked.mean(axis=(1, 2))))
    edge = np.ones(marked.shape[1:], bool)
    edge[1:-1, 1:-1] = False
    on_border = float((marked[:, edge].mean(axis=1) > BORDER).mean())
    remedy = "leave out data.invert" if inverted else "set data.invert=true"
    covering = int((marked.mean(axis=(1, 2)) > LARGE_AREA).sum())
    if covering and area < SMALL_AREA:
        yield (
            f"{covering} of {len(marked)} masks cover more than {LARGE_AREA:.0%} of their image, unlike the others "
            f"({area:.0%} in the median): are these inverted?"
        )
    if area > LARGE_AREA:
        yield f"the object covers most of the image ({area:.0%} in the median): if the masks are inverted, {remedy}."
    elif on_border > MOST:
        yield (
            f"the object covers most of the image's border in {on_border:.0%} of the masks: if they are inverted, "
            f"{remedy}."
        )


def outlines(scanned: Sequence[ScannedMasks], rule: MaskRule) -> Iterator[str]:
    """Masks that are closed outlines, judged in full size on a few of them spread over the set."""
    files = [(file, masks.pair.slice) for masks in scanned for file in masks.files]
    chosen = sorted({round(place) for place in np.linspace(0, len(files) - 1, min(SAMPLE, len(files)))})
    looked_at = [is_hollow(file, slice, rule) for file, slice in (files[index] for index in chosen)]
    judged = [hollow for hollow in looked_at if hollow is not None]
    if judged and sum(judged) > MOST * len(judged):
        yield (
            f"{sum(judged)} of {len(judged)} masks looked at are hollow, as outlines are: if what they enclose is the "
            "object, set data.fill=true."
        )


def is_hollow(file: MaskValues, slice: Slice | None, rule: MaskRule) -> bool | None:
    """Whether a mask is an outline: filled, it is much larger, and it has few holes. None for an empty mask."""
    marked = full_meaning(file, rule, slice) == OBJECT
    if not marked.any():
        return None
    closed = binary_fill_holes(marked)
    objects, holes = label(closed)[1], label(closed & ~marked)[1]
    return bool(closed.sum() > HOLLOW * marked.sum() and holes <= HOLES * objects)


def alike(marked: NDArray[np.bool_]) -> Iterator[str]:
    """Masks that are one and the same throughout, such as a field of view."""
    if len(marked) >= FEWEST and (marked == marked[0]).all():
        yield f"all {len(marked)} masks are the same: are these a field of view, and the truth lies elsewhere?"


def boxes(marked: NDArray[np.bool_]) -> Iterator[str]:
    """Masks that are one upright rectangle: boxes of a detection, not outlines."""
    rectangles = sum(is_box(mask) for mask in marked)
    if len(marked) >= FEWEST and rectangles > MOST * len(marked):
        yield f"{rectangles} of {len(marked)} masks are one rectangle: are these boxes instead of outlines?"


def is_box(mask: NDArray[np.bool_]) -> bool:
    """Whether a mask (size, size) is one filled upright rectangle, large enough not to be so by chance."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    height, width = int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1
    return min(height, width) >= BOX_SIDE and int(mask.sum()) == height * width < mask.size


def dark(brightest: float) -> Iterator[str]:
    """Images that are nearly black, such as 12 bits read as 16."""
    if brightest < DARK:
        yield f"the brightest pixel of all images is {brightest:.3f} of 1: they are nearly black. Is their range right?"


def unlike_sides(headers: Sequence[Header]) -> Iterator[str]:
    """Images of very different sizes or shapes: all become one square."""
    if not headers:
        return
    sides = [max(header.width, header.height) for header in headers]
    shapes = [header.width / header.height for header in headers]
    if max(sides) > SIDES * min(sides):
        yield f"the images are of very different sizes (long sides {min(sides)} to {max(sides)} pixels)."
    if max(shapes) > SHAPES * min(shapes):
        yield (
            f"the images are of very different shapes (width over height {min(shapes):.2f} to {max(shapes):.2f}), and "
            "each is squeezed to a square."
        )

"""The values that a mask file holds, before anybody knows what they mean: greys, labels or colours, with their counts.

What they mean is decided over the whole set (`trainer.data.masks.rule`), never file by file.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter, minimum_filter

from trainer.data.formats.decode import decode
from trainer.data.formats.decoded import Decoded, Header, Slice
from trainer.errors import UserError

Kind = Literal["grey", "labels", "colours"]

ASPECT_TOLERANCE = 0.01
# A mask has a few values and edges between them; a file that is mostly grey, in many shades, is a photograph.
GREY_SHARE, GREY_LEVELS = 0.25, 16
FLAT = 0.5  # share of surrounded pixels from which shades are areas, such as those of numbered cells
# Chroma that JPEG leaves on a grey mask that was saved in colour.
GREY_CHROMA, GREY_BRIGHT = 24, 64
SIXTEEN_BIT = 65535
SHORT = {3.0: 2, 15.0: 4}  # bits by the value that is white
LARGEST_LABEL = 2**31 - 1  # what an image of 32 bits holds when it is resized
JPEG_REACH, NEAR_LEVEL = 9, 0.12  # pixels that noise lies from its edge, either way; share of the brightest value
# The first entries of PASCAL VOC's palette, by which it is known: its 255 is "void" (Everingham et al., 2010).
VOC_PALETTE = ((0, 0, 0), (128, 0, 0), (0, 128, 0), (128, 128, 0), (0, 0, 128), (128, 0, 128), (0, 128, 128))


@dataclass(frozen=True, eq=False)
class MaskValues:
    """What one mask file holds: every value in it, rising, with how often it occurs. Colours are 0xRRGGBB.

    `flat` counts the pixels that are surrounded by their own value: an area of a label is flat, a soft edge is not.
    `sloped` counts those with a lower and a higher value beside them, or near them in a lossy file: a soft edge is
    sloped, a thin label is not.
    `lossy`: the format does not keep values exactly. `voc`: labels under PASCAL VOC's palette. `short`: the bits of a
    value, where the file stores greys of 2 or 4; else 0.
    """

    path: Path
    kind: Kind
    values: NDArray[Any]
    counts: NDArray[np.int64]
    flat: NDArray[np.int64]
    sloped: NDArray[np.int64]
    lossy: bool = False
    voc: bool = False
    short: int = 0


def read_mask(path: Path, slice: Slice | None = None) -> tuple[MaskValues, NDArray[Any]]:
    """What a mask file holds, and its pixels (height, width). Raises `UserError` for what is no image or no mask.

    `slice`: which image of a file with several.
    """
    image = decode(path, slice)
    kind, pixels, voc = values_of(image)
    mask = mask_values(path, kind, pixels, lossy=image.lossy, voc=voc)
    short = SHORT.get(image.limits[1], 0) if image.limits and image.mode == "L" else 0
    return replace(mask, short=short), pixels


def mask_values(path: Path, kind: Kind, pixels: NDArray[Any], *, lossy: bool = False, voc: bool = False) -> MaskValues:
    """Count the values of `pixels` (height, width). Raises `UserError` for values below 0 and for those that are none,
    and for a photograph.
    """
    values, counts = counted(pixels)
    if not np.isfinite(values).all():
        raise UserError(f"A mask holds numbers, but {path} holds some that are none (NaN or infinite). Save it again.")
    if values[-1] > LARGEST_LABEL:
        raise UserError(
            f"A mask holds values up to {LARGEST_LABEL:,}, but {path} holds {values[-1]:.0f}. Save it as 8 or 16 bits."
        )
    if values[0] < 0:
        raise UserError(f"A mask holds values from 0 on, but {path} holds {values[0]:g}. Save its labels as 0, 1, ...")
    flat, sloped = counts.copy(), np.zeros(len(values), np.int64)  # of two values none is the edge of the other
    if len(values) > 2:
        lower, higher = minimum_filter(pixels, 3), maximum_filter(pixels, 3)
        flat = counted_as(values, pixels[lower == higher])
        on_slope = near_an_edge(pixels) if lossy else (lower < pixels) & (pixels < higher)
        sloped = counted_as(values, pixels[on_slope])
    mask = MaskValues(path, kind, values, counts, flat, sloped, lossy, voc)
    if kind == "grey":
        check_no_photograph(mask)
    return mask


def counted(pixels: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Every value, rising, and how often it occurs."""
    if pixels.size and pixels.dtype.kind in "iu" and pixels.min() >= 0 and pixels.max() <= SIXTEEN_BIT:
        counts = np.bincount(pixels.ravel())  # many times as fast as sorting
        values = np.flatnonzero(counts)
        return values, counts[values].astype(np.int64)
    values, counts = np.unique(pixels, return_counts=True)
    return values, counts.astype(np.int64)


def near_an_edge(pixels: NDArray[Any]) -> NDArray[np.bool_]:
    """(height, width): where both black and the brightest value are near. JPEG's noise has hills of its own, so that
    the next pixels alone tell nothing.
    """
    dark, bright = NEAR_LEVEL * float(pixels.max()), (1 - NEAR_LEVEL) * float(pixels.max())
    return np.asarray((minimum_filter(pixels, JPEG_REACH) <= dark) & (maximum_filter(pixels, JPEG_REACH) >= bright))


def counted_as(values: NDArray[Any], pixels: NDArray[Any]) -> NDArray[np.int64]:
    """How often each of `values` occurs in `pixels`, which hold no others."""
    counts = np.zeros(len(values), np.int64)
    present, numbers = counted(pixels)
    counts[np.searchsorted(values, present)] = numbers
    return counts


def values_of(image: Decoded) -> tuple[Kind, NDArray[Any], bool]:
    """The kind and the values of an image, and whether they are labels under VOC's palette."""
    if image.palette is not None:
        return values_of_palette(image.pixels, image.palette)
    pixels = image.labels
    if pixels.dtype == np.uint16 and pixels.ndim == 3:
        pixels = pixels >> 8
    if pixels.ndim == 3:
        return (*without_alpha(pixels.astype(np.int32)), False)
    if image.mode == "1":
        return "grey", pixels * np.uint8(255), False
    if pixels.dtype.kind == "f" or pixels.dtype == np.uint8:
        return "grey", pixels, False
    return "grey", eight_bit_white(pixels.astype(np.int64 if pixels.dtype.itemsize >= 4 else np.int32)), False


def values_of_palette(indices: NDArray[Any], palette: NDArray[np.uint8]) -> tuple[Kind, NDArray[Any], bool]:
    """Labels where the indices are what is meant, else the greys or colours of the palette."""
    if is_voc(palette):
        return "labels", indices, True
    used = np.unique(indices)
    if len(np.unique(palette[used], axis=0)) < len(used):  # a palette that tells nothing apart, such as one of zeros
        return "labels", indices, False
    return (*without_alpha(palette[indices].astype(np.int32)), False)


def eight_bit_white(pixels: NDArray[Any]) -> NDArray[Any]:
    """16 bits that are only black and white as 8 bits: programs mix the two within one set."""
    black_and_white = pixels.max(initial=0) == SIXTEEN_BIT and ((pixels == 0) | (pixels == SIXTEEN_BIT)).all()
    return pixels // (SIXTEEN_BIT // 255) if black_and_white else pixels


def is_voc(palette: NDArray[np.uint8]) -> bool:
    """Whether a palette is PASCAL VOC's, cut short or not: labels go by index there, whatever their colours."""
    colours = palette[:, :3]
    entries = int(np.flatnonzero(colours.any(axis=1)).max(initial=0)) + 1  # behind the end all are black
    compared = min(entries, len(VOC_PALETTE))
    return entries >= 2 and bool((colours[:compared] == VOC_PALETTE[:compared]).all())


def without_alpha(pixels: NDArray[np.int32]) -> tuple[Kind, NDArray[Any]]:
    """Grey or colours (height, width, 2 to 4), opacity last if there is one, without it: the transparent is background.

    Where all pixels have one colour, the mask is in the transparency alone, as some programs save it.
    """
    channels = pixels.shape[2]
    inks, alpha = (pixels, None) if channels == 3 else (pixels[..., :-1], pixels[..., -1])
    colour = np.repeat(inks, 3, axis=2) if inks.shape[2] == 1 else inks
    if alpha is None or np.ptp(alpha) == 0:
        return grey_or_colours(colour)
    if not np.ptp(inks, axis=(0, 1)).any():
        return "grey", alpha
    return grey_or_colours((colour * alpha[..., None] + 127) // 255)


def grey_or_colours(pixels: NDArray[np.int32]) -> tuple[Kind, NDArray[Any]]:
    """Red, green, blue (height, width, 3) as greys where they are greys, else as 0xRRGGBB."""
    chroma = int((pixels.max(axis=2) - pixels.min(axis=2)).max(initial=0))
    if chroma == 0:
        return "grey", pixels[..., 0]
    if chroma <= GREY_CHROMA and pixels.max() >= GREY_BRIGHT:  # JPEG stores colour apart, and not exactly
        return "grey", np.rint(pixels @ np.array([0.299, 0.587, 0.114])).astype(np.int32)
    return "colours", pixels[..., 0] << 16 | pixels[..., 1] << 8 | pixels[..., 2]


def check_no_photograph(mask: MaskValues) -> None:
    """Raise `UserError` for a mask that is a photograph: over a quarter grey, in many shades that are not areas."""
    top = max(float(mask.values[-1]), 255)
    between = (mask.values > 0.1 * top) & (mask.values < 0.9 * top)
    shades, pixels = np.count_nonzero(between), int(mask.counts[between].sum())
    if pixels > GREY_SHARE * mask.counts.sum() and shades > GREY_LEVELS and mask.flat[between].sum() < FLAT * pixels:
        raise UserError(
            f"A mask is white in the object and black elsewhere, but {mask.path} is grey in "
            f"{pixels / mask.counts.sum():.0%} of its area ({shades} shades): it looks like an image, not like a mask. "
            "Put the mask in its place."
        )


def check_aspect(image: Path, of_image: Header, mask: Path, of_mask: Header) -> None:
    """Raise `UserError` when the two aspect ratios differ by more than 1 %."""
    ratio = (of_image.width * of_mask.height) / (of_image.height * of_mask.width)
    if abs(ratio - 1) > ASPECT_TOLERANCE:
        raise UserError(
            f"An image and its mask must have the same aspect ratio (within 1 %), but {image} is {of_image.size} and "
            f"its mask {mask} is {of_mask.size}. Export the mask at the image's size, or move both out of the folder."
        )

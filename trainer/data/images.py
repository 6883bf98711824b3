"""One image or mask from a file: any common format and colour mode in, grey [0, 1] or binary out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from trainer.data.formats import jsrt
from trainer.data.formats.decode import decode, header
from trainer.data.formats.decoded import Header, Slice
from trainer.data.intensity import IntensityRule, grey_of
from trainer.errors import UserError

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", jsrt.SUFFIX)
ASPECT_TOLERANCE = 0.01
MASK_THRESHOLD = 127 / 255
# A mask is black and white but for its edges; a file that is mostly grey, in many shades, is a photograph.
GREY_SHARE, GREY_LEVELS = 0.25, 16
SIXTEEN_BIT = 65535
PLAIN_RULE = IntensityRule("file")


@dataclass(frozen=True)
class MergedMask:
    """A merged mask: `pixels` uint8 (size, size) of {0, 1}, and what was done or noticed while reading it.

    `resized`: a file had another size than its image (same shape). `empty`: nothing was marked at full size.
    `vanished`: something was marked, but it is too small for the working size; such a mask is not `empty`. `faint`: the
    mask is not black, yet no pixel is above the threshold.
    """

    pixels: NDArray[np.uint8]
    resized: bool
    empty: bool
    vanished: bool
    faint: bool


def read_image(
    path: Path, size: int, slice: Slice | None = None, rule: IntensityRule = PLAIN_RULE
) -> NDArray[np.float32]:
    """Grey float32 (size, size) in [0, 1], shrunk with anti-aliased linear interpolation, squeezed when not square."""
    grey = Image.fromarray(read_grey(path, slice, rule))
    # Pillow widens the linear kernel when it shrinks: that is the anti-aliasing.
    return np.clip(np.asarray(grey.resize((size, size), Image.Resampling.BILINEAR), np.float32), 0, 1)


def read_grey(path: Path, slice: Slice | None = None, rule: IntensityRule = PLAIN_RULE) -> NDArray[np.float32]:
    """Grey float32 (height, width) in [0, 1], as viewers show it: colour by luminance, black and white by `rule`."""
    return grey_of(decode(path, slice), rule, path)


def read_masks(paths: tuple[Path, ...], image: Path, size: int) -> MergedMask:
    """The masks of one image merged by OR, each thresholded and then resized by nearest neighbour.

    Raises `UserError` when a file is no image or no mask, or when its aspect ratio is not its image's.
    """
    expected = header(image)
    merged = np.zeros((size, size), np.uint8)
    resized, marked, faint = False, False, False
    for path in paths:
        check_aspect(image, expected, path, header(path))
        grey = read_grey(path)
        check_black_and_white(path, grey)
        full = binary(grey)
        resized |= full.shape != (expected.height, expected.width)
        marked |= bool(full.any())
        faint |= bool(grey.max() > 0 and not full.any())
        small = Image.fromarray(full).resize((size, size), Image.Resampling.NEAREST)
        merged |= np.asarray(small, np.uint8)
    return MergedMask(
        merged, resized, empty=not marked, vanished=marked and not merged.any(), faint=faint and not marked
    )


def binary(grey: NDArray[np.float32]) -> NDArray[np.uint8]:
    """1 where the mask is above 127 of 255, else 0; a mask whose largest value is 1 of 255 holds labels 0 and 1.

    >>> binary(np.array([[0, 127 / 255, 128 / 255]], np.float32))
    array([[0, 0, 1]], dtype=uint8)
    >>> binary(np.array([[0, 1 / 255]], np.float32))
    array([[0, 1]], dtype=uint8)
    """
    largest = float(grey.max(initial=0.0))
    labels = any(np.isclose(largest, 1 / top, rtol=1e-4) for top in (255, SIXTEEN_BIT))
    threshold = largest / 2 if labels else MASK_THRESHOLD + 1e-6
    return (grey > threshold).astype(np.uint8)


def check_aspect(image: Path, of_image: Header, mask: Path, of_mask: Header) -> None:
    """Raise `UserError` when the two aspect ratios differ by more than 1 %."""
    ratio = (of_image.width * of_mask.height) / (of_image.height * of_mask.width)
    if abs(ratio - 1) > ASPECT_TOLERANCE:
        raise UserError(
            f"An image and its mask must have the same aspect ratio (within 1 %), but {image} is {of_image.size} and "
            f"its mask {mask} is {of_mask.size}. Export the mask at the image's size, or move both out of the folder."
        )


def check_black_and_white(path: Path, grey: NDArray[np.float32]) -> None:
    """Raise `UserError` for a mask that is a photograph: over a quarter grey, in more shades than labels have."""
    between = grey[(grey > 0.1) & (grey < 0.9)]
    if between.size > GREY_SHARE * grey.size and len(np.unique(between)) > GREY_LEVELS:
        raise UserError(
            f"A mask is white in the object and black elsewhere, but {path} is grey in {between.size / grey.size:.0%} "
            f"of its area ({len(np.unique(between))} shades): it looks like an image, not like a mask. "
            "Put the mask in its place."
        )

"""One image from a file: any common format and colour mode in, grey or colours in [0, 1] out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from trainer.data.formats.decode import decode
from trainer.data.formats.decoded import Slice
from trainer.data.intensity import IntensityRule, colours_of, grey_of

PLAIN_RULE = IntensityRule("file")


def read_image(
    path: Path, size: int, slice: Slice | None = None, rule: IntensityRule = PLAIN_RULE
) -> NDArray[np.float32]:
    """Grey float32 (size, size) in [0, 1], shrunk with anti-aliased linear interpolation, squeezed when not square."""
    return read_spaced(path, size, slice, rule)[0]


def read_spaced(
    path: Path, size: int, slice: Slice | None = None, rule: IntensityRule = PLAIN_RULE, *, colour: bool = False
) -> tuple[NDArray[np.float32], tuple[float, float]]:
    """The same image, and mm from row to row and from column to column at this size; NaN where the file has none.

    `colour`: the image is float32 (size, size, 3) instead, red, green and blue.
    """
    decoded = decode(path, slice)
    image = (colours_of if colour else grey_of)(decoded, rule, path)
    height, width = image.shape[:2]
    rows, columns = decoded.spacing or (np.nan, np.nan)
    return resized(image, (size, size)), (rows * height / size, columns * width / size)


def resized(image: NDArray[np.float32], sides: tuple[int, int]) -> NDArray[np.float32]:
    """An image (H, W) or (H, W, 3) in [0, 1] at `sides`, height and width; each channel by itself.

    Pillow widens the linear kernel when it shrinks: that is the anti-aliasing.
    """
    if image.ndim == 3:
        return np.stack([resized(np.ascontiguousarray(channel), sides) for channel in np.moveaxis(image, 2, 0)], axis=2)
    small = Image.fromarray(image).resize(sides[::-1], Image.Resampling.BILINEAR)
    return np.clip(np.asarray(small, np.float32), 0, 1)


def read_grey(path: Path, slice: Slice | None = None, rule: IntensityRule = PLAIN_RULE) -> NDArray[np.float32]:
    """Grey float32 (height, width) in [0, 1], as viewers show it: colour by luminance, black and white by `rule`."""
    return grey_of(decode(path, slice), rule, path)

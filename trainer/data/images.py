"""One image from a file: any common format and colour mode in, grey [0, 1] out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from trainer.data.formats.decode import decode
from trainer.data.formats.decoded import Slice
from trainer.data.intensity import IntensityRule, grey_of

PLAIN_RULE = IntensityRule("file")


def read_image(
    path: Path, size: int, slice: Slice | None = None, rule: IntensityRule = PLAIN_RULE
) -> NDArray[np.float32]:
    """Grey float32 (size, size) in [0, 1], shrunk with anti-aliased linear interpolation, squeezed when not square."""
    return read_spaced(path, size, slice, rule)[0]


def read_spaced(
    path: Path, size: int, slice: Slice | None = None, rule: IntensityRule = PLAIN_RULE
) -> tuple[NDArray[np.float32], tuple[float, float]]:
    """The same image, and mm from row to row and from column to column at this size; NaN where the file has none."""
    decoded = decode(path, slice)
    grey = Image.fromarray(grey_of(decoded, rule, path))
    # Pillow widens the linear kernel when it shrinks: that is the anti-aliasing.
    small = np.clip(np.asarray(grey.resize((size, size), Image.Resampling.BILINEAR), np.float32), 0, 1)
    rows, columns = decoded.spacing or (np.nan, np.nan)
    return small, (rows * grey.height / size, columns * grey.width / size)


def read_grey(path: Path, slice: Slice | None = None, rule: IntensityRule = PLAIN_RULE) -> NDArray[np.float32]:
    """Grey float32 (height, width) in [0, 1], as viewers show it: colour by luminance, black and white by `rule`."""
    return grey_of(decode(path, slice), rule, path)

"""PNG files of kinds that Pillow does not write."""

from __future__ import annotations

import zlib
from struct import pack
from typing import Any

import numpy as np
from numpy.typing import NDArray

COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}  # by the number of channels


def png_of(pixels: NDArray[Any], bits: int = 16) -> bytes:
    """A PNG of (height, width) or (height, width, channels) samples of so many bits each."""
    height, width, channels = pixels.shape if pixels.ndim == 3 else (*pixels.shape, 1)
    shifts = np.arange(bits - 1, -1, -1)
    bits_of_rows = (pixels.reshape(height, -1, 1).astype(int) >> shifts & 1).reshape(height, -1)
    rows = np.pad(np.packbits(bits_of_rows.astype(np.uint8), axis=1), ((0, 0), (1, 0)))  # filter 0 before each row
    header = pack(">IIBBBBB", width, height, bits, COLOUR_TYPES[channels], 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes())), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        pack(">I", len(data)) + kind + data + pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )

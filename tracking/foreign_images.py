"""Images out of the record, which somebody else may have written: only PNG is decoded, and never one of any size."""

from __future__ import annotations

import io

from PIL import Image

MOST_PIXELS = 2**25  # 33 million: a montage of six images of 2,000 pixels


def open_png(content: bytes) -> Image.Image:
    """An image whose head was read and whose pixels are not decoded yet. Raises `ValueError` for anything but a PNG of
    at most `MOST_PIXELS`.
    """
    try:
        image = Image.open(io.BytesIO(content), formats=["PNG"])
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ValueError(f"it is no PNG image ({error})") from error
    if image.width * image.height > MOST_PIXELS:
        raise ValueError(f"it has {image.width:,} x {image.height:,} pixels, and at most {MOST_PIXELS:,} are decoded")
    return image


def is_png(content: bytes) -> bool:
    """Whether this is a PNG image that may be decoded, whole or not."""
    try:
        open_png(content)
    except ValueError:
        return False
    return True

"""Grey and colour images in arrays: how many channels images have is what their array's shape says, nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

GREY, RGB = 1, 3  # channels
LUMA = (0.299, 0.587, 0.114)  # ITU-R 601, as Pillow weighs 8-bit colours


def with_channels(images: NDArray[np.float32]) -> NDArray[np.float32]:
    """Images (n, H, W, channels), as networks read them; grey ones (n, H, W) have one.

    >>> with_channels(np.zeros((2, 4, 4), np.float32)).shape, with_channels(np.zeros((2, 4, 4, 3), np.float32)).shape
    ((2, 4, 4, 1), (2, 4, 4, 3))
    """
    return images[..., None] if images.ndim == 3 else images


def in_channels(images: NDArray[np.float32], channels: int) -> NDArray[np.float32]:
    """Images (n, H, W, channels) for a network that reads so many; grey ones are repeated.

    Raises `ValueError` for colours where one channel is read.
    """
    own = with_channels(images)
    if own.shape[-1] not in (GREY, channels):
        raise ValueError(f"images of {own.shape[-1]} channels do not fit a network that reads {channels}")
    return own if own.shape[-1] == channels else np.repeat(own, channels, axis=-1)


def luminance(colours: NDArray[Any]) -> NDArray[np.float32]:
    """Red, green and blue (..., 3) as grey (...), in the same units; equal channels give exactly their value."""
    grey = np.asarray(colours, np.float32) @ np.array(LUMA, np.float32)
    # The weights add up to 1 but for rounding.
    return np.asarray(np.clip(grey, colours.min(axis=-1), colours.max(axis=-1)), np.float32)


def as_grey(images: NDArray[np.float32]) -> NDArray[np.float32]:
    """Images (n, H, W) for figures and comparisons: grey ones as they are, colours by their luminance."""
    return images if images.ndim == 3 else luminance(images)

"""One image as its file holds it: plain arrays, turned as viewers show them, with what the file says about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

UPRIGHT = 1  # EXIF's number for "as stored"
SIDEWAYS = (5, 6, 7, 8)  # the orientations that swap the sides
Number = TypeVar("Number", bound=np.generic)


@dataclass(frozen=True, order=True)
class Slice:
    """Which image of a file with several: `number` from 0 along the `axis` (0 sideways, 1 front to back, 2 upwards).

    The frames of a DICOM file lie along the last axis.
    """

    number: int
    axis: int = 2


@dataclass(frozen=True)
class Header:
    """What a file states before its pixels are decoded: sides in pixels as shown, and the mode as Pillow names it.

    `stated`: whether the format itself says which values are black and white. Where it does not (16 bits, of which 12
    may be used), only the whole set can tell (`trainer.data.intensity`).
    """

    mode: str
    width: int
    height: int
    stated: bool = True

    @property
    def size(self) -> str:
        """Width x height, as people write it: `500x471`."""
        return f"{self.width}x{self.height}"


@dataclass(frozen=True, eq=False)
class Decoded:
    """The pixels of one image.

    `pixels`: (height, width) values of any number type, or (height, width, channels) uint8 or uint16: 2 channels are
    grey and opacity, 3 are red, green and blue, 4 those and opacity. `palette` uint8 (k, 3 or 4): the colours that
    `pixels` are numbers of; None where `pixels` are values. `limits`: the values that are black and white where the
    file's format says so, else None; `measured`: another range of `pixels` may be shown as well. `inverted`: the lowest
    value is shown white (TIFF's MinIsWhite, DICOM's MONOCHROME1), which `pixels` are not yet turned for. `orientation`:
    EXIF's number, 1 to 8, by which the stored pixels were turned. `spacing`: mm from row to row and from column to
    column, None where unknown. `lossy`: the format does not keep values exactly.
    """

    pixels: NDArray[Any]
    mode: str
    palette: NDArray[np.uint8] | None = None
    limits: tuple[float, float] | None = None
    measured: bool = False
    inverted: bool = False
    orientation: int = UPRIGHT
    spacing: tuple[float, float] | None = None
    lossy: bool = False

    @property
    def labels(self) -> NDArray[Any]:
        """`pixels` as what they mark: turned where the lowest value is white, so that black is the lowest."""
        if not self.inverted:
            return self.pixels
        if self.limits:
            return np.clip(self.limits[1] - self.pixels, 0, None).astype(self.pixels.dtype)
        top = np.iinfo(self.pixels.dtype).max if np.issubdtype(self.pixels.dtype, np.integer) else self.pixels.max()
        return np.asarray(top - self.pixels)

    @property
    def colours(self) -> NDArray[Any]:
        """`pixels` with numbers of a palette replaced by its colours."""
        return self.pixels if self.palette is None else self.palette[self.pixels]


def as_shown(stored: NDArray[Number], orientation: int) -> NDArray[Number]:
    """An array (height, width, ...) turned as a viewer shows it. `orientation`: EXIF 2.3, tag 0x0112.

    >>> as_shown(np.array([[1, 2, 3]]), 6)
    array([[1],
           [2],
           [3]])
    """
    turned = {
        2: stored[:, ::-1],
        3: stored[::-1, ::-1],
        4: stored[::-1],
        5: stored.swapaxes(0, 1),
        6: np.rot90(stored, -1),
        7: stored[::-1, ::-1].swapaxes(0, 1),
        8: np.rot90(stored),
    }
    return np.ascontiguousarray(turned.get(orientation, stored))


def as_stored(shown: NDArray[Number], orientation: int) -> NDArray[Number]:
    """The inverse of `as_shown`.

    >>> as_stored(np.array([[1], [2], [3]]), 6)
    array([[1, 2, 3]])
    """
    return as_shown(shown, {6: 8, 8: 6}.get(orientation, orientation))

"""TIFF of kinds that Pillow does not open: floats of 16 or 64 bits, MinIsWhite with the high byte first, planes."""

from __future__ import annotations

import logging
import struct
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from trainer.data.formats.decoded import SIDEWAYS, UPRIGHT, Decoded, Header, as_shown
from trainer.errors import UserError

if TYPE_CHECKING:
    from tifffile import TiffPage

SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
ORIENTATION = 274
# What tifffile, which checks little before it calculates, raises on damaged bytes; its own error is a ValueError.
DAMAGED = (
    *(OSError, ValueError, IndexError, KeyError, TypeError, AttributeError, OverflowError, MemoryError),
    *(ZeroDivisionError, AssertionError, RuntimeError, struct.error, zlib.error),
)
LARGEST = 2**28  # pixels; a damaged header asks for more
GREY, COLOURS = ("MINISWHITE", "MINISBLACK"), ("RGB",)


def is_tiff(path: Path) -> bool:
    """Whether a file begins as a TIFF does."""
    with path.open("rb") as file:
        return file.read(4) in SIGNATURES


def header(path: Path) -> Header:
    """Kind and sides of a file. Raises `UserError` for a kind that has no grey."""
    with page_of(path) as page:
        height, width = page.imagelength, page.imagewidth
        if orientation_of(page, path) in SIDEWAYS:
            width, height = height, width
        return Header(kind_of(page), width, height, stated=page.dtype in (np.uint8, bool))


def decode(path: Path) -> Decoded:
    """The pixels of a file. Raises `UserError` for damage, several pages and kinds that have no grey."""
    with page_of(path) as page:
        pixels = values_of(page, path)
        orientation = orientation_of(page, path)
        return Decoded(
            as_shown(pixels, orientation),
            kind_of(page),
            limits=(0, 255) if pixels.dtype == np.uint8 else None,
            inverted=photometric_of(page) == "MINISWHITE",
            orientation=orientation,
        )


def values_of(page: TiffPage, path: Path) -> NDArray[Any]:
    """The values of a page, (height, width) or (height, width, channels)."""
    if page.imagelength * page.imagewidth > LARGEST:
        raise unreadable(path, page)
    with damage_said(path, page):
        values = np.asarray(page.asarray())
    if page.planarconfig == 2 and values.ndim == 3:  # a plane for each channel
        values = np.moveaxis(values, 0, -1)
    if values.ndim != 2 and not (values.ndim == 3 and values.shape[2] in (3, 4) and values.dtype != bool):
        raise unreadable(path, page)
    if values.dtype == bool:
        return values.astype(np.uint8) * np.uint8(255)
    return values.astype(np.float32) if np.issubdtype(values.dtype, np.floating) else values


@contextmanager
def page_of(path: Path) -> Iterator[TiffPage]:
    """The only page of a file."""
    import tifffile

    tifffile.logger().setLevel(logging.CRITICAL)  # what it would print is said in the error
    with ExitStack() as stack:
        with damage_said(path):
            file = stack.enter_context(tifffile.TiffFile(path))
            count, page = len(file.pages), file.pages.first
        if count != 1:
            raise UserError(f"A file must hold one image, but {path} holds {count}. Save each as a file of its own.")
        if photometric_of(page) not in (*GREY, *COLOURS) or page.dtype is None or page.dtype == np.int8:
            raise unreadable(path, page)
        if not (isinstance(page.imagewidth, int) and isinstance(page.imagelength, int)):
            raise unreadable(path, page)
        yield page


@contextmanager
def damage_said(path: Path, page: TiffPage | None = None) -> Iterator[None]:
    """Turn what tifffile raises into a `UserError`. Nothing but its own calls stands in the block."""
    try:
        yield
    except DAMAGED as error:
        raise (
            unreadable(path, page)
            if page is not None
            else UserError(
                f"Every image file must be whole, but {path} is truncated or damaged ({error}). "
                "Copy or download it again, or move it and its mask out of the folder."
            )
        ) from error


def orientation_of(page: TiffPage, path: Path) -> int:
    """EXIF's number; 1 where there is none."""
    with damage_said(path, page):
        tag = page.tags.get(ORIENTATION)
        number = UPRIGHT if tag is None else tag.value
    return int(number) if number in range(1, 9) else UPRIGHT


def kind_of(page: TiffPage) -> str:
    """What the values are, such as `float64 MINISBLACK`."""
    return f"{page.dtype} {photometric_of(page)}"


def photometric_of(page: TiffPage) -> str:
    """What TIFF says that the values mean, such as `MINISWHITE`."""
    return str(getattr(page.photometric, "name", page.photometric))


def unreadable(path: Path, page: TiffPage) -> UserError:
    """The error for a kind of TIFF that is not read."""
    compression = getattr(page.compression, "name", page.compression)
    return UserError(
        f"TIFF files of many kinds are read, but not {path}: {kind_of(page)} of {page.samplesperpixel} x "
        f"{page.bitspersample} bits, compression {compression}, or damaged. Save it as 8 or 16 bit grey or as RGB."
    )

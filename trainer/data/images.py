"""One image or mask from a file: any common format and colour mode in, grey [0, 1] or binary out."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from trainer.data import jsrt
from trainer.errors import UserError

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", jsrt.SUFFIX)
ASPECT_TOLERANCE = 0.01
MASK_THRESHOLD = 127 / 255
# A mask is black and white but for its edges; a file that is mostly grey, in many shades, is a photograph.
GREY_SHARE, GREY_LEVELS = 0.25, 16
SIXTEEN_BIT = 65535
# What Pillow's decoders raise on damaged bytes besides OSError; a bug of ours would be another type.
DAMAGED = (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error, Image.DecompressionBombError)


@dataclass(frozen=True)
class Header:
    """What a file states before its pixels are decoded: sides in pixels and the mode as Pillow names it."""

    mode: str
    width: int
    height: int

    @property
    def size(self) -> str:
        """Width x height, as people write it: `500x471`."""
        return f"{self.width}x{self.height}"


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


def header(path: Path) -> Header:
    """Mode and sides of one image file, without decoding it. Raises `UserError` if it is not an image."""
    if is_raw(path):
        with readable(path):
            jsrt.check_length(path)
        return Header("12-bit raw", jsrt.SIDE, jsrt.SIDE)
    with opened(path) as image:
        return Header(image.mode, image.width, image.height)


def read_image(path: Path, size: int) -> NDArray[np.float32]:
    """Grey float32 (size, size) in [0, 1], shrunk with anti-aliased linear interpolation, squeezed when not square."""
    grey = Image.fromarray(read_grey(path))
    # Pillow widens the linear kernel when it shrinks: that is the anti-aliasing.
    return np.clip(np.asarray(grey.resize((size, size), Image.Resampling.BILINEAR), np.float32), 0, 1)


def read_grey(path: Path) -> NDArray[np.float32]:
    """Grey float32 (height, width) in [0, 1]: 8 bit / 255, 16 bit / 65535, colour by luminance, alpha ignored."""
    if is_raw(path):
        with readable(path):
            return jsrt.read_raw(path)
    with opened(path) as image:
        return grey_of(image, path)


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


def is_raw(path: Path) -> bool:
    """Whether this is one of JSRT's raw files. Its name decides, because the file has no header."""
    return path.suffix.lower() == jsrt.SUFFIX


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn a file that may not be read, or is gone, into a `UserError` that names it."""
    try:
        yield
    except PermissionError as error:
        raise UserError(f"Every image file must be readable, but {path} may not be read. Allow it (chmod).") from error
    except FileNotFoundError as error:
        raise UserError(f"{path} was listed but is gone. Put it back, or run the command again.") from error


@contextmanager
def opened(path: Path) -> Iterator[Image.Image]:
    """Pillow's image of a file. Every kind of damage becomes a `UserError` that names the file."""
    try:
        with readable(path), Image.open(path) as image:
            yield image
    except UnidentifiedImageError as error:
        raise UserError(
            f"Every image file must hold an image, but {path} does not, whatever its name says{excerpt(path)}. "
            "Replace it by the real image or move it out of the folder."
        ) from error
    except DAMAGED as error:
        raise UserError(
            f"Every image file must be whole, but {path} is truncated or damaged ({error}). "
            "Copy or download it again, or move it and its mask out of the folder."
        ) from error


def excerpt(path: Path) -> str:
    """The beginning of a file that is no image, in brackets, if it is text or the file is empty; else ""."""
    start = path.read_bytes()[:40]
    if not start:
        return " (it is empty)"
    text = start.decode("utf-8", "replace")
    return f" (it begins with the text {text!r})" if text.isprintable() or text.isascii() else ""


def grey_of(image: Image.Image, path: Path) -> NDArray[np.float32]:
    """The first and only frame as grey float32 (height, width) in [0, 1]."""
    frames = getattr(image, "n_frames", 1)
    if frames > 1 and image.format != "MPO":  # a camera's MPO repeats its one image as a preview
        raise UserError(f"A file must hold one image, but {path} holds {frames}. Save each as a file of its own.")
    if image.mode.startswith("I"):
        return scaled(np.asarray(image, np.float32), SIXTEEN_BIT, path)
    if image.mode == "F":
        return scaled(np.asarray(image, np.float32), 1, path)
    # Through RGBA, because a palette with transparency has no direct way to grey.
    colours = image.convert("RGBA") if image.mode in ("P", "PA") else image
    if colours.mode in ("LA", "RGBA"):
        *inks, alpha = (np.asarray(band, np.float32) for band in colours.split())
        # One colour all over: the mask is in the transparency alone, as some programs save it.
        if all(np.ptp(ink) == 0 for ink in inks) and np.ptp(alpha) > 0:
            return alpha / np.float32(255)
    return np.asarray(colours.convert("L"), np.float32) / np.float32(255)


def scaled(values: NDArray[np.float32], top: int, path: Path) -> NDArray[np.float32]:
    """`values / top`, or a `UserError` when that leaves [0, 1]."""
    low, high = float(values.min()), float(values.max())
    if not 0 <= low <= high <= top:
        raise UserError(
            f"Values must lie in 0..{top} for an image of this kind, but {path} holds {low:g}..{high:g}. "
            "Save it as 8 or 16 bit grey."
        )
    return values / np.float32(top)

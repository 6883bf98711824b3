"""Image files read without thaw, by Pillow or tifffile and a few plain rules: what a mutated file holds."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from tests.fuzz.picture_files import png_is_whole

Floats = NDArray[np.floating[Any]]


def grey_of(path: Path) -> Floats | None:
    """Grey (height, width), 0 black and 1 white by the file's type, turned by EXIF; None for what must be refused."""
    try:
        return by_pillow(path)
    except (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error, Image.DecompressionBombError):
        return by_tifffile(path)


def by_pillow(path: Path) -> Floats | None:
    with path.open("rb") as file, Image.open(file) as image:
        if getattr(image, "n_frames", 1) > 1 and image.format != "MPO":
            return None
        tags: Any = getattr(image, "tag_v2", {})
        white_is_low = tags.get(262) == 0 and image.mode.startswith("I")
        strips, rows = tags.get(273), tags.get(278)
        if strips and rows and 324 not in tags and len(strips) * rows < tags.get(257, 0):
            return None  # Pillow would leave the rest black
        if image.format == "PNG" and not png_is_whole(path.read_bytes()):
            return None
        image.load()
        try:
            shown = ImageOps.exif_transpose(image)
        except (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error, KeyError, TypeError):
            shown = image
        grey = grey_of_mode(shown)
        return 1 - grey if white_is_low and grey is not None else grey


def grey_of_mode(image: Image.Image) -> Floats | None:
    if image.mode == "1":
        return np.asarray(image, np.float32)
    if image.mode.startswith("I"):
        return in_range(np.asarray(image, np.float32) / 65535)
    if image.mode == "F":
        return in_range(np.asarray(image, np.float32))
    if image.mode in ("LAB", "HSV"):
        return None
    if "A" in image.mode or "a" in image.mode or ("transparency" in image.info and image.mode == "P"):
        colours = np.asarray(image.convert("RGBA"))
        if not np.ptp(colours[..., :3], axis=(0, 1)).any() and np.ptp(colours[..., 3]):
            return colours[..., 3].astype(np.float32) / 255  # the image is in the opacity
    return np.asarray(image.convert("RGB").convert("L"), np.float32) / 255


def on_black(path: Path, grey: Floats) -> Floats:
    """The grey of a mask: what is transparent in it is background."""
    try:
        with path.open("rb") as file, Image.open(file) as image:
            if "A" not in image.mode or grey_of_mode(image) is None:
                return grey
            shown = ImageOps.exif_transpose(image).convert("RGBA")
    except (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error, KeyError, TypeError):
        return grey
    colours = np.asarray(shown, np.float32)
    if not np.ptp(colours[..., :3], axis=(0, 1)).any():
        return grey
    drawn = np.rint(colours[..., :3] * colours[..., 3:] / 255).astype(np.uint8)
    return np.asarray(Image.fromarray(drawn).convert("L"), np.float32) / 255


def by_tifffile(path: Path) -> Floats | None:
    """Kinds of TIFF that Pillow does not open."""
    import tifffile

    try:
        with tifffile.TiffFile(path) as file:
            if len(file.pages) != 1:
                return None
            page: Any = file.pages.first
            values = np.asarray(page.asarray())
            white_is_low = getattr(page.photometric, "name", "") == "MINISWHITE"
    except Exception:  # tifffile raises anything; what thaw reads then is counted as FAILED
        return None
    if values.ndim != 2:
        return None
    highest = {np.dtype(np.uint8): 255, np.dtype(bool): 1}.get(values.dtype, 1 if values.dtype.kind == "f" else 65535)
    grey = in_range(values.astype(np.float32) / highest)
    return 1 - grey if white_is_low and grey is not None else grey


def in_range(grey: Floats) -> Floats | None:
    """Values that a file's type allows; None where one lies beyond, so that black and white are not known."""
    return grey if np.isfinite(grey).all() and grey.min() >= 0 and grey.max() <= 1 else None

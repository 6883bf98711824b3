"""Many cases at a glance: small images with their masks outlined, on one sheet."""

from __future__ import annotations

import io
import math
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy.ndimage import binary_dilation, binary_erosion

from trainer.results import OBJECT

SIDE = 128
TILES = 40
COLUMNS = 8
CAPTION = 14


class NamedImages(Protocol):
    """What a contact sheet shows: images, masks and names, as `Cases` and `Survey` have them."""

    @property
    def images(self) -> NDArray[np.float32]: ...
    @property
    def masks(self) -> NDArray[np.uint8]: ...
    @property
    def names(self) -> tuple[str, ...]: ...


def contact_sheet(cases: NamedImages, tiles: int = TILES, side: int = SIDE) -> bytes:
    """A PNG with up to `tiles` cases spread evenly over the set, each `side` pixels wide, named, its mask outlined.

    The outline is white between black, so that it shows on any grey and in a black-and-white print.
    """
    n = len(cases.names)
    shown = sorted({round(index) for index in np.linspace(0, n - 1, min(tiles, n))}) if n else []
    columns = max(1, min(COLUMNS, len(shown)))
    rows = max(1, math.ceil(len(shown) / columns))
    sheet = Image.new("L", (columns * (side + 2), rows * (side + CAPTION + 2)), 255)
    draw = ImageDraw.Draw(sheet)
    for cell, case in enumerate(shown):
        left, top = cell % columns * (side + 2), cell // columns * (side + CAPTION + 2)
        sheet.paste(tile(cases.images[case], cases.masks[case], side), (left, top))
        caption = cases.names[case].rsplit("/", 1)[-1].encode("ascii", "replace").decode()
        draw.text((left + 1, top + side + 1), caption[: side // 6], fill=0)
    file = io.BytesIO()
    sheet.save(file, "PNG")
    return file.getvalue()


def tile(image: NDArray[np.float32], mask: NDArray[np.uint8], side: int) -> Image.Image:
    """One case at `side` x `side`, 8-bit grey, with the outline drawn just outside the marked area."""
    grey = Image.fromarray((np.clip(image, 0, 1) * 255).round().astype(np.uint8))
    pixels = np.array(grey.resize((side, side), Image.Resampling.BILINEAR))
    marked = np.asarray(Image.fromarray(np.asarray(mask)).resize((side, side), Image.Resampling.NEAREST)) == OBJECT
    outline = binary_dilation(marked) & ~marked
    pixels[(binary_dilation(marked, iterations=2) & ~marked & ~outline) | (marked & ~binary_erosion(marked))] = 0
    pixels[outline] = 255
    return Image.fromarray(pixels)

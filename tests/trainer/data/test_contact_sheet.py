from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from trainer.data.contact_sheet import contact_sheet, tile


@dataclass(frozen=True)
class Named:
    images: NDArray[np.float32]
    masks: NDArray[np.uint8]
    names: tuple[str, ...]


def named(count: int) -> Named:
    sides = (count, 32, 32)
    return Named(np.zeros(sides, np.float32), np.zeros(sides, np.uint8), tuple(map(str, range(count))))


@pytest.mark.parametrize(
    ("count", "tiles", "columns", "rows"), [(8, 40, 8, 1), (8, 3, 3, 1), (9, 40, 8, 2), (1, 40, 1, 1)]
)
def test_the_contact_sheet_is_a_grey_grid(count: int, tiles: int, columns: int, rows: int) -> None:
    sheet = Image.open(io.BytesIO(contact_sheet(named(count), tiles=tiles)))
    assert (sheet.format, sheet.mode, sheet.size) == ("PNG", "L", (columns * 130, rows * 144))


def test_a_sheet_of_nothing_is_an_image() -> None:
    assert contact_sheet(named(0)).startswith(b"\x89PNG")


@pytest.mark.parametrize("grey", [0.0, 0.5, 1.0])
def test_the_outline_shows_on_any_grey_and_leaves_the_inside_alone(grey: float) -> None:
    mask = np.zeros((64, 64), np.uint8)
    mask[20:40, 20:40] = 1
    pixels = np.asarray(tile(np.full((64, 64), grey, np.float32), mask, 64))
    assert pixels[19, 30] == 255
    assert pixels[20, 30] == pixels[18, 30] == 0
    assert pixels[30, 30] == pixels[5, 5] == round(grey * 255)

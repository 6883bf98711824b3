"""Contact sheets: what the neuron sees, unstretched, with its numbers beside it."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from trainer.errors import UserError
from trainer.neurons.contact_sheet import GAP, TILE, before_after_sheet, receptive_crop, sheet
from trainer.neurons.layers import Neuron
from trainer.neurons.maximise import Maximised


def made(*neurons: tuple[int, int], field: int = 5, grey: float = 0.25) -> Maximised:
    n = len(neurons)
    numbers = np.arange(n, dtype=np.float32)
    images = np.full((n, 32, 32), grey, np.float32)
    return Maximised(tuple(Neuron(*one) for one in neurons), images, numbers, numbers * np.nan, (field,) * n)


def opened(png: bytes) -> Image.Image:
    return Image.open(io.BytesIO(png))


@pytest.mark.parametrize(("field", "side"), [(5, 12), (23, 30), (32, 32)])
def test_a_tile_shows_the_receptive_field_and_a_margin(field: int, side: int) -> None:
    assert receptive_crop(made((1, 0), field=field), 0).shape == (side, side)


def test_grey_is_not_stretched() -> None:
    page = np.asarray(opened(sheet(made((1, 0)), "title")))
    assert (page == 64).sum() >= TILE * TILE


def test_every_block_begins_a_row() -> None:
    one_row, two_rows = (opened(sheet(made((1, 0), second), "t")) for second in ((1, 1), (2, 0)))
    beside = TILE + 2 * GAP + TILE // 2, one_row.height // 2
    assert one_row.getpixel(beside) == 64 and two_rows.getpixel(beside) == 255
    assert two_rows.height > one_row.height + TILE


def test_a_long_title_is_not_cut_off() -> None:
    titles = "short", "a title of a sweep that is longer than the tiles of one neuron, and long enough " * 2
    widths = [opened(sheet(made((1, 0)), title)).width for title in titles]
    assert widths[1] > widths[0] > TILE + 2 * GAP


def test_before_stands_above_after() -> None:
    before, after = made((1, 0), (2, 0), grey=0.0), made((1, 0), (2, 0), grey=0.5)
    page = np.asarray(opened(before_after_sheet(before, after, "t")))
    column = page[:, GAP + TILE // 2]
    rows_of = {grey: np.flatnonzero(column == grey) for grey in (0, 128)}
    assert len(rows_of[128]) >= TILE and np.median(rows_of[0]) < np.median(rows_of[128])


def test_two_lists_of_neurons_are_refused() -> None:
    with pytest.raises(UserError, match="same neurons"):
        before_after_sheet(made((1, 0)), made((1, 1)), "t")

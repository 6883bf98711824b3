from __future__ import annotations

import io

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from tracking.figures.network import THAWED, draw_networks, layout, short

PARAMS = [10 * k for k in range(1, 20)]


@pytest.mark.parametrize(
    ("units", "unit", "head", "levels", "skips"),
    [
        (9, "block", "last", (0, 1, 2, 3, 4, 3, 2, 1, 0), 4),
        (10, "block", "own", (0, 1, 2, 3, 4, 3, 2, 1, 0, 0), 4),
        (18, "conv", "always", (0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 2, 2, 1, 1, 0, 0), 4),
        (19, "conv", "own", (0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 2, 2, 1, 1, 0, 0, 0), 4),
    ],
)
def test_units_stand_on_the_level_of_their_block(
    units: int, unit: str, head: str, levels: tuple[int, ...], skips: int
) -> None:
    found = layout(PARAMS[:units], unit, head)
    assert found.levels == levels and len(found.skips) == skips
    assert all(found.levels[left] == found.levels[right] for left, right in found.skips)


def filled(units: int, thawed: tuple[int, ...], head: str = "last", unit: str = "block") -> int:
    """Boxes filled with the colour of what is thawed."""
    svg = draw_networks([("mask", thawed)], layout(PARAMS[:units], unit, head)).decode()
    return svg.count(f"fill: {THAWED}")


@pytest.mark.parametrize(
    ("units", "thawed", "head", "unit", "boxes"),
    [
        (9, (1, 2), "last", "block", 2),
        (9, (1, 2, 9), "last", "block", 4),  # the head trains with the last unit
        (9, (1, 2), "always", "block", 3),
        (10, (1, 10), "own", "block", 2),
        (18, tuple(range(1, 10)), "last", "conv", 9),
        (9, (), "last", "block", 0),
    ],
)
def test_thawed_boxes_are_filled_and_the_head_with_them(
    units: int, thawed: tuple[int, ...], head: str, unit: str, boxes: int
) -> None:
    assert filled(units, thawed, head, unit) == boxes


def test_thawed_and_frozen_differ_in_grey() -> None:
    assert np.dot(to_rgb(THAWED), (0.299, 0.587, 0.114)) < 0.4  # frozen is white


@pytest.mark.parametrize("form", ["png", "page"])
def test_as_a_figure(form: str) -> None:
    png = draw_networks([("a", (1,)), ("b", (9,))], layout(PARAMS[:9]), "SYNTHETIC DATA", form)  # type: ignore[arg-type]
    assert Image.open(io.BytesIO(png)).width > 1000


def test_numbers_of_parameters_are_short() -> None:
    assert [short(count) for count in (664, 13_900, 4_720_000)] == ["664", "13.9 k", "4.72 M"]


@pytest.mark.parametrize(("units", "head", "texts"), [(11, "last", 0), (10, "always", 1), (4, "own", 1)])
def test_any_network_is_a_row_without_levels_and_skips(units: int, head: str, texts: int) -> None:
    found = layout(PARAMS[:units], head=head, row=True)
    assert found.levels == (0,) * units and not found.skips
    svg = draw_networks([("mask", (1, 2))], found).decode()
    assert (svg.count("head") > 0) == bool(texts) and "1×1" not in svg
    assert svg.count(f"fill: {THAWED}") == 2 + (head == "always")

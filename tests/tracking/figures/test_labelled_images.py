"""The figure over the number of labelled images: what stands in it, and that grey tells the lines apart."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from tracking.figures.canvas import STAMP
from tracking.figures.labelled_images import LINES, ImagesCurve, draw_labelled_images

CURVE = ImagesCurve("1-5 (contracting)", (20, 40, 160), (0.5, 0.6, 0.7), (0.03, float("nan"), 0.02))
MORE = ImagesCurve("all", (20, 160), (0.4, 0.72), (0.02, 0.02), (200, 0.73, 0.71, 0.75))


@pytest.mark.parametrize("curves", [[CURVE], [CURVE, MORE]])
def test_names_numbers_and_the_stamp_stand_in_it(curves: list[ImagesCurve]) -> None:
    text = draw_labelled_images(curves, 0.31, STAMP).decode()
    ElementTree.fromstring(text)
    for curve in curves:
        assert curve.name in text and all(f">{size}<" in text for size in curve.images)
    assert (">200<" in text) is (MORE in curves)
    assert "zero-shot 0.310" in text and STAMP in text and "labelled images (logarithmic)" in text


def test_without_zero_shot_there_is_no_line_for_it_and_files_have_both_forms() -> None:
    assert "zero-shot" not in draw_labelled_images([CURVE], form="svg").decode()
    assert draw_labelled_images([CURVE, MORE], form="png").startswith(b"\x89PNG")


def test_grey_tells_the_lines_apart() -> None:
    assert all(len({line[part] for line in LINES}) == len(LINES) for part in (1, 2))

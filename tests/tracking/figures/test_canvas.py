from __future__ import annotations

import io
import re

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.patches import Rectangle
from PIL import Image

from tracking.figures.canvas import DEEP, DPI, PREDICTION, STAMP, TRUTH, Form, canvas, dice_axis, stamp

FORMS: tuple[Form, ...] = ("inline", "svg", "png", "page")


def drawing(form: Form, name: str = "test", title: str = "Dice") -> bytes:
    with canvas(name, 2.0, 1.0, form) as (figure, save):
        axes = figure.add_subplot()
        axes.plot([0, 1], [0, 1], label=title)
        dice_axis(axes, 1, "")
        return save()


@pytest.mark.parametrize("form", FORMS)
def test_the_same_drawing_gives_the_same_bytes_and_leaves_no_figure_open(form: Form) -> None:
    assert drawing(form) == drawing(form)
    assert plt.get_fignums() == []


@pytest.mark.parametrize("form", ["png", "page"])
def test_a_png_has_the_size_of_the_canvas(form: Form) -> None:
    image = Image.open(io.BytesIO(drawing(form)))
    assert image.size == (2 * DPI[form], DPI[form]) and image.mode == ("P" if form == "page" else "RGBA")


def test_a_file_has_a_size_and_a_background_and_a_drawing_in_a_page_neither() -> None:
    file, inline = drawing("svg").decode(), drawing("inline").decode()
    assert file.startswith("<?xml") and inline.startswith("<svg")
    sized = re.compile(r'<svg[^>]* (?:width|height)="')
    assert sized.search(file) and not sized.search(inline)
    assert "#ffffff" in file and "#ffffff" not in inline


def test_ids_of_two_drawings_in_one_page_differ_and_references_stay_whole() -> None:
    first, second = (drawing("inline", name).decode() for name in ("first", "second"))
    ids = [set(re.findall(r'\bid="([^"]+)"', svg)) for svg in (first, second)]
    assert not ids[0] & ids[1]
    for svg, known in zip((first, second), ids, strict=True):
        assert set(re.findall(r'(?:href="#|url\(#)([^")]+)', svg)) <= known


def test_text_is_text_and_a_dollar_is_a_dollar() -> None:
    assert "costs $5 to $9" in drawing("svg", title="costs $5 to $9").decode()


def test_a_name_in_a_script_that_the_font_is_missing_is_drawn_without_a_warning() -> None:
    assert drawing("png", title="超音波")


def test_a_small_png_keeps_greys_grey_and_the_colours_of_masks() -> None:
    with canvas("colours", 2.0, 1.0, "page") as (figure, save):
        axes = figure.add_subplot(xlim=(0, 4))
        axes.set_axis_off()
        for number, colour in enumerate(("#808080", TRUTH, PREDICTION, DEEP)):
            axes.add_patch(Rectangle((number, 0), 1, 1, color=colour))
        pixels = np.asarray(Image.open(io.BytesIO(save())).convert("RGB"))
    height, width, _ = pixels.shape
    grey, *colours = (pixels[height // 2, int((number + 0.5) * width / 4)].tolist() for number in range(4))
    assert len(set(grey)) == 1 and abs(grey[0] - 128) <= 2
    for shown, colour in zip(colours, (TRUTH, PREDICTION, DEEP), strict=True):
        assert shown == pytest.approx(list(bytes.fromhex(colour[1:])), abs=12)


def test_an_axis_of_dice_carries_the_stamp() -> None:
    with canvas("stamped", 2.0, 1.0, "svg") as (figure, save):
        axes = figure.add_subplot()
        axes.plot([0], [0], label="all")
        dice_axis(axes, 1, stamp(synthetic=True))
        assert STAMP in save().decode()
    assert stamp(synthetic=False) == ""

from __future__ import annotations

import io
import math
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from numpy.typing import NDArray
from PIL import Image

from tests.tracking.made_up import montage_png, sweep_images
from tracking.figures.canvas import PREDICTION, TRUTH
from tracking.figures.image_panels import Case, Example, draw_cases, draw_examples, draw_neurons
from tracking.record import Predicted


def example(place: int = 0) -> Example:
    given = sweep_images()
    return Example(given.names[place], given.labels[place], given.images[place], given.truths[place])


def grey_of(png: bytes) -> NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(png)).convert("L"))


def test_examples_show_grey_values_as_they_are() -> None:
    flat = Example("a", "", np.full((32, 32), 64, np.uint8), np.zeros((32, 32), np.uint8))
    values, counts = np.unique(grey_of(draw_examples({"": [flat]})), return_counts=True)
    assert values[np.argmax(counts)] == 64  # a stretch of contrast would make it black


@pytest.mark.parametrize("form", ["svg", "png", "page"])
def test_every_form_is_a_whole_figure_with_its_stamp(form: str) -> None:
    drawn = draw_examples({"": [example(0), example(1)]}, "SYNTHETIC DATA", form)  # type: ignore[arg-type]
    if form == "svg":
        assert ElementTree.fromstring(drawn).tag.endswith("svg")
        assert all(words in drawn for words in (b"SYNTHETIC DATA", b"malignant", b"case 0-1"))
    else:
        assert drawn.startswith(b"\x89PNG")


def test_on_a_page_it_is_small_and_still_the_same_figure() -> None:
    """A page holds several of these, at the paper's 256 pixels too, and stays under 3 MB."""
    noise = np.random.default_rng(0).integers(0, 256, (6, 256, 256), np.uint8)
    given = [Example(str(place), "", one, np.zeros_like(one)) for place, one in enumerate(noise)]
    page = draw_examples({"": given}, form="page")
    assert len(page) < 400_000
    flat = Example("a", "", np.full((32, 32), 64, np.uint8), np.zeros((32, 32), np.uint8))
    values, counts = np.unique(grey_of(draw_examples({"": [flat]}, form="page")), return_counts=True)
    assert abs(int(values[np.argmax(counts)]) - 64) <= 1


def test_cases_name_their_rule_and_every_dice() -> None:
    one = example(1)
    shown = {
        "pre-trained": Predicted(np.roll(one.truth, 9, 1), 0.25),
        "contracting tuned": Predicted(one.truth * 0, math.nan),
    }
    columns = ["pre-trained", "expanding tuned", "contracting tuned"]
    svg = draw_cases([Case("best", one, shown)], columns, form="svg").decode()
    for words in (">best<", "Dice 0.25", "empty truth", "not recorded", *columns):
        assert words in svg
    assert "stroke-dasharray" in svg  # the truth over a prediction is told apart by its dashes


def test_outlines_are_light_on_a_dark_rim() -> None:
    """So that they stand out of black and of white images, in grey too."""
    for colour in (TRUTH, PREDICTION):
        assert np.dot(to_rgb(colour), (0.299, 0.587, 0.114)) > 0.6
    one = example()
    white = Example("white", "", np.full((64, 64), 255, np.uint8), one.truth)
    black = Example("black", "", np.zeros((64, 64), np.uint8), one.truth)
    found = grey_of(draw_examples({"": [white, black]}))
    half = found.shape[1] // 2
    assert found[found.shape[0] // 2 :, :half].min() < 120 and found[found.shape[0] // 2 :, half:].max() > 150


def test_neurons_stand_where_they_were_drawn() -> None:
    svg = draw_neurons(
        [("block 2", [montage_png(), None])], ["contracting tuned", "expanding tuned"], form="svg"
    ).decode()
    assert svg.count("data:image/png") == 1 and "expanding tuned" in svg

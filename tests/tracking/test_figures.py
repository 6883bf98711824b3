from __future__ import annotations

import io
import math

import numpy as np
from PIL import Image

from tracking.figures import Curve, draw_comparisons, draw_cost, draw_curves
from tracking.panels import montage
from tracking.statistics import corrected_t

CURVES = [
    Curve("shallow-first", (1, 2, 9), ((0.5, 0.6), (0.6, math.nan), (0.7, 0.8))),
    Curve("deep-first", (1, 9), ((0.4, 0.5), (0.7, 0.8))),
]


def test_curves_name_orders_baselines_and_stamp() -> None:
    svg = draw_curves(CURVES, {"all": 0.75, "scratch": 0.74, "zero_shot": 0.3}, stamp="SYNTHETIC DATA").decode()
    for words in ("shallow-first", "deep-first", "all blocks 0.750", "from scratch", "zero-shot", "SYNTHETIC DATA"):
        assert words in svg
    assert svg.startswith("<svg") and " width=" not in svg[: svg.index(">")]


def test_a_drawing_is_the_same_bytes_every_time() -> None:
    rows = [("contracting − expanding", corrected_t([0.1, 0.2, 0.12], [20] * 3, [10] * 3))]
    points = [("shallow-first", "1", 640, 0.5), ("deep-first", "9", 2329, 0.4)]
    first, second = ([draw_curves(CURVES, {}), draw_comparisons(rows), draw_cost(points)] for _ in range(2))
    assert first == second


def test_a_comparison_without_interval_is_still_drawn() -> None:
    assert b"<svg" in draw_comparisons([("one", corrected_t([0.1, 0.1], [20] * 2, [10] * 2))])


def test_nothing_to_draw_is_an_empty_picture() -> None:
    assert b"<svg" in draw_curves([], {})


def test_the_montage_shows_grey_values_as_they_are() -> None:
    images = np.full((2, 32, 32), 0.5, np.float32)
    images[1] = 0.25  # a stretch of contrast would turn both into the same picture
    truths = np.zeros((2, 32, 32), np.uint8)
    truths[0, 8:20, 8:20] = 1
    png = montage(images, truths, np.ones_like(truths), ["a", "b"], [0.5, math.nan])
    picture = np.asarray(Image.open(io.BytesIO(png)).convert("L"))
    assert {128, 64} <= set(np.unique(picture).tolist()) or {127, 64} <= set(np.unique(picture).tolist())


def test_a_montage_of_nothing_predicted_draws_no_outline() -> None:
    nothing = np.zeros((1, 16, 16), np.uint8)
    assert montage(nothing.astype(float), nothing, nothing, ["a"], [math.nan]).startswith(b"\x89PNG")

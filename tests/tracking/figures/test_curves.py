from __future__ import annotations

import math

import numpy as np
from matplotlib.colors import to_rgb

from tracking.figures.curves import (
    STYLES,
    Curve,
    Panel,
    draw_comparisons,
    draw_curves,
    draw_panels,
)
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
    first, second = ([draw_curves(CURVES, {}), draw_comparisons(rows)] for _ in range(2))
    assert first == second


def test_a_comparison_without_interval_is_still_drawn() -> None:
    assert b"<svg" in draw_comparisons([("one", corrected_t([0.1, 0.1], [20] * 2, [10] * 2))])


def test_nothing_to_draw_is_an_empty_figure() -> None:
    assert b"<svg" in draw_curves([], {})


def test_lines_differ_in_grey_as_well_as_in_marker_and_dash() -> None:
    looks = list(STYLES.values())
    assert len({marker for _, marker, _ in looks}) == len({dash for *_, dash in looks}) == len(looks)
    shallow, deep = (float(np.dot(to_rgb(colour), (0.299, 0.587, 0.114))) for colour, *_ in looks[:2])
    assert abs(shallow - deep) > 0.12


def test_two_sweeps_share_one_scale_and_keep_their_stamps() -> None:
    panels = [Panel(CURVES, {"all": 0.75}, "SYNTHETIC DATA", "ultrasound"), Panel(CURVES[:1], {}, "", "x-ray", "unit")]
    svg = draw_panels(panels, (0.0, 1.0), "svg").decode()
    assert [svg.count(text) for text in ("SYNTHETIC DATA", ">ultrasound<", ">x-ray<", ">deep-first<")] == [1, 1, 1, 1]
    assert "number of tuned units" in svg and svg.count(">0.4<") == svg.count(">0.8<") == 2

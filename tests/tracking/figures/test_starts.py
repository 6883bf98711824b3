from __future__ import annotations

from tracking.figures.starts import StartSeries, draw_starts

MASKS = ("6-9", "1-5", "all")
SERIES = [
    StartSeries("photos", (0, 1, 2), (0.4, 0.5, 0.6), (0.1, 0.1, 0.1)),
    StartSeries("scratch", (2,), (0.2,), (0.05,)),
]


def test_every_start_has_a_legend_and_every_mask_its_place() -> None:
    svg = draw_starts(MASKS, SERIES, "SYNTHETIC DATA", "svg").decode()
    assert all(f">{words}<" in svg for words in ("photos", "scratch", *MASKS, "SYNTHETIC DATA"))


def test_a_drawing_is_the_same_bytes_every_time() -> None:
    assert draw_starts(MASKS, SERIES) == draw_starts(MASKS, SERIES)

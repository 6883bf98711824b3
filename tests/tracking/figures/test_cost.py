from __future__ import annotations

from tracking.figures.cost import CostPoint, draw_cost

POINTS = [CostPoint("shallow-first", "1", 640, 0.5), CostPoint("deep-first", "9", 2329, 0.4)]


def test_every_order_has_a_legend_and_every_mask_with_room_its_name() -> None:
    crowded = [*POINTS, CostPoint("deep-first", "crowded", 2400, 0.45), CostPoint("other", "2,4", 100_000, 0.6)]
    svg = draw_cost(crowded, "SYNTHETIC DATA", "svg").decode()
    for words in (">shallow-first<", ">deep-first<", ">other<", ">1<", ">9<", ">2,4<", "SYNTHETIC DATA"):
        assert words in svg
    assert ">crowded<" not in svg


def test_a_drawing_is_the_same_bytes_every_time() -> None:
    assert draw_cost(POINTS) == draw_cost(POINTS)


def test_prices_of_one_decade_are_numbered_as_people_write_them() -> None:
    near = [CostPoint("other", "1", 49_085, 0.6), CostPoint("other", "2", 122_953, 0.7)]
    svg = draw_cost(near, form="svg").decode()
    assert ">50,000<" in svg and ">100,000<" in svg and "mathdefault" not in svg

"""What a mask costs: Dice against trained parameters, each trial with its mask where there is room."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes

from tracking.figures.canvas import GREY, INK, Form, canvas, dice_axis, logarithmic
from tracking.figures.curves import STYLES


@dataclass(frozen=True)
class CostPoint:
    """One trial by price: its first `order` (`other`: on none), its `mask`, trained `parameters` and mean `dice`."""

    order: str
    mask: str
    parameters: int
    dice: float


def draw_cost(points: Sequence[CostPoint], stamp: str = "", form: Form = "inline") -> bytes:
    """Dice against trained parameters."""
    with canvas("cost", 8.6, 3.9, form) as (figure, save):
        axes = figure.add_subplot()
        for order in dict.fromkeys(point.order for point in points):
            _draw_order(axes, order, [point for point in points if point.order == order])
        for point in _points_with_room(points):
            _name_point(axes, point)
        logarithmic(axes, [point.parameters for point in points])
        axes.margins(0.06, 0.14)
        axes.set_xlabel("trained parameters (logarithmic)")
        dice_axis(axes, 4, stamp)
        return save()


def _draw_order(axes: Axes, order: str, points: Sequence[CostPoint]) -> None:
    colour, marker, _ = STYLES.get(order, (INK, "x", "-"))
    prices, scores = [point.parameters for point in points], [point.dice for point in points]
    axes.plot(prices, scores, linestyle="", marker=marker, color=colour, markersize=6, label=order)


def _name_point(axes: Axes, point: CostPoint) -> None:
    """The mask above its point, below it where the order is deep-first."""
    above = point.order != "deep-first"
    axes.annotate(
        point.mask,
        (point.parameters, point.dice),
        xytext=(0, 7 if above else -7),
        textcoords="offset points",
        ha="center",
        va="bottom" if above else "top",
        fontsize=8,
        color=GREY,
    )


def _points_with_room(points: Sequence[CostPoint]) -> Iterator[CostPoint]:
    """The points whose labels have room: at least 0.12 decades right of the last one of the same order."""
    last: dict[str, float] = {}
    for point in sorted(points, key=lambda point: point.parameters):
        decade = math.log10(max(1, point.parameters))
        if decade - last.get(point.order, -math.inf) > 0.12:
            last[point.order] = decade
            yield point

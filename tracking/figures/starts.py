"""Dice of each mask from each start: a mark per start, told apart by shape and grey as well as by colour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tracking.figures.canvas import DEEP, GREY, INK, OTHER, SHALLOW, Form, canvas, dice_axis

MARKS = ((SHALLOW, "o"), (DEEP, "s"), (OTHER, "^"), (INK, "D"), (GREY, "v"), (SHALLOW, "P"), (DEEP, "X"))
SPREAD = 0.5  # of the distance between two masks, over which the starts of one are laid out
MOST_LABELS = 24


@dataclass(frozen=True)
class StartSeries:
    """A start by `name`: for each mask that was measured from it its position, mean `dice` and `sd` over folds."""

    name: str
    places: tuple[int, ...]
    dice: tuple[float, ...]
    sd: tuple[float, ...]


def draw_starts(masks: Sequence[str], series: Sequence[StartSeries], stamp: str = "", form: Form = "inline") -> bytes:
    """Dice against the mask, the cheapest first; bars are ± 1 SD over folds."""
    with canvas("starts", 8.6, 3.6, form) as (figure, save):
        axes = figure.add_subplot()
        for number, one in enumerate(series):
            colour, marker = MARKS[number % len(MARKS)]
            shift = SPREAD * ((number + 0.5) / len(series) - 0.5)
            places = [place + shift for place in one.places]
            hollow = "white" if number % 2 else colour
            axes.errorbar(
                places,
                one.dice,
                yerr=one.sd,
                linestyle="",
                marker=marker,
                color=colour,
                markerfacecolor=hollow,
                markersize=6,
                elinewidth=1,
                label=one.name,
            )
        axes.set_xticks(range(len(masks)), masks, rotation=0 if len(masks) < MOST_LABELS else 90)
        axes.set_xlabel("mask, the fewest trained parameters first")
        dice_axis(axes, 4, stamp)
        return save()

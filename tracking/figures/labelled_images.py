"""Dice against the number of labelled images: a line for each mask, with what more images would bring."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, NullLocator

from tracking.figures.canvas import BARS, DEEP, GREY, INK, OTHER, SHALLOW, Form, canvas, dice_axis

# Told apart by mark and dash in grey, too.
LINES = ((SHALLOW, "o", "-"), (DEEP, "s", "--"), (OTHER, "^", "-."), (INK, "D", ":"))
APART = 0.012  # share of the axis by which the bars of two masks lie apart


@dataclass(frozen=True)
class ImagesCurve:
    """A mask's `name`; `images` and there its `mean` Dice and `sd` over folds; `more`: of what more of them would bring
    the images in all, the Dice and both ends of its interval; None where that cannot be said.
    """

    name: str
    images: tuple[int, ...]
    mean: tuple[float, ...]
    sd: tuple[float, ...]
    more: tuple[int, float, float, float] | None = None


def draw_labelled_images(
    curves: Sequence[ImagesCurve], zero_shot: float = math.nan, stamp: str = "", form: Form = "inline"
) -> bytes:
    """Filled marks were measured, open ones at a dotted line follow from fits. `zero_shot`: Dice before training."""
    with canvas("labelled-images", 8.6, 4.4, form) as (figure, save):
        axes = figure.add_subplot()
        for index, curve in enumerate(curves):
            _draw(axes, curve, LINES[index % len(LINES)], math.exp((index - (len(curves) - 1) / 2) * APART))
        if not math.isnan(zero_shot):
            axes.axhline(zero_shot, color=GREY, linewidth=1.1, linestyle=":", zorder=1)
            axes.annotate(
                f"zero-shot {zero_shot:.3f}",
                (1, zero_shot),
                xycoords=("axes fraction", "data"),
                xytext=(6, 0),
                textcoords="offset points",
                va="center",
                color=GREY,
                fontsize=9,
                annotation_clip=False,
            )
        measured = sorted({size for curve in curves for size in curve.images})
        beyond = sorted({curve.more[0] for curve in curves if curve.more})
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(FixedLocator([*measured, *beyond]))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(lambda count, _: f"{count:,.0f}")
        axes.margins(0.04, 0.08)
        axes.set_xlabel("labelled images (logarithmic)")
        dice_axis(axes, len(curves), stamp)
        return save()


def _draw(axes: Axes, curve: ImagesCurve, line: tuple[str, str, str], shift: float) -> None:
    colour, marker, dashes = line
    axes.errorbar(
        [size * shift for size in curve.images],
        curve.mean,
        yerr=[0.0 if math.isnan(sd) else sd for sd in curve.sd],
        color=colour,
        marker=marker,
        linestyle=dashes,
        **BARS,
        label=curve.name,
    )
    if curve.more is None:
        return
    images, dice, low, high = curve.more
    x = [curve.images[-1] * shift, images * shift]
    axes.plot(x, [curve.mean[-1], dice], color=colour, linestyle=(0, (1, 2)), linewidth=1.3)
    axes.errorbar(
        x[1:],
        [dice],
        yerr=[[dice - low], [high - dice]],
        color=colour,
        marker=marker,
        markerfacecolor="white",
        markersize=6,
        elinewidth=1.0,
        capsize=3,
        linestyle="",
    )

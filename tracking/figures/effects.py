"""The pictures of an answer: what each block and each pair does, and Dice against price. Readable in grey."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullFormatter

from tracking.figures.canvas import DEEP, GREY, INK, RULE, SHALLOW, Form, canvas, dice_axis
from tracking.record import Json
from tracking.statistics import EQUIVALENCE

LABELLED = 10  # masks of a front whose names are written


def draw_effects(effects: Json, stamp: str = "", form: Form = "inline", unit: str = "block") -> bytes:
    """Left the effect of every block with its 95 % interval; right, where there are any, the interactions of two.

    A filled circle: the pair brings more than its parts; an open one: less. Its area is the size; a cross inside says
    that the interval excludes 0.
    """
    blocks, pairs = effects["blocks"], effects["pairs"]
    height = max(2.6, 0.9 + 0.34 * len(blocks))
    with canvas("effects", 9.4 if pairs else 6.4, height, form) as (figure, save):
        left = figure.add_subplot(1, 2 if pairs else 1, 1)
        _draw_blocks(left, blocks, unit)
        if pairs:
            _draw_pairs(figure.add_subplot(1, 2, 2), pairs, unit)
        if stamp:
            figure.suptitle(stamp, x=0.995, ha="right", color=DEEP, fontweight="bold", fontsize=9)
        return save()


def _draw_blocks(axes: Axes, blocks: Sequence[Json], unit: str) -> None:
    axes.axvspan(-EQUIVALENCE, EQUIVALENCE, color=RULE, alpha=0.6, linewidth=0)
    axes.axvline(0, color=INK, linewidth=0.8)
    places = range(len(blocks), 0, -1)  # the first on top
    for place, one in zip(places, blocks, strict=True):
        if not math.isnan(one["low"]):
            axes.plot([one["low"], one["high"]], [place, place], color=INK, linewidth=1.8, solid_capstyle="butt")
        sure = one["low"] > 0 or one["high"] < 0
        axes.plot([one["mean"]], [place], marker="o", color=INK, markersize=7, markeredgewidth=1.5,
                  markerfacecolor=INK if sure else "white")  # fmt: skip
    axes.set_yticks(list(places), [str(one["block"]) for one in blocks])
    axes.set_ylim(0.4, len(blocks) + 0.6)
    axes.set_ylabel(unit)
    axes.set_xlabel("effect on Dice: thawed − frozen")
    axes.grid(axis="x", color=RULE, linewidth=0.6)
    axes.tick_params(axis="y", length=0)


def _draw_pairs(axes: Axes, pairs: Sequence[Json], unit: str) -> None:
    """The upper half of the matrix: first block down, second block across."""
    firsts, seconds = ({one["blocks"][side] for one in pairs} for side in (0, 1))
    low, high = min(firsts), max(seconds)
    largest = max(abs(one["mean"]) for one in pairs) or 1.0
    widest = 620 * (8 / max(8, high - low)) ** 2  # in square points: neighbours touch, and never overlap
    for one in pairs:
        row, column = one["blocks"]
        more = one["mean"] >= 0
        axes.scatter([column], [row], s=widest * abs(one["mean"]) / largest, linewidths=1.4,
                     facecolors=SHALLOW if more else "white", edgecolors=SHALLOW if more else DEEP)  # fmt: skip
        if one["low"] > 0 or one["high"] < 0:
            axes.plot([column], [row], marker="x", color="white" if more else DEEP, markersize=5, markeredgewidth=1.4)
    axes.set_xlim(low + 0.4, high + 0.6)
    axes.set_ylim(high - 0.4, low - 0.6)
    axes.set_xticks(range(low + 1, high + 1))
    axes.set_yticks(range(low, high))
    axes.set_aspect("equal")
    axes.set_xlabel(f"{unit}, with {unit}")
    axes.grid(color=RULE, linewidth=0.5)
    axes.set_axisbelow(True)
    for more in (True, False):
        axes.scatter([], [], s=90, linewidths=1.4, facecolors=SHALLOW if more else "white",
                     edgecolors=SHALLOW if more else DEEP,
                     label="more together than apart" if more else "less together")  # fmt: skip
    axes.plot([], [], marker="x", linestyle="", color=INK, markersize=5, label="interval without 0")
    axes.legend(loc="lower left", fontsize=8.5, title=f"largest: {largest:.3f} Dice", title_fontsize=8.5,
                alignment="left")  # fmt: skip


def draw_pareto(answer: Json, price: str, stamp: str = "", form: Form = "inline") -> bytes:
    """Dice of all candidates against `parameters` or `seconds`, the undominated ones joined and named."""
    key, label = {
        "parameters": ("trainable_params", "trained parameters (logarithmic)"),
        "seconds": ("seconds", "seconds of training, all folds (logarithmic)"),
    }[price]
    points = [one for one in answer["compared"] if not math.isnan(one[key])]
    front = answer["pareto"][price]
    with canvas(f"pareto-{price}", 8.6, 3.9, form) as (figure, save):
        axes = figure.add_subplot()
        axes.plot([one[key] for one in points], [one["dice"] for one in points], linestyle="", marker="o", color=GREY,
                  markersize=3, alpha=0.55, label="measured", zorder=2)  # fmt: skip
        axes.step([one[key] for one in front], [one["dice"] for one in front], where="post", color=SHALLOW, marker="D",
                  markersize=6, linewidth=1.6, label="nothing as cheap scores higher", zorder=3)  # fmt: skip
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if price == "seconds" else (1,)))
        axes.xaxis.set_major_formatter(lambda count, _: f"{count:,.0f}")
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.margins(0.06, 0.16)
        for one in _named(front, key, points):
            axes.annotate(one["mask"], (one[key], one["dice"]), xytext=(0, 7), textcoords="offset points", ha="center",
                          va="bottom", fontsize=8, color=INK)  # fmt: skip
        axes.set_xlabel(label)
        dice_axis(axes, 2, stamp)
        return save()


def _named(front: Sequence[Json], key: str, points: Sequence[Json]) -> list[Json]:
    """Those of a front whose names have room, from the best down: a tenth of the picture's width between two."""
    if not front:
        return []
    at = [math.log(max(1.0, one[key])) for one in front]
    wide = [math.log(max(1.0, one[key])) for one in points]
    room = (max(wide) - min(wide)) / LABELLED
    named = [len(front) - 1]
    for place in range(len(front) - 2, -1, -1):
        if at[named[-1]] - at[place] >= room:
            named.append(place)
    return [front[place] for place in named]

"""Every picture of a report: the only importer of matplotlib. Shapes and dashes, not hue alone, tell lines apart."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from typing import Any, Literal

import matplotlib

matplotlib.use("Agg")  # no display needed, and none is opened

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from numpy.typing import NDArray

from tracking.statistics import EQUIVALENCE, Comparison, spread

Form = Literal["inline", "svg", "png"]  # inside a page, or a file of its own

INK, GREY, RULE = "#1c1b1a", "#6b6862", "#d9d5cc"
SHALLOW, DEEP, OTHER = "#0b5c7d", "#c2571a", "#5d6b2f"
STYLES = {
    "shallow-first": (SHALLOW, "o", "-"),
    "deep-first": (DEEP, "s", "--"),
    "outer-first": (OTHER, "^", "-."),
    "inner-first": (GREY, "D", ":"),
}
BASELINES = {"all": ("-.", "all {unit}s"), "scratch": ((0, (6, 2)), "from scratch"), "zero_shot": (":", "zero-shot")}
TRUTH, PREDICTION = "#ffd166", "#4cc9f0"


@dataclass(frozen=True)
class Curve:
    """One order's scores: `folds[i]` holds the fold values at `depths[i]` tuned blocks."""

    order: str
    depths: tuple[int, ...]
    folds: tuple[tuple[float, ...], ...]
    masks: tuple[str, ...] = ()


def draw_curves(
    curves: Sequence[Curve],
    baselines: Mapping[str, float],
    label: str = "Dice",
    stamp: str = "",
    form: Form = "inline",
    name: str = "curves",
    limits: tuple[float, float] | None = None,
    unit: str = "block",
) -> bytes:
    """Score against number of tuned blocks: means, error bars (SD over folds), every fold's point, baselines as lines.

    `unit` is what a mask counts, one of them in a word.
    `stamp` is written across the head of the picture (SYNTHETIC DATA); `name` tells drawings of one page apart;
    `limits` fixes the score axis. Inline, every mean carries what a pointer over it shows (`data-hover`).
    """
    with _canvas(name, 8.6, 4.7, form) as (figure, save):
        axes = figure.add_subplot()
        depths = sorted({depth for curve in curves for depth in curve.depths})
        for index, curve in enumerate(curves):
            _draw_curve(axes, curve, (index - (len(curves) - 1) / 2) * 0.16)
        right = (depths[-1] if depths else 1) + 0.55
        _draw_baselines(axes, {key: value for key, value in baselines.items() if not math.isnan(value)}, right, unit)
        axes.set_xlim((depths[0] if depths else 1) - 0.45, right)
        axes.set_xticks(depths)
        axes.set_xlabel(f"number of tuned {unit}s (shallow-first: from the input; deep-first: from the output)")
        axes.set_ylabel(f"{label}, mean over images")
        axes.grid(axis="y", color=RULE, linewidth=0.6)
        if curves:
            # Above the axes, where no curve can run underneath.
            axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=len(curves), handlelength=3.2)
        if stamp:  # above the legend, where four orders would run into it
            pad = 24 if len(curves) > 3 else None
            axes.set_title(stamp, loc="right", color=DEEP, fontweight="bold", fontsize=10, pad=pad)
        if limits:
            axes.set_ylim(limits)
        drawn = save()
    return _with_hints(drawn, name, curves) if form == "inline" else drawn


def _with_hints(svg: bytes, name: str, curves: Sequence[Curve]) -> bytes:
    text = svg.decode()
    for curve in curves:
        masks = curve.masks or ("",) * len(curve.depths)
        for depth, mask, folds in zip(curve.depths, masks, curve.folds, strict=True):
            each = " · ".join("–" if math.isnan(value) else f"{value:.3f}" for value in folds)
            hint = f"{curve.order} {depth}{f' ({mask})' if mask else ''}: {spread(folds).mean:.3f} | folds {each}"
            mark = f'id="{name}-hit-{curve.order}-{depth}"'
            text = text.replace(mark, f'{mark} class="hit" data-hover="{escape(hint)}"')
    return text.encode()


def _draw_curve(axes: Axes, curve: Curve, shift: float) -> None:
    colour, marker, dashes = STYLES.get(curve.order, (INK, "x", "-"))
    x = np.asarray(curve.depths, float) + shift
    found = [spread(folds) for folds in curve.folds]
    for place, folds in zip(x, curve.folds, strict=True):
        axes.plot([place] * len(folds), folds, linestyle="", marker=marker, markersize=3.2, markerfacecolor="white",
                  markeredgecolor=colour, markeredgewidth=0.7, alpha=0.75, zorder=2)  # fmt: skip
    axes.errorbar(x, [one.mean for one in found], yerr=[np.nan_to_num(one.sd) for one in found], color=colour,
                  marker=marker, linestyle=dashes, markersize=6, linewidth=1.7, elinewidth=1.0, capsize=3, zorder=3,
                  label=curve.order)  # fmt: skip
    for place, depth, one in zip(x, curve.depths, found, strict=True):  # unseen, but large enough for a pointer
        axes.plot([place], [one.mean], marker="o", markersize=15, linestyle="", alpha=0, color=colour,
                  gid=f"hit-{curve.order}-{depth}", zorder=4)  # fmt: skip


def _draw_baselines(axes: Axes, baselines: Mapping[str, float], right: float, unit: str) -> None:
    """Horizontal lines, named at the right edge; names closer than 4 % of the height are pushed apart."""
    for key, value in baselines.items():
        axes.axhline(value, color=GREY, linewidth=1.1, linestyle=BASELINES[key][0], zorder=1)
    low, high = axes.get_ylim()
    last = -math.inf
    for key, value in sorted(baselines.items(), key=lambda item: item[1]):
        last = max(value, last + 0.045 * (high - low))
        words = BASELINES[key][1].format(unit=unit)
        axes.annotate(f"{words} {value:.3f}", (right, last), xytext=(6, 0), textcoords="offset points",
                      va="center", color=GREY, fontsize=9, annotation_clip=False)  # fmt: skip


def draw_comparisons(
    rows: Sequence[tuple[str, Comparison]], stamp: str = "", form: Form = "inline", name: str = "comparisons"
) -> bytes:
    """Differences in Dice with their 95 % intervals, every fold, and the band of practical equality (±0.01)."""
    with _canvas(name, 8.6, 0.85 + 0.62 * len(rows), form) as (figure, save):
        axes = figure.add_subplot()
        axes.axvspan(-EQUIVALENCE, EQUIVALENCE, color=RULE, alpha=0.6, linewidth=0)
        axes.axvline(0, color=INK, linewidth=0.8)
        for place, (_, one) in enumerate(reversed(rows)):
            axes.plot(one.folds, [place - 0.24] * len(one.folds), linestyle="", marker="|", color=GREY, markersize=7)
            if not math.isnan(one.low):
                axes.plot([one.low, one.high], [place, place], color=INK, linewidth=1.8, solid_capstyle="butt")
            axes.plot([one.mean], [place], marker="D", color=INK, markersize=6)
        axes.set_yticks(range(len(rows)), [name for name, _ in reversed(rows)])
        axes.set_ylim(-0.6, len(rows) - 0.4)
        axes.set_xlabel("deep better  ←  difference in Dice  →  shallow better")
        axes.spines["left"].set_visible(False)
        axes.tick_params(axis="y", length=0)
        if stamp:
            axes.set_title(stamp, loc="right", color=DEEP, fontweight="bold", fontsize=10)
        return save()


def draw_cost(points: Sequence[tuple[str, str, int, float]], stamp: str = "", form: Form = "inline") -> bytes:
    """Dice against trained parameters; `points` are (order, written mask, parameters, mean Dice)."""
    with _canvas("cost", 8.6, 3.9, form) as (figure, save):
        axes = figure.add_subplot()
        for order in dict.fromkeys(point[0] for point in points):
            colour, marker, _ = STYLES.get(order, (INK, "x", "-"))
            mine = [point for point in points if point[0] == order]
            axes.plot([point[2] for point in mine], [point[3] for point in mine], linestyle="", marker=marker,
                      color=colour, markersize=6, label=order)  # fmt: skip
        for order, mask, parameters, dice in _apart(points):
            above = order != "deep-first"
            axes.annotate(mask, (parameters, dice), xytext=(0, 7 if above else -7), textcoords="offset points",
                          ha="center", va="bottom" if above else "top", fontsize=8, color=GREY)  # fmt: skip
        axes.set_xscale("log")
        axes.margins(0.06, 0.14)
        axes.set_xlabel("trained parameters (logarithmic)")
        axes.set_ylabel("Dice, mean over images")
        axes.grid(axis="y", color=RULE, linewidth=0.6)
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=4)
        if stamp:
            axes.set_title(stamp, loc="right", color=DEEP, fontweight="bold", fontsize=10)
        return save()


def _apart(points: Sequence[tuple[str, str, int, float]]) -> Iterator[tuple[str, str, int, float]]:
    """The points whose labels have room: at least 0.12 decades right of the last one of the same order."""
    last: dict[str, float] = {}
    for point in sorted(points, key=lambda one: one[2]):
        place = math.log10(max(1, point[2]))
        if place - last.get(point[0], -math.inf) > 0.12:
            last[point[0]] = place
            yield point


def montage(
    images: NDArray[np.floating],
    truths: NDArray[np.generic],
    predictions: NDArray[np.generic],
    names: Sequence[str],
    dices: Sequence[float],
) -> bytes:
    """PNG with a column per image and the rows image, truth, prediction (filled, outlined; the truth dashed over it).

    `images` (k, H, W) in [0, 1], shown as they are (no stretching of contrast, nearest-neighbour enlargement);
    `truths` and `predictions` (k, H, W), non-zero inside; `names` and `dices` one per image.
    """
    count = len(images)
    with plt.rc_context(STYLE):
        figure = plt.figure(figsize=(0.55 + 1.35 * max(count, 1), 4.5), dpi=110)
        for column in range(count):
            for row, name in enumerate(("image", "truth", "prediction")):
                axes = figure.add_subplot(3, count, row * count + column + 1)
                axes.imshow(images[column], cmap="gray", vmin=0.0, vmax=1.0, interpolation="nearest")
                if row == 1:
                    _paint(axes, truths[column], TRUTH)
                if row == 2:
                    _paint(axes, predictions[column], PREDICTION)
                    _outline(axes, truths[column], TRUTH, "dashed")
                    axes.set_xlabel(_dice(dices[column]), fontsize=8, labelpad=3)
                if row == 0:
                    axes.set_title(_elided(names[column]), fontsize=7, pad=3)
                if column == 0:
                    axes.set_ylabel(name, fontsize=9)
                axes.set_xticks([])
                axes.set_yticks([])
                for spine in axes.spines.values():
                    spine.set_visible(False)
        figure.subplots_adjust(left=0.25 / (0.55 + 1.35 * max(count, 1)) * 1.4, right=0.995, top=0.95, bottom=0.06,
                               wspace=0.04, hspace=0.04)  # fmt: skip
        return _written(figure, "png", None)


def _paint(axes: Axes, mask: NDArray[np.generic], colour: str) -> None:
    inside = np.asarray(mask) > 0
    layer = np.zeros((*inside.shape, 4))
    layer[inside] = (*to_rgb(colour), 0.35)
    axes.imshow(layer, interpolation="nearest")
    _outline(axes, mask, colour, "solid")


def _outline(axes: Axes, mask: NDArray[np.generic], colour: str, dashes: str) -> None:
    inside = np.asarray(mask) > 0
    if inside.any() and not inside.all():  # else there is no border to draw, and contour warns
        axes.contour(inside.astype(float), levels=[0.5], colors=[colour], linewidths=1.1, linestyles=dashes)


def _dice(value: float) -> str:
    return "empty truth" if math.isnan(value) else f"Dice {value:.2f}"


def _elided(name: str, longest: int = 20) -> str:
    return name if len(name) <= longest else f"…{name[1 - longest :]}"


STYLE: Any = {  # matplotlib types the keys as one long Literal
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "svg.fonttype": "none",  # text stays text: searchable, and in the page's own face
    "figure.facecolor": "white",
}


@contextmanager
def _canvas(name: str, width: float, height: float, form: Form) -> Iterator[tuple[Figure, Callable[[], bytes]]]:
    """A figure of `width` x `height` inches and what saves it: the same drawing gives the same bytes.

    Inline has no background and no size of its own; a file has both.
    """
    plain: Any = {"figure.facecolor": "none", "axes.facecolor": "none"} if form == "inline" else {}
    with plt.rc_context({**STYLE, "svg.hashsalt": name, **plain}):
        figure = plt.figure(figsize=(width, height), layout="constrained", dpi=200 if form == "png" else 72)

        def save() -> bytes:
            if form == "png":
                return _written(figure, "png", {"Software": None})
            svg = _written(figure, "svg", {"Date": None, "Creator": None, "Type": None, "Format": None})
            return _inline(svg, name) if form == "inline" else svg

        yield figure, save


def _written(figure: Figure, kind: str, metadata: dict[str, str | None] | None) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format=kind, metadata=metadata)
    plt.close(figure)
    return buffer.getvalue()


def _inline(svg: bytes, name: str) -> bytes:
    """The <svg> element alone, its ids unlike those of any other figure, its width left to the page."""
    text = svg.decode()
    text = text[text.index("<svg") :]
    text = re.sub(r'\bid="', f'id="{name}-', text)
    text = re.sub(r'(href="#|url\(#)', rf"\1{name}-", text)
    text = re.sub(r'(<svg[^>]*?) (?:width|height)="[^"]*"', r"\1", text, count=1)
    text = re.sub(r'(<svg[^>]*?) (?:width|height)="[^"]*"', r"\1", text, count=1)
    return text.replace("font-family: 'DejaVu Sans', sans-serif", "font-family: inherit").encode()

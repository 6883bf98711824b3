"""Curves and comparisons of a report. Shapes and dashes, not hue alone, tell lines apart."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from tracking.figures.canvas import BARS, DEEP, GREY, INK, OTHER, RULE, SHALLOW, Form, canvas
from tracking.statistics import EQUIVALENCE, Comparison, spread

STYLES = {
    "shallow-first": (SHALLOW, "o", "-"),
    "deep-first": (DEEP, "s", "--"),
    "outer-first": (OTHER, "^", "-."),
    "inner-first": (GREY, "D", ":"),
}
BASELINES = {"all": ("-.", "all {unit}s"), "scratch": ((0, (6, 2)), "from scratch"), "zero_shot": (":", "zero-shot")}


@dataclass(frozen=True)
class Curve:
    """One order's scores: `folds[i]` holds the fold values at `depths[i]` tuned blocks."""

    order: str
    depths: tuple[int, ...]
    folds: tuple[tuple[float, ...], ...]
    masks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Panel:
    """The curves of one sweep: `baselines` name -> mean Dice; `stamp` is written across its head (SYNTHETIC DATA)."""

    curves: Sequence[Curve]
    baselines: Mapping[str, float]
    stamp: str = ""
    title: str = ""
    unit: str = "block"


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

    `name` makes the ids of a figure unique in a page; `limits` fixes the score axis; `unit` is what a mask counts.
    Inline, every mean carries what a pointer over it shows (`data-hover`).
    """
    with canvas(name, 8.6, 4.7, form) as (figure, save):
        _draw_panel(figure.add_subplot(), Panel(curves, baselines, stamp, unit=unit), label, limits)
        svg = save()
    return _with_hints(svg, name, curves) if form == "inline" else svg


def draw_panels(panels: Sequence[Panel], limits: tuple[float, float] | None, form: Form = "png") -> bytes:
    """The curves of several sweeps side by side on one scale, each under its title."""
    with canvas("panels", 7.4 * len(panels), 4.9, form) as (figure, save):
        for column, panel in enumerate(panels, 1):
            _draw_panel(figure.add_subplot(1, len(panels), column), panel, "Dice", limits)
        return save()


def _draw_panel(axes: Axes, panel: Panel, label: str, limits: tuple[float, float] | None) -> None:
    curves = panel.curves
    depths = sorted({depth for curve in curves for depth in curve.depths})
    for index, curve in enumerate(curves):
        _draw_curve(axes, curve, (index - (len(curves) - 1) / 2) * 0.16)
    right = (depths[-1] if depths else 1) + 0.55
    if limits:
        axes.set_ylim(limits)
    _draw_baselines(
        axes, {key: value for key, value in panel.baselines.items() if not math.isnan(value)}, right, panel.unit
    )
    axes.set_xlim((depths[0] if depths else 1) - 0.45, right)
    axes.set_xticks(depths)
    axes.set_xlabel(f"number of tuned {panel.unit}s (shallow-first: from the input; deep-first: from the output)")
    axes.set_ylabel(f"{label}, mean over images")
    axes.grid(axis="y", color=RULE, linewidth=0.6)
    if curves:
        # Above the axes, where no curve can run underneath.
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=len(curves), handlelength=3.2)
    above = 24 if len(curves) > 3 or panel.title else None  # above the legend, where it would run into the rest
    if panel.title:
        axes.set_title(panel.title, loc="left", color=INK, fontweight="bold", fontsize=10, pad=above)
    if panel.stamp:
        axes.set_title(panel.stamp, loc="right", color=DEEP, fontweight="bold", fontsize=10, pad=above)


def _with_hints(svg: bytes, name: str, curves: Sequence[Curve]) -> bytes:
    text = svg.decode()
    for curve in curves:
        masks = curve.masks or ("",) * len(curve.depths)
        for depth, mask, folds in zip(curve.depths, masks, curve.folds, strict=True):
            fold_values = " · ".join("–" if math.isnan(value) else f"{value:.3f}" for value in folds)
            hint = (
                f"{curve.order} {depth}{f' ({mask})' if mask else ''}: {spread(folds).mean:.3f} | folds {fold_values}"
            )
            mark = f'id="{name}-hit-{curve.order}-{depth}"'
            text = text.replace(mark, f'{mark} class="hit" data-hover="{escape(hint)}"')
    return text.encode()


def _draw_curve(axes: Axes, curve: Curve, shift: float) -> None:
    colour, marker, dashes = STYLES.get(curve.order, (INK, "x", "-"))
    x = np.asarray(curve.depths, float) + shift
    spreads = [spread(folds) for folds in curve.folds]
    _draw_folds(axes, curve, x, colour, marker)
    axes.errorbar(
        x,
        [over_folds.mean for over_folds in spreads],
        yerr=[np.nan_to_num(over_folds.sd) for over_folds in spreads],
        color=colour,
        marker=marker,
        linestyle=dashes,
        **BARS,
        zorder=3,
        label=curve.order,
    )
    for position, depth, over_folds in zip(x, curve.depths, spreads, strict=True):
        _draw_target(axes, float(position), over_folds.mean, f"hit-{curve.order}-{depth}", colour)


def _draw_folds(axes: Axes, curve: Curve, x: NDArray[np.float64], colour: str, marker: str) -> None:
    """An open mark for every fold."""
    for position, folds in zip(x, curve.folds, strict=True):
        axes.plot(
            [position] * len(folds),
            folds,
            linestyle="",
            marker=marker,
            markersize=3.2,
            markerfacecolor="white",
            markeredgecolor=colour,
            markeredgewidth=0.7,
            alpha=0.75,
            zorder=2,
        )


def _draw_target(axes: Axes, x: float, y: float, name: str, colour: str) -> None:
    """An invisible mark, large enough for a pointer."""
    axes.plot([x], [y], marker="o", markersize=15, linestyle="", alpha=0, color=colour, gid=name, zorder=4)


def _draw_baselines(axes: Axes, baselines: Mapping[str, float], right: float, unit: str) -> None:
    """Horizontal lines, named at the right edge; names closer than 4 % of the height are pushed apart."""
    for key, value in baselines.items():
        axes.axhline(value, color=GREY, linewidth=1.1, linestyle=BASELINES[key][0], zorder=1)
    low, high = axes.get_ylim()
    last = -math.inf
    for key, value in sorted(baselines.items(), key=lambda item: item[1]):
        last = max(value, last + 0.045 * (high - low))
        label = BASELINES[key][1].format(unit=unit)
        axes.annotate(
            f"{label} {value:.3f}",
            (right, last),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            color=GREY,
            fontsize=9,
            annotation_clip=False,
        )


def draw_comparisons(
    rows: Sequence[tuple[str, Comparison]], stamp: str = "", form: Form = "inline", name: str = "comparisons"
) -> bytes:
    """Differences in Dice with their 95 % intervals, every fold, and the band of practical equality (±0.01)."""
    with canvas(name, 8.6, 0.85 + 0.62 * len(rows), form) as (figure, save):
        axes = figure.add_subplot()
        axes.axvspan(-EQUIVALENCE, EQUIVALENCE, color=RULE, alpha=0.6, linewidth=0)
        axes.axvline(0, color=INK, linewidth=0.8)
        for y, (_, comparison) in enumerate(reversed(rows)):
            axes.plot(
                comparison.folds, [y - 0.24] * len(comparison.folds), linestyle="", marker="|", color=GREY, markersize=7
            )
            if not math.isnan(comparison.low):
                axes.plot([comparison.low, comparison.high], [y, y], color=INK, linewidth=1.8, solid_capstyle="butt")
            axes.plot([comparison.mean], [y], marker="D", color=INK, markersize=6)
        axes.set_yticks(range(len(rows)), [name for name, _ in reversed(rows)])
        axes.set_ylim(-0.6, len(rows) - 0.4)
        axes.set_xlabel("deep better  ←  difference in Dice  →  shallow better")
        axes.spines["left"].set_visible(False)
        axes.tick_params(axis="y", length=0)
        if stamp:
            axes.set_title(stamp, loc="right", color=DEEP, fontweight="bold", fontsize=10)
        return save()

"""The figures of an answer: what each block and each pair does, and Dice against price. Readable in grey."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.axes import Axes

from tracking.best_mask.candidates import CandidateAt
from tracking.best_mask.measured_effects import BlockEffect, MeasuredEffects, PairEffect
from tracking.best_mask.pareto import Price, price_of
from tracking.best_mask.ranking import Ranking
from tracking.figures.canvas import DEEP, GREY, INK, RULE, SHALLOW, Form, canvas, dice_axis, logarithmic
from tracking.statistics import EQUIVALENCE, Comparison

LABELLED = 10  # masks of a front whose names are written
LABELS = {
    "parameters": "trained parameters (logarithmic)",
    "seconds": "seconds of training, all folds (logarithmic)",
}


def draw_effects(effects: MeasuredEffects, stamp: str = "", form: Form = "inline", unit: str = "block") -> bytes:
    """Left the effect of every block with its 95 % interval; right, where there are any, the interactions of two.

    A filled circle: the pair brings more than its parts; an open one: less. Its area is the size; a cross inside says
    that the interval excludes 0.
    """
    blocks, pairs = effects.blocks, effects.pairs
    height = max(2.6, 0.9 + 0.34 * len(blocks))
    with canvas("effects", 9.4 if pairs else 6.4, height, form) as (figure, save):
        left = figure.add_subplot(1, 2 if pairs else 1, 1)
        _draw_blocks(left, blocks, unit)
        if pairs:
            _draw_pairs(figure.add_subplot(1, 2, 2), pairs, unit)
        if stamp:
            figure.suptitle(stamp, x=0.995, ha="right", color=DEEP, fontweight="bold", fontsize=9)
        return save()


def draw_pareto(ranking: Ranking, price: Price, stamp: str = "", form: Form = "inline") -> bytes:
    """Dice of all candidates against `parameters` or `seconds`, the undominated ones joined and named."""
    points = [candidate for candidate in ranking.compared if not math.isnan(price_of(candidate, price))]
    front = ranking.pareto.of(price)
    with canvas(f"pareto-{price}", 8.6, 3.9, form) as (figure, save):
        axes = figure.add_subplot()
        _draw_points(axes, points, front, price)
        logarithmic(axes, [price_of(candidate, price) for candidate in points])
        axes.margins(0.06, 0.16)
        _name_points(axes, _with_room(front, price, points), price)
        axes.set_xlabel(LABELS[price])
        dice_axis(axes, 2, stamp)
        return save()


def _draw_blocks(axes: Axes, blocks: Sequence[BlockEffect], unit: str) -> None:
    axes.axvspan(-EQUIVALENCE, EQUIVALENCE, color=RULE, alpha=0.6, linewidth=0)
    axes.axvline(0, color=INK, linewidth=0.8)
    heights = range(len(blocks), 0, -1)  # the first on top
    for height, effect in zip(heights, blocks, strict=True):
        if not math.isnan(effect.low):
            axes.plot([effect.low, effect.high], [height, height], color=INK, linewidth=1.8, solid_capstyle="butt")
        filling = INK if _excludes_zero(effect) else "white"
        (marker,) = axes.plot([effect.mean], [height], marker="o", color=INK, markersize=7, markeredgewidth=1.5)
        marker.set_markerfacecolor(filling)
    axes.set_yticks(list(heights), [str(effect.block) for effect in blocks])
    axes.set_ylim(0.4, len(blocks) + 0.6)
    axes.set_ylabel(unit)
    axes.set_xlabel("effect on Dice: thawed − frozen")
    axes.grid(axis="x", color=RULE, linewidth=0.6)
    axes.tick_params(axis="y", length=0)


def _draw_pairs(axes: Axes, pairs: Sequence[PairEffect], unit: str) -> None:
    """The upper half of the matrix: first block down, second block across."""
    low, high = min(pair.blocks[0] for pair in pairs), max(pair.blocks[1] for pair in pairs)
    largest = max(abs(pair.mean) for pair in pairs) or 1.0
    widest = 620 * (8 / max(8, high - low)) ** 2  # in square points: neighbours touch, and never overlap
    for pair in pairs:
        row, column = pair.blocks
        more = pair.mean >= 0
        size = widest * abs(pair.mean) / largest
        axes.scatter([column], [row], s=size, linewidths=1.4, facecolors=_face(more), edgecolors=_edge(more))
        if _excludes_zero(pair):
            axes.plot([column], [row], marker="x", color="white" if more else DEEP, markersize=5, markeredgewidth=1.4)
    axes.set_xlim(low + 0.4, high + 0.6)
    axes.set_ylim(high - 0.4, low - 0.6)
    axes.set_xticks(range(low + 1, high + 1))
    axes.set_yticks(range(low, high))
    axes.set_aspect("equal")
    axes.set_xlabel(f"{unit}, with {unit}")
    axes.grid(color=RULE, linewidth=0.5)
    axes.set_axisbelow(True)
    _explain_pairs(axes, largest)


def _explain_pairs(axes: Axes, largest: float) -> None:
    for more in (True, False):
        label = "more together than apart" if more else "less together"
        axes.scatter([], [], s=90, linewidths=1.4, facecolors=_face(more), edgecolors=_edge(more), label=label)
    axes.plot([], [], marker="x", linestyle="", color=INK, markersize=5, label="interval without 0")
    title = f"largest: {largest:.3f} Dice"
    axes.legend(loc="lower left", fontsize=8.5, title=title, title_fontsize=8.5, alignment="left")


def _face(more: bool) -> str:
    return SHALLOW if more else "white"


def _edge(more: bool) -> str:
    return SHALLOW if more else DEEP


def _excludes_zero(effect: Comparison) -> bool:
    return effect.low > 0 or effect.high < 0


def _draw_points(axes: Axes, points: Sequence[CandidateAt], front: Sequence[CandidateAt], price: Price) -> None:
    across, up = _coordinates(points, price)
    (dots,) = axes.plot(across, up, linestyle="", marker="o", color=GREY, markersize=3, label="measured", zorder=2)
    dots.set_alpha(0.55)
    across, up = _coordinates(front, price)
    (steps,) = axes.step(across, up, where="post", color=SHALLOW, linewidth=1.6, zorder=3)
    steps.set(marker="D", markersize=6, label="nothing as cheap scores higher")


def _coordinates(candidates: Sequence[CandidateAt], price: Price) -> tuple[list[float], list[float]]:
    return [price_of(candidate, price) for candidate in candidates], [candidate.dice for candidate in candidates]


def _name_points(axes: Axes, candidates: Sequence[CandidateAt], price: Price) -> None:
    for candidate in candidates:
        axes.annotate(
            candidate.mask,
            (price_of(candidate, price), candidate.dice),
            xytext=(0, 7),
            textcoords="offset points",
            ha="center",
            va="bottom",
            fontsize=8,
            color=INK,
        )


def _with_room(front: Sequence[CandidateAt], price: Price, points: Sequence[CandidateAt]) -> list[CandidateAt]:
    """Those of a front whose names have room, from the best down: a tenth of the figure's width between two."""
    if not front:
        return []
    across = [math.log(max(1.0, price_of(candidate, price))) for candidate in points]
    room = (max(across) - min(across)) / LABELLED
    front_across = [math.log(max(1.0, price_of(candidate, price))) for candidate in front]
    named = [len(front) - 1]
    for index in range(len(front) - 2, -1, -1):
        if front_across[named[-1]] - front_across[index] >= room:
            named.append(index)
    return [front[index] for index in named]

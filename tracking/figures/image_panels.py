"""Pictures with masks on them: outlines solid and dashed, light on a dark rim, so that they tell apart without hue."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray
from PIL import Image

from tracking.figures.canvas import DEEP, FILL, PREDICTION, STYLE, TRUTH, Form, canvas, written
from tracking.record import Predicted

TILE = 1.45  # inches


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
                _bare(axes)
        figure.subplots_adjust(left=0.25 / (0.55 + 1.35 * max(count, 1)) * 1.4, right=0.995, top=0.95, bottom=0.06,
                               wspace=0.04, hspace=0.04)  # fmt: skip
        return written(figure, "png", None)


@dataclass(frozen=True)
class Example:
    """A case of figure 1: `image` uint8 (H, W) and `truth`, non-zero inside, under its class and name."""

    name: str
    label: str
    image: NDArray[np.uint8]
    truth: NDArray[np.uint8]


@dataclass(frozen=True)
class Case:
    """A row of figure 3: an example, the `rule` it was chosen by, and what each column predicted."""

    rule: str
    example: Example
    predictions: Mapping[str, Predicted]


def draw_examples(groups: Mapping[str, Sequence[Example]], stamp: str = "", form: Form = "png") -> bytes:
    """Figure 1: group by group, every example as it is, and below it with the outline of its truth."""
    across, down = max(map(len, groups.values())), 2 * len(groups)
    with canvas("examples", 0.4 + TILE * across, 0.5 + TILE * down, form) as (figure, save):
        for place, (group, examples) in enumerate(groups.items()):
            for column, one in enumerate(examples):
                for row, head in enumerate((f"{group}:\nimage" if group else "image", "truth")):
                    axes = figure.add_subplot(down, across, (2 * place + row) * across + column + 1)
                    _show(axes, one.image, form)
                    if row == 0:
                        name = _elided(one.name.removeprefix(f"{one.label}/"))
                        axes.set_title(f"{one.label}\n{name}" if one.label else name, fontsize=7)
                    else:
                        _outline(axes, one.truth, TRUTH, "solid")
                    if column == 0:
                        axes.set_ylabel(head, fontsize=9)
        _mark(figure, stamp)
        return save()


def draw_cases(cases: Sequence[Case], columns: Sequence[str], stamp: str = "", form: Form = "png") -> bytes:
    """Figure 3: a row per case; image, truth, and the prediction of every column with the truth dashed over it."""
    heads = ["image", "truth", *columns]
    with canvas("cases", 0.5 + TILE * len(heads), 0.5 + 1.13 * TILE * len(cases), form) as (figure, save):
        for row, case in enumerate(cases):
            for column, head in enumerate(heads):
                axes = figure.add_subplot(len(cases), len(heads), row * len(heads) + column + 1)
                _show(axes, case.example.image, form)
                if row == 0:
                    axes.set_title(head, fontsize=9)
                if column == 0:
                    axes.set_ylabel(case.rule.replace(" most", "\nmost"), fontsize=9)
                    axes.set_xlabel(_elided(case.example.name), fontsize=7, labelpad=2)
                elif column == 1:
                    _paint(axes, case.example.truth, TRUTH)
                elif head in case.predictions:
                    one = case.predictions[head]
                    _paint(axes, one.mask, PREDICTION)
                    _outline(axes, case.example.truth, TRUTH, "dashed")
                    axes.set_xlabel(_dice(one.dice), fontsize=8, labelpad=2)
                else:
                    axes.set_xlabel("not recorded", fontsize=8, labelpad=2)
        _mark(figure, stamp)
        return save()


def draw_neurons(
    rows: Sequence[tuple[str, Sequence[bytes | None]]], columns: Sequence[str], stamp: str = "", form: Form = "png"
) -> bytes:
    """Figure 5: a row per neuron, (its name, one PNG of before and after per column); None where none was drawn."""
    with canvas("neurons", 0.4 + 3.6 * len(columns), 0.4 + 2.75 * len(rows), form) as (figure, save):
        for row, (name, pictures) in enumerate(rows):
            for column, png in enumerate(pictures):
                axes = figure.add_subplot(len(rows), len(columns), row * len(columns) + column + 1)
                _bare(axes)
                if png is not None:
                    sheet = np.asarray(Image.open(io.BytesIO(png)).convert("L"))
                    axes.imshow(sheet, cmap="gray", vmin=0, vmax=255, interpolation="none" if form == "svg" else None)
                if row == 0:
                    axes.set_title(columns[column], fontsize=10)
                if column == 0:
                    axes.set_ylabel(name, fontsize=9)
        _mark(figure, stamp)
        return save()


def _show(axes: Axes, image: NDArray[np.uint8], form: Form) -> None:
    """An 8-bit image as it is; in an SVG its own pixels, else the nearest one."""
    axes.imshow(image, cmap="gray", vmin=0, vmax=255, interpolation="none" if form == "svg" else "nearest")
    _bare(axes)


def _bare(axes: Axes) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)


def _mark(figure: Figure, stamp: str) -> None:
    if stamp:
        figure.suptitle(stamp, x=0.995, ha="right", color=DEEP, fontweight="bold", fontsize=9)


def _paint(axes: Axes, mask: NDArray[np.generic], colour: str) -> None:
    inside = np.asarray(mask) > 0
    layer = np.zeros((*inside.shape, 4))
    layer[inside] = (*to_rgb(colour), FILL)
    axes.imshow(layer, interpolation="nearest")
    _outline(axes, mask, colour, "solid")


def _outline(axes: Axes, mask: NDArray[np.generic], colour: str, dashes: str) -> None:
    inside = np.asarray(mask) > 0
    if inside.any() and not inside.all():  # else there is no border to draw, and contour warns
        lines = axes.contour(inside.astype(float), levels=[0.5], colors=[colour], linewidths=1.1, linestyles=dashes)
        lines.set(path_effects=[withStroke(linewidth=2.0, foreground="black", alpha=0.6)])


def _dice(value: float) -> str:
    return "empty truth" if math.isnan(value) else f"Dice {value:.2f}"


def _elided(name: str, longest: int = 20) -> str:
    return name if len(name) <= longest else f"…{name[1 - longest :]}"

"""Images with masks on them: outlines solid and dashed, light on a dark rim, so that they tell apart without hue."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from tracking.figures.canvas import DEEP, FILL, PREDICTION, TRUTH, Form, canvas
from tracking.foreign_images import open_png
from tracking.record import Predicted

TILE = 1.45  # inches


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
        for number, (group, examples) in enumerate(groups.items()):
            for column, example in enumerate(examples):
                panels = [
                    figure.add_subplot(down, across, (2 * number + row) * across + column + 1) for row in range(2)
                ]
                _draw_example(panels, example, form)
                if column == 0:
                    panels[0].set_ylabel(f"{group}:\nimage" if group else "image", fontsize=9)
                    panels[1].set_ylabel("truth", fontsize=9)
        _mark(figure, stamp)
        return save()


def _draw_example(panels: Sequence[Axes], example: Example, form: Form) -> None:
    """An image under its class and name, and below it the same with the outline of its truth."""
    for axes in panels:
        _show(axes, example.image, form)
    name = elided(example.name.removeprefix(f"{example.label}/"))
    panels[0].set_title(f"{example.label}\n{name}" if example.label else name, fontsize=7)
    outline(panels[1], example.truth, TRUTH, "solid")


def draw_cases(cases: Sequence[Case], columns: Sequence[str], stamp: str = "", form: Form = "png") -> bytes:
    """Figure 3: a row per case; image, truth, and the prediction of every column with the truth dashed over it."""
    heads = ["image", "truth", *columns]
    with canvas("cases", 0.5 + TILE * len(heads), 0.5 + 1.13 * TILE * len(cases), form) as (figure, save):
        for row, case in enumerate(cases):
            panels = [
                figure.add_subplot(len(cases), len(heads), row * len(heads) + column + 1)
                for column in range(len(heads))
            ]
            _draw_case(panels, case, columns, form)
            if row == 0:
                for axes, head in zip(panels, heads, strict=True):
                    axes.set_title(head, fontsize=9)
        _mark(figure, stamp)
        return save()


def _draw_case(panels: Sequence[Axes], case: Case, columns: Sequence[str], form: Form) -> None:
    """One row of figure 3: the image with its rule and name, the truth, and a prediction for each column."""
    for axes in panels:
        _show(axes, case.example.image, form)
    image, truth, *predicted = panels
    image.set_ylabel(case.rule.replace(" most", "\nmost"), fontsize=9)
    image.set_xlabel(elided(case.example.name), fontsize=7, labelpad=2)
    _paint(truth, case.example.truth, TRUTH)
    for axes, column in zip(predicted, columns, strict=True):
        _draw_prediction(axes, case.predictions.get(column), case.example.truth)


def _draw_prediction(axes: Axes, prediction: Predicted | None, truth: NDArray[np.uint8]) -> None:
    if prediction is None:
        axes.set_xlabel("not recorded", fontsize=8, labelpad=2)
        return
    _paint(axes, prediction.mask, PREDICTION)
    outline(axes, truth, TRUTH, "dashed")
    axes.set_xlabel(dice_text(prediction.dice), fontsize=8, labelpad=2)


def draw_neurons(
    rows: Sequence[tuple[str, Sequence[bytes | None]]], columns: Sequence[str], stamp: str = "", form: Form = "png"
) -> bytes:
    """Figure 5: a row per neuron, (its name, one PNG of before and after per column); None where none was drawn."""
    with canvas("neurons", 0.4 + 3.6 * len(columns), 0.4 + 2.75 * len(rows), form) as (figure, save):
        for row, (name, sheets) in enumerate(rows):
            for column, png in enumerate(sheets):
                axes = figure.add_subplot(len(rows), len(columns), row * len(columns) + column + 1)
                _bare(axes)
                if png is not None:
                    image = np.asarray(open_png(png).convert("L"))
                    axes.imshow(image, cmap="gray", vmin=0, vmax=255, interpolation="none" if form == "svg" else None)
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
    outline(axes, mask, colour, "solid")


def outline(axes: Axes, mask: NDArray[np.generic], colour: str, dashes: str) -> None:
    """Draw the border of a mask (H, W), non-zero inside; NaN is neither inside nor outside."""
    known = np.asarray(mask, np.float64)
    inside = np.where(np.isnan(known), np.nan, known > 0)
    if (inside == 1).any() and (inside == 0).any():  # else there is no border to draw, and contour warns
        lines = axes.contour(inside, levels=[0.5], colors=[colour], linewidths=1.1, linestyles=dashes)
        lines.set(path_effects=[withStroke(linewidth=2.0, foreground="black", alpha=0.6)])


def dice_text(value: float) -> str:
    """What stands below a prediction."""
    return "empty truth" if math.isnan(value) else f"Dice {value:.2f}"


def elided(name: str, longest: int = 20) -> str:
    """A name in at most so many characters, its end kept."""
    return name if len(name) <= longest else f"…{name[1 - longest :]}"

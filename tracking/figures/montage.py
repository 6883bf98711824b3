"""The montage of a trial: its fixed images, truths and predictions as one picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from numpy.typing import NDArray

from tracking.figures.canvas import FILL, PREDICTION, STYLE, TRUTH, to_bytes
from tracking.figures.image_panels import dice_text, elided, outline

ROWS = ("image", "truth", "prediction")
COLUMN, HEIGHT = 1.35, 4.5  # inches: a column, the figure
LEFT, RIGHT, ABOVE, BELOW = 0.45, 0.1, 0.225, 0.27  # inches: margins
GAP = 0.04  # between two tiles, as a share of their side


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
    width = LEFT + COLUMN * max(len(images), 1) + RIGHT
    with plt.rc_context(STYLE):
        figure = plt.figure(figsize=(width, HEIGHT), dpi=110)
        # One pair of axes for all tiles: one for each takes four times as long, and every trial has a montage.
        axes = figure.add_axes((LEFT / width, BELOW / HEIGHT, 1 - (LEFT + RIGHT) / width, 1 - (ABOVE + BELOW) / HEIGHT))
        axes.axis("off")
        _show_tiles(axes, np.asarray(images, np.float64), np.asarray(truths) > 0, np.asarray(predictions) > 0)
        _write_around(axes, images.shape, names, dices)
        return to_bytes(figure, "png", None)


def _show_tiles(
    axes: Axes, images: NDArray[np.float64], truths: NDArray[np.bool_], predictions: NDArray[np.bool_]
) -> None:
    grey, nowhere = np.repeat(images[..., None], 3, axis=-1), np.full(truths.shape, np.nan)
    rows = [grey, _painted(grey, truths, TRUTH), _painted(grey, predictions, PREDICTION)]
    axes.imshow(np.round(255 * _joined(rows, 1.0)).astype(np.uint8), interpolation="nearest")
    outline(axes, _joined([nowhere, truths, nowhere], np.nan), TRUTH, "solid")
    outline(axes, _joined([nowhere, nowhere, predictions], np.nan), PREDICTION, "solid")
    outline(axes, _joined([nowhere, nowhere, truths], np.nan), TRUTH, "dashed")


def _write_around(axes: Axes, shape: tuple[int, ...], names: Sequence[str], dices: Sequence[float]) -> None:
    """Rows at the left, names above, Dice below; `shape` is that of the images, (k, H, W)."""
    height, width = shape[1:]
    down, across = height + _gap(height), width + _gap(width)
    for row, word in enumerate(ROWS):
        place = -0.5, row * down + (height - 1) / 2
        axes.annotate(word, place, (-4, 0), textcoords="offset points", rotation=90, ha="right", va="center", size=9)
    for column, (name, dice) in enumerate(zip(names, dices, strict=True)):
        middle = column * across + (width - 1) / 2
        above, below = (middle, -0.5), (middle, 2 * down + height - 0.5)
        axes.annotate(elided(name), above, (0, 3), textcoords="offset points", ha="center", va="bottom", size=7)
        axes.annotate(dice_text(dice), below, (0, -3), textcoords="offset points", ha="center", va="top", size=8)


def _joined(rows: Sequence[NDArray[np.generic]], between: float) -> NDArray[np.float64]:
    """Rows of tiles (k, H, W[, 3]) as one image, with `between` in the gaps."""
    height, width = rows[0].shape[1:3]
    gaps = [(0, 0), (0, _gap(height)), (0, _gap(width)), *[(0, 0)] * (rows[0].ndim - 3)]
    padded = [np.pad(row.astype(np.float64), gaps, constant_values=between) for row in rows]
    joined = np.concatenate([np.concatenate(list(row), axis=1) for row in padded])
    return joined[: -_gap(height), : -_gap(width)]


def _gap(side: int) -> int:
    return max(1, round(GAP * side))


def _painted(grey: NDArray[np.float64], inside: NDArray[np.bool_], colour: str) -> NDArray[np.float64]:
    """Tiles (k, H, W, 3) with the colour laid over the inside."""
    return np.where(inside[..., None], (1 - FILL) * grey + FILL * np.array(to_rgb(colour)), grey)

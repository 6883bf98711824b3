from __future__ import annotations

import io
import math

import numpy as np
from matplotlib.colors import to_rgb
from numpy.typing import NDArray
from PIL import Image

from tracking.figures.canvas import FILL, PREDICTION, TRUTH
from tracking.figures.montage import montage


def colours_of(png: bytes) -> NDArray[np.uint8]:
    """(3, h, w, 3): about the three rows of tiles."""
    shown = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))
    height = len(shown) // 3
    return np.stack([shown[height * row : height * (row + 1)] for row in range(3)])


def share(shown: NDArray[np.uint8], colour: str, grey: float = 0.5) -> float:
    """How much of a picture has the colour of a filled mask on grey."""
    filled = 255 * ((1 - FILL) * grey + FILL * np.array(to_rgb(colour)))
    return float((np.abs(shown - filled).max(axis=-1) < 2).mean())


def test_the_montage_shows_grey_values_as_they_are() -> None:
    images = np.full((2, 32, 32), 0.5, np.float32)
    images[1] = 0.25  # a stretch of contrast would turn both into the same image
    truths = np.zeros((2, 32, 32), np.uint8)
    truths[0, 8:20, 8:20] = 1
    png = montage(images, truths, np.ones_like(truths), ["a", "b"], [0.5, math.nan])
    shown = colours_of(png)
    assert {128, 64} <= set(np.unique(shown).tolist()) or {127, 64} <= set(np.unique(shown).tolist())


def test_a_montage_of_nothing_predicted_draws_no_outline() -> None:
    nothing = np.zeros((1, 16, 16), np.uint8)
    assert montage(nothing.astype(float), nothing, nothing, ["a"], [math.nan]).startswith(b"\x89PNG")


def test_a_row_for_the_image_one_for_the_truth_one_for_the_prediction() -> None:
    images, truths, predictions = np.full((2, 32, 32), 0.5), np.zeros((2, 32, 32)), np.zeros((2, 32, 32))
    truths[0, 4:28, 4:28] = 1
    predictions[1, 4:28, 4:28] = 1
    image, truth, predicted = colours_of(montage(images, truths, predictions, ["a", "b"], [0.0, 0.0]))
    middle = image.shape[1] // 2
    assert share(image, TRUTH) == share(image, PREDICTION) == 0
    assert share(truth[:, :middle], TRUTH) > 0.2 and share(truth[:, middle:], TRUTH) == share(truth, PREDICTION) == 0
    assert share(predicted[:, middle:], PREDICTION) > 0.2 and share(predicted[:, :middle], PREDICTION) == 0
    assert share(predicted, TRUTH) == 0  # only its outline


def test_an_outline_is_open_where_the_image_ends() -> None:
    """A mask that fills its tile has no border at all, whatever stands in the next one."""
    images, whole = np.full((2, 32, 32), 0.5), np.stack([np.ones((32, 32)), np.zeros((32, 32))])
    _, truth, _ = colours_of(montage(images, whole, np.zeros_like(whole), ["a", "b"], [0.0, 0.0]))
    outline = np.abs(truth - 255 * np.array(to_rgb(TRUTH))).max(axis=-1)
    assert share(truth, TRUTH) > 0.2 and outline.min() > 20

"""Red objects on green of the same luminance, and a network that tells the two by their hue alone."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
from keras import layers
from PIL import Image

SIDE = 32
RED, GREEN = (200, 0, 0), (0, 102, 0)  # both are 60 of 255 in grey


def hue_network(channels: int = 3) -> keras.Model:
    """Foreground is where red outweighs green: two resolutions, weights set by hand."""
    image = keras.Input((SIDE, SIDE, channels))
    x = layers.Conv2D(1, 1, name="hue")(image)
    x = layers.UpSampling2D(name="up")(layers.Conv2D(1, 1, name="low")(layers.MaxPooling2D(name="pool")(x)))
    network = keras.Model(image, layers.Conv2D(1, 1, activation="sigmoid", name="mask")(x), name="hues")
    red_over_green = np.array([1.0, -1.0, 0.0])[:channels].reshape(1, 1, channels, 1)
    one, none = np.ones((1, 1, 1, 1)), np.zeros(1)
    network.set_weights([red_over_green, none, one, none, 20 * one, none - 1])
    return network


def write_hues(folder: Path, n: int = 10) -> Path:
    """`n` images with their masks, shaded differently and of one luminance inside and outside."""
    rng = np.random.default_rng(0)
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    for number in range(n):
        top, left = 2 * rng.integers(1, 7, 2)
        mask = np.zeros((SIDE, SIDE), bool)
        mask[top : top + 12, left : left + 14] = True
        shade = Image.fromarray(rng.uniform(0.4, 1, (4, 4)).astype(np.float32)).resize((SIDE, SIDE))
        colours = np.where(mask[..., None], RED, GREEN) * np.asarray(shade)[..., None]
        Image.fromarray(colours.round().astype(np.uint8)).save(folder / f"images/{number}.png")
        Image.fromarray(mask.astype(np.uint8) * 255).save(folder / f"masks/{number}.png")
    return folder

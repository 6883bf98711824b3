"""From a network to masks of whole images: a sigmoid on top of any logits, images resized there and back."""

from __future__ import annotations

from dataclasses import dataclass, replace

import keras
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from trainer.channels import with_channels
from trainer.config import ModelConfig
from trainer.data.images import resized
from trainer.errors import UserError, first_line
from trainer.network.user_model import AS_IT_IS, checked_copy, found_out, free_name, reads_colour
from trainer.training.metrics import THRESHOLD

LABEL_SIDES, LARGEST = (
    (200, 40),
    8,
)  # width and height that a label needs in pixels; small images are enlarged this many times at most
MULTIPLE, LARGEST_SIDE = 32, 1024  # of the sides that a network of any size is given
LINE, FILL = (76, 201, 240), 0.35  # the colour of predictions in all of thaw's figures, and its share inside


@dataclass(frozen=True)
class Segmenter:
    """A network that gives probabilities (1, height, width, 1) for one image of that size in [0, 1].

    `height`, `width`: None where the network reads any size; an image is then read at its own, each side rounded to a
    multiple of 32 and at most 1024. `colour`: whether it is given colours. `notes`: what is to be known of the network,
    one sentence each.
    """

    network: keras.Model
    height: int | None
    width: int | None
    notes: tuple[str, ...] = ()
    colour: bool = False

    def probability(self, image: NDArray[np.float32]) -> NDArray[np.float32]:
        """Foreground probability of every pixel of an image (H, W), or (H, W, 3) in colour, in [0, 1] of any size.

        The image is resized as in training (`trainer.data.images.read_image`: anti-aliased, squeezed when the shape
        differs) and the probability linearly back, so that outlines follow the image's own pixels. Raises `UserError`
        for an image that a network of any size cannot read.
        """
        width_height = image.shape[1], image.shape[0]
        x = with_channels(resized(image, self._sides(image.shape[:2]))[None])
        probability = np.asarray(self._computed(x), np.float32)[0, ..., 0]
        return np.asarray(Image.fromarray(probability).resize(width_height, Image.Resampling.BILINEAR), np.float32)

    def mask(self, image: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Where the probability of an image (H, W) or (H, W, 3) is above 0.5."""
        return self.probability(image) > THRESHOLD

    def _sides(self, shape: tuple[int, ...]) -> tuple[int, int]:
        smaller = min(1.0, LARGEST_SIDE / max(shape))
        own = [max(1, round(smaller * side / MULTIPLE)) * MULTIPLE for side in shape]
        return self.height or own[0], self.width or own[1]

    def _computed(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        if self.height and self.width:
            return np.asarray(self.network.predict_on_batch(x))
        try:
            given = keras.ops.convert_to_numpy(self.network(x, training=False))  # traced, it would be so for each size
        except Exception as error:  # each backend has types of its own for these
            raise UserError(_any_size(self.network, x.shape, first_line(error))) from error
        if given.shape[:3] != x.shape[:3]:
            raise UserError(_any_size(self.network, x.shape, f"it gives {given.shape[1]}x{given.shape[2]}"))
        return np.asarray(given)


def _any_size(network: keras.Model, shape: tuple[int, ...], why: str) -> str:
    return (
        f"A network must answer at the size of its input, but '{network.name}' does not for {shape[1]}x{shape[2]} "
        f"pixels: {why}. Set model.size to a side that it can read."
    )


def with_probabilities(network: keras.Model) -> keras.Model:
    """The network with a sigmoid layer on top of its logits.

    Plain Keras layers only, so the result loads anywhere without thaw.
    """
    sigmoid = keras.layers.Activation("sigmoid", name=free_name(network, "probability"))
    return keras.Model(network.input, sigmoid(network.outputs[0]), name=network.name)


def segmenter(network: keras.Model, config: ModelConfig = AS_IT_IS, size: int | None = None) -> Segmenter:
    """Make a network of one's own ready for images: the same copy that a sweep would search.

    `size`: the side of the images that it is to read, where it reads any. A copy of thaw's that was trained on colours
    is given colours; any other network only where `config.colour` says so. Raises `UserError` for a network that
    `thaw run` refuses, in the same words.
    """
    config, notes = found_out(network, replace(config, colour=config.colour or reads_colour(network)))
    _, height, width, _ = network.inputs[0].shape
    copy = checked_copy(network, size or (height, width), config)
    _, height, width, _ = copy.input_shape
    return Segmenter(with_probabilities(copy), height, width, notes, config.colour)


def overlay(grey: NDArray[np.float32], mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """The image (H, W) in [0, 1] as RGB uint8 (H, W, 3), the mask tinted and its outline drawn inside it.

    The outline grows with the image, so that it stays visible when a large image is shown small.
    """
    rgb = np.repeat((grey[..., None] * 255).round(), 3, axis=2)
    colour = np.array(LINE, np.float32)
    rgb[mask] = (1 - FILL) * rgb[mask] + FILL * colour
    inner = mask
    for _ in range(max(1, round(max(grey.shape) / 300))):
        padded = np.pad(inner, 1)  # beyond the border is outside: a mask that touches the border is outlined there too
        inner = inner & padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    rgb[mask & ~inner] = colour
    return rgb.astype(np.uint8)


def labelled(image: NDArray[np.uint8], words: str) -> NDArray[np.uint8]:
    """An RGB image (H, W, 3) with words printed in its lower left corner, white on black: readable in grey, too.

    An image too small for the words is enlarged, each pixel to a square, so that they fit and hide little of it.
    """
    height, width = image.shape[:2]
    times = min(LARGEST, max(-(-LABEL_SIDES[0] // width), -(-LABEL_SIDES[1] // height)))
    canvas = Image.fromarray(image.repeat(times, axis=0).repeat(times, axis=1))
    font = ImageFont.load_default(size=max(12, min(canvas.width // 30, canvas.height // 3)))
    draw = ImageDraw.Draw(canvas)
    left, top, right, bottom = draw.textbbox((0, 0), words, font=font)
    upper = canvas.height - (bottom - top) - 6
    draw.rectangle((0, upper, right - left + 6, canvas.height), fill="black")
    draw.text((3 - left, upper + 3 - top), words, font=font, fill="white")
    return np.asarray(canvas)

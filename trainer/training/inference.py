"""From a network to masks of whole images: a sigmoid on top of any logits, images resized there and back."""

from __future__ import annotations

from dataclasses import dataclass

import keras
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from trainer.errors import UserError
from trainer.training.metrics import THRESHOLD

LABEL_SIDES, LARGEST = (
    (200, 40),
    8,
)  # width and height that a label needs in pixels; small images are enlarged this many times at most
LINE, FILL = (76, 201, 240), 0.35  # the colour of predictions in all of thaw's figures, and its share inside


@dataclass(frozen=True)
class Segmenter:
    """A network that gives probabilities (1, height, width, 1) for one grey image of that size in [0, 1]."""

    network: keras.Model
    height: int
    width: int

    def probability(self, grey: NDArray[np.float32]) -> NDArray[np.float32]:
        """Foreground probability of every pixel of a grey image (H, W) in [0, 1] of any size.

        The image is resized as in training (`trainer.data.images.read_image`: anti-aliased, squeezed when the shape
        differs) and the probability linearly back, so that outlines follow the image's own pixels.
        """
        width_height = grey.shape[1], grey.shape[0]
        small = Image.fromarray(grey).resize((self.width, self.height), Image.Resampling.BILINEAR)
        x = np.clip(np.asarray(small, np.float32), 0, 1)[None, ..., None]
        probability = np.asarray(self.network.predict_on_batch(x), np.float32)[0, ..., 0]
        return np.asarray(Image.fromarray(probability).resize(width_height, Image.Resampling.BILINEAR), np.float32)

    def mask(self, grey: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Where the probability of a grey image (H, W) is above 0.5."""
        return self.probability(grey) > THRESHOLD


def with_probabilities(network: keras.Model) -> keras.Model:
    """The network with a sigmoid layer on top of its logits; a network that ends with a sigmoid is left as it is.

    Plain Keras layers only, so the result loads anywhere without thaw. Raises `UserError` for any other last
    activation, because its numbers are neither logits nor probabilities.
    """
    if len(network.outputs) != 1 or network.outputs[0].shape[-1] != 1:
        shapes = ", ".join(str(tuple(tensor.shape)) for tensor in network.outputs)
        raise UserError(f"A model must give one value per pixel (H, W, 1), but '{network.name}' gives {shapes}.")
    last = network.outputs[0]._keras_history.operation
    activation = getattr(getattr(last, "activation", None), "__name__", "linear")
    if activation == "sigmoid":
        return network
    if activation != "linear":
        raise UserError(
            f"A model must end with logits or with a sigmoid, but '{network.name}' ends with '{activation}' "
            f"(layer '{last.name}')."
        )
    sigmoid = keras.layers.Activation("sigmoid", name="probability")
    return keras.Model(network.inputs, sigmoid(network.outputs[0]), name=network.name)


def segmenter(network: keras.Model) -> Segmenter:
    """Make a network ready for images. Raises `UserError` for one whose input is no grey image of a fixed size."""
    shapes = [tuple(tensor.shape) for tensor in network.inputs]
    if len(shapes) != 1 or len(shapes[0]) != 4 or shapes[0][3] != 1 or None in shapes[0][1:]:
        raise UserError(
            f"A model must say the size of its input, one grey image (height, width, 1), but '{network.name}' takes "
            f"{', '.join(map(str, shapes))}. Save it with keras.Input((height, width, 1)), the size it was trained at."
        )
    probabilistic = with_probabilities(network)
    if tuple(probabilistic.outputs[0].shape[1:]) != shapes[0][1:]:
        raise UserError(
            f"A model must answer at the size of its input {shapes[0][1:]}, but '{network.name}' gives "
            f"{tuple(probabilistic.outputs[0].shape[1:])}."
        )
    return Segmenter(probabilistic, shapes[0][1], shapes[0][2])


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

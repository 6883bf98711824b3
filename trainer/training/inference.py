"""From a network to masks of whole pictures: probabilities on top of any logits, resized there and back."""

from __future__ import annotations

from dataclasses import dataclass

import keras
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from trainer.errors import UserError
from trainer.training.metrics import THRESHOLD

LABEL_SIDES, LARGEST = (200, 40), 8  # width and height a label needs in pixels; small pictures grow this many times
LINE, FILL = (76, 201, 240), 0.35  # the colour of predictions in every picture of thaw, and how much of it inside


@dataclass(frozen=True)
class Segmenter:
    """A network that gives probabilities (1, height, width, 1) for one grey picture of that size in [0, 1]."""

    network: keras.Model
    height: int
    width: int

    def probability(self, grey: NDArray[np.float32]) -> NDArray[np.float32]:
        """Foreground probability of every pixel of a grey picture (H, W) in [0, 1] of any size.

        The picture is resized as in training (`trainer.data.images.read_image`: anti-aliased, squeezed when the shape
        differs) and the answer linearly back, so that outlines follow the picture's own pixels.
        """
        shape = grey.shape[1], grey.shape[0]
        small = Image.fromarray(grey).resize((self.width, self.height), Image.Resampling.BILINEAR)
        x = np.clip(np.asarray(small, np.float32), 0, 1)[None, ..., None]
        answer = np.asarray(self.network.predict_on_batch(x), np.float32)[0, ..., 0]
        return np.asarray(Image.fromarray(answer).resize(shape, Image.Resampling.BILINEAR), np.float32)

    def mask(self, grey: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Where the probability of a grey picture (H, W) is above 0.5."""
        return self.probability(grey) > THRESHOLD


def with_probabilities(network: keras.Model) -> keras.Model:
    """The network with a sigmoid layer on top of its logits; one that ends with a sigmoid already is left as it is.

    Plain Keras layers only, so the result loads anywhere without thaw. Raises `UserError` for any other ending, since
    its numbers would be read wrongly.
    """
    if len(network.outputs) != 1 or network.outputs[0].shape[-1] != 1:
        shapes = ", ".join(str(tuple(tensor.shape)) for tensor in network.outputs)
        raise UserError(f"A model must give one value per pixel (H, W, 1), but '{network.name}' gives {shapes}.")
    last = network.outputs[0]._keras_history.operation
    ending = getattr(getattr(last, "activation", None), "__name__", "linear")
    if ending == "sigmoid":
        return network
    if ending != "linear":
        raise UserError(
            f"A model must end with logits or with a sigmoid, but '{network.name}' ends with '{ending}' "
            f"(layer '{last.name}')."
        )
    top = keras.layers.Activation("sigmoid", name="probability")
    return keras.Model(network.inputs, top(network.outputs[0]), name=network.name)


def segmenter(network: keras.Model) -> Segmenter:
    """Make a network ready for pictures. Raises `UserError` for one whose input is no grey picture of a fixed size."""
    shapes = [tuple(tensor.shape) for tensor in network.inputs]
    if len(shapes) != 1 or len(shapes[0]) != 4 or shapes[0][3] != 1 or None in shapes[0][1:]:
        raise UserError(
            f"A model must say the size of its input, one grey picture (height, width, 1), but '{network.name}' takes "
            f"{', '.join(map(str, shapes))}. Save it with keras.Input((height, width, 1)), the size it was trained at."
        )
    ready = with_probabilities(network)
    if tuple(ready.outputs[0].shape[1:]) != shapes[0][1:]:
        raise UserError(
            f"A model must answer at the size of its input {shapes[0][1:]}, but '{network.name}' gives "
            f"{tuple(ready.outputs[0].shape[1:])}."
        )
    return Segmenter(ready, shapes[0][1], shapes[0][2])


def overlay(grey: NDArray[np.float32], mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """The picture (H, W) in [0, 1] as RGB uint8 (H, W, 3), the mask tinted and its outline drawn inside it.

    The outline grows with the picture, so that it can be seen when a large one is shown small.
    """
    picture = np.repeat((grey[..., None] * 255).round(), 3, axis=2)
    colour = np.array(LINE, np.float32)
    picture[mask] = (1 - FILL) * picture[mask] + FILL * colour
    inner = mask
    for _ in range(max(1, round(max(grey.shape) / 300))):
        padded = np.pad(inner, 1)  # beyond the border is outside: a mask that touches it is outlined there too
        inner = inner & padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    picture[mask & ~inner] = colour
    return picture.astype(np.uint8)


def labelled(picture: NDArray[np.uint8], words: str) -> NDArray[np.uint8]:
    """An RGB picture (H, W, 3) with words printed in its lower left corner, white on black: readable in grey, too.

    A picture too small for them is shown enlarged, each pixel as a square, so that they neither hide it nor are cut.
    """
    height, width = picture.shape[:2]
    times = min(LARGEST, max(-(-LABEL_SIDES[0] // width), -(-LABEL_SIDES[1] // height)))
    shown = Image.fromarray(picture.repeat(times, axis=0).repeat(times, axis=1))
    font = ImageFont.load_default(size=max(12, min(shown.width // 30, shown.height // 3)))
    draw = ImageDraw.Draw(shown)
    left, top, right, bottom = draw.textbbox((0, 0), words, font=font)
    corner = shown.height - (bottom - top) - 6
    draw.rectangle((0, corner, right - left + 6, shown.height), fill="black")
    draw.text((3 - left, corner + 3 - top), words, font=font, fill="white")
    return np.asarray(shown)

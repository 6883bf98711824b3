"""Which values a network wants to read: its own first layers are asked, and what they say is told.

thaw's images have values from 0 to 1. A network that begins with `Rescaling(1/255)`, or with statistics of 8-bit
images, was trained on 0 to 255; fed with 0 to 1 it sees black. So the scaling at its input is followed forward, layers
and functions alike, nested ones too, until the first layer that learns.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import layers
from keras.src.layers.preprocessing.image_preprocessing.base_image_preprocessing_layer import (
    BaseImagePreprocessingLayer,  # Keras exports no public name for it
)
from numpy.typing import NDArray

from trainer.config import ModelConfig
from trainer.errors import UserError
from trainer.network.ending import BETWEEN, DROPPING, WITH_ZEROS, activation_of, is_of_keras
from trainer.network.graph import Place, nodes, operands, readers

IMAGE = "thaw_picture"  # the input of every copy that thaw makes: it reads 0 to 1
RANGES = {"0-1": (0.0, 1.0), "0-255": (0.0, 255.0), "-1-1": (-1.0, 1.0)}
HIGHEST = (255.0, 1023.0, 4095.0, 65535.0)  # of 8, 10, 12 and 16 bits
# Layers and functions without weights that leave the scale of the values at the input what it is.
PASSING = (
    *(*BETWEEN, *WITH_ZEROS, *DROPPING),
    *("Tile", "ConvertToTensor", "RGBToGrayscale", "Clip", "Maximum", "Minimum", "Pipeline"),
)
# Those that change images by shares of the range that they are told: with another one they make noise of them.
BY_RANGE = (
    *("RandomBrightness", "RandomColorJitter", "RandomPosterization", "RandomHue", "RandomSaturation"),
    *("Solarization", "Equalization", "AutoContrast"),
)
BRIGHTEST = (1.0, 255.0)
# Encoders of keras.applications that leave the scaling to `preprocess_input`, by the names of the model or its layers.
UNSCALED = (
    (r"mobilenet_1\.|mobilenetv2|expanded_conv_depthwise", "MobileNet", "-1 to 1"),
    (r"inception|xception|nasnet|block1_sepconv1", "Inception, Xception or NASNet", "-1 to 1"),
    (r"resnet\d+v2|conv2_block1_preact", "ResNetV2", "-1 to 1"),
    (r"densenet|conv\d_block\d+_concat", "DenseNet", "0 to 1, less ImageNet's mean, over its deviation"),
    (r"resnet|conv2_block1_1_conv", "ResNet", "0 to 255, blue first, less ImageNet's mean"),
    (r"vgg1|block4_conv3", "VGG", "0 to 255, blue first, less ImageNet's mean"),
)


@dataclass(frozen=True)
class InputRange:
    """What values the copy's images are brought to, and why; `note` is a sentence for the user."""

    low: float
    high: float
    note: str


@dataclass(frozen=True, eq=False)
class _Scaling:
    """What the first layers make of a value x: `scale * x + offset`, per channel; `by`: the last of them."""

    scale: NDArray[np.float64]
    offset: NDArray[np.float64]
    by: str = ""


def range_of(network: keras.Model, config: ModelConfig) -> InputRange:
    """The values that a network wants. Raises `UserError` where its first layers want what thaw cannot give."""
    if config.range != "auto":
        return _told(*RANGES[config.range], "as model.range says")
    (image,) = network.inputs
    if image.name == IMAGE:
        return _told(0, 1, "as thaw made it")
    if not keras.backend.is_float_dtype(image.dtype):
        return _told(0, 255, f"whole numbers, as its input of {image.dtype} says")
    one = np.ones(1)
    found = next(_asked(network, Place(image), _Scaling(one, 0 * one)), None)
    return found or _told(0, 1, _unasked(network))


def _told(low: float, high: float, why: str) -> InputRange:
    return InputRange(float(low), float(high), f"Its images have values from {low:g} to {high:g}: {why}.")


def _asked(network: keras.Model, place: Place, scaling: _Scaling) -> Iterator[InputRange]:
    """What the layers behind `place` say, the first of them first; nothing where they say nothing."""
    for read in readers(network, place):
        operation, kind = read.operation, type(read.operation).__name__
        step = _step(read, kind)
        if isinstance(operation, (layers.Normalization, layers.BatchNormalization)):
            yield from _by_statistics(network, operation, scaling)
        elif step is not None:
            scale, offset = step
            yield from _asked(
                network, read, _Scaling(scale * scaling.scale, scale * scaling.offset + offset, operation.name)
            )
        elif not scaling.by and kind in BY_RANGE:
            low, high = operation.value_range
            yield _told(low, high, f"its '{operation.name}' names that range (model.range)")
        elif _passes(read):
            yield from _asked(network, read, scaling)
        elif scaling.by:
            yield _by_scaling(network, scaling)


def _passes(read: Place) -> bool:
    """Whether the values behind an operation are an image still, and of the scale before it."""
    operation = read.operation
    known = type(operation).__name__ in PASSING or isinstance(operation, BaseImagePreprocessingLayer)
    is_one_number = all(side == 1 for side in read.tensor.shape[1:-1])  # such as a mean that is taken off
    return known and activation_of(operation) == "linear" and not is_one_number


def _step(read: Place, kind: str) -> tuple[Any, Any] | None:
    """Scale and offset of a layer or function that scales; None for any other."""
    if kind == "Rescaling":
        return np.asarray(read.operation.scale, float), np.asarray(read.operation.offset, float)
    if kind == "Negative":
        return np.asarray(-1.0), np.asarray(0.0)
    if kind == "Pipeline":
        return _of_pipeline(read.operation)
    called_with = operands(read)
    numbers = [each for each in called_with if isinstance(each, np.ndarray)]
    if len(called_with) != 2 or len(numbers) != 1:
        return None
    (number,) = numbers
    first = number is called_with[1]
    if kind == "Multiply":
        return number, np.asarray(0.0)
    if kind in ("Divide", "TrueDivide") and first and np.all(number):
        return 1 / number, np.asarray(0.0)
    if kind == "Add":
        return np.asarray(1.0), number
    if kind == "Subtract":
        return (np.asarray(1.0), -number) if first else (np.asarray(-1.0), number)
    return None


def _of_pipeline(pipeline: Any) -> tuple[Any, Any] | None:
    """What the scalings in a `Pipeline` make together; None where it has none."""
    scalings = [layer for layer in pipeline.layers if isinstance(layer, layers.Rescaling)]
    scale, offset = np.asarray(1.0), np.asarray(0.0)
    for layer in scalings:
        scale, offset = scale * layer.scale, offset * layer.scale + layer.offset
    return (scale, offset) if scalings else None


def _by_scaling(network: keras.Model, scaling: _Scaling) -> InputRange:
    """The range that a scaling was written for: what it makes of it is about 0 to 1, -1 to 1 or standardised."""
    scale, offset = float(np.abs(scaling.scale).mean()), float(scaling.offset.mean())
    turned = float(scaling.scale.mean()) < 0  # black for white, such as 1 - x
    why = f"its '{scaling.by}' asks for that (model.range)"
    if 0.4 <= scale <= 8 and (offset > 16 if turned else offset < -16):
        return _told(0, 255, why)  # a mean of 8-bit images is taken off, or they are taken off white
    if 0.4 <= scale <= 8 or scale >= 32:
        signs = offset > 0.25 * scale and (not turned or any(math.isclose(offset + scale, top) for top in BRIGHTEST))
        return _told(-1, 1, why) if signs else _told(0, 1, why)
    for highest in HIGHEST:
        if 0.4 <= scale * highest <= 8:
            return _told(0, highest, why)
    raise UserError(
        f"The values that a network reads must be known, but '{network.name}' multiplies them by {scale:g} first "
        f"('{scaling.by}'). Say which it was trained on: model.range, one of {', '.join(RANGES)}."
    )


def _by_statistics(network: keras.Model, layer: Any, scaling: _Scaling) -> Iterator[InputRange]:
    """The range of the images whose mean and variance a layer at the input keeps; nothing where it has seen none."""
    if isinstance(layer, layers.BatchNormalization):
        kept = layer.moving_mean, layer.moving_variance
    else:
        kept = layer.mean, layer.variance
    mean, variance = (np.asarray(keras.ops.convert_to_numpy(value), float).ravel() for value in kept)
    if np.all(mean == 0) and np.all(variance == 1):
        if scaling.by:
            yield _by_scaling(network, scaling)
        return
    with np.errstate(divide="ignore", invalid="ignore"):
        mean, deviation = (mean - scaling.offset) / scaling.scale, np.sqrt(variance) / np.abs(scaling.scale)
    low, high = float(mean.min()), float((mean + deviation).max())
    seen = f"a mean of {mean.mean():.3g} and a deviation of {deviation.mean():.3g}"
    why = f"its '{layer.name}' has seen {seen} (model.range)"
    if not math.isfinite(high):
        return
    if high > 1.5:
        yield _told(0, next((highest for highest in HIGHEST if high <= highest), HIGHEST[-1]), why)
    else:
        yield _told(-1, 1, why) if low < -0.05 else _told(0, 1, why)


def _unasked(network: keras.Model) -> str:
    """Why 0 to 1 where no layer says anything; an encoder known for another range is named."""
    names = " ".join(_names(network)).lower()
    for pattern, family, values in UNSCALED:
        if re.search(pattern, names):
            return (
                f"no layer asks for others, but its layers have names of {family}, which keras.applications trains on "
                f"{values}; if it was trained on other values than 0 to 1, set model.range or scale them in the network"
            )
    (image,) = network.inputs
    for read in readers(network, Place(image)):
        if not is_of_keras(read.operation) and not read.operation.weights:
            return (
                f"Keras's layers ask for no others, and what '{read.operation.name}' "
                f"({type(read.operation).__name__}) asks for cannot be known; if it is for others, set model.range"
            )
    return "no layer asks for others (model.range)"


def _names(network: keras.Model) -> Iterator[str]:
    yield network.name
    for node in nodes(network):
        yield node.operation.name
        if isinstance(node.operation, keras.Model) and node.operation.inputs:
            yield from (layer.name for layer in node.operation.layers)

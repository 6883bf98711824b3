"""Segmentation networks on an encoder of `keras.applications`: `keras:MobileNetV2`, with a decoder of ours.

    keras:NAME                    weights as the encoder draws them: pre-train it (--pretrain)
    keras:NAME@imagenet           weights of ImageNet, where this machine can fetch them or has them
    keras:NAME@FILE.weights.h5    weights of the encoder without its top, or of the whole network

The decoder doubles the resolution step by step, joins what the encoder had at each (a skip at every resolution), and
ends in a 1x1 convolution that gives logits.
"""

from __future__ import annotations

import io
import json
import re
import warnings
import zipfile
from collections.abc import Mapping
from difflib import get_close_matches
from itertools import pairwise
from pathlib import Path

import keras
import numpy as np
from keras import layers

from trainer.errors import UserError, first_line
from trainer.files import given_path
from trainer.network.batch_norm import normalisations

PREFIX = "keras:"
IMAGENET = "imagenet"
LARGEST = 256  # filters of a step of the decoder
SMALLEST = 16
EPOCH = (1980, 1, 1, 0, 0, 0)  # of a file in an archive whose bytes do not depend on when it was written

# How each family was given its images: to [-1, 1], as grey values less a mean, by mean and spread, or as 0 to 255.
MEANS, SPREADS = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
CAFFE = ("VGG16", "VGG19", "ResNet50", "ResNet101", "ResNet152")
TORCH = ("DenseNet121", "DenseNet169", "DenseNet201")
INSIDE = ("EfficientNet", "ConvNeXt", "MobileNetV3")  # they scale 0 to 255 themselves

# How much of its statistics a batch normalisation keeps at a step, at most. Those of `keras.applications` keep 0.99 or
# 0.999, for ImageNet's hundreds of thousands of steps: after the few hundred steps of a small data set they would still
# be mostly what they began with, and the network would be scored with statistics that fit none of its weights.
MOST_KEPT = 0.9


def is_encoder(address: str | None) -> bool:
    """Whether an address names an encoder of `keras.applications`.

    >>> is_encoder("keras:VGG16"), is_encoder("models:/x/1"), is_encoder(None)
    (True, False, False)
    """
    return address is not None and address.startswith(PREFIX)


def has_weights(address: str) -> bool:
    """Whether an address says which weights the encoder starts from.

    >>> has_weights("keras:VGG16@imagenet"), has_weights("keras:VGG16")
    (True, False)
    """
    return "@" in address


def encoder_network(address: str, size: int) -> keras.Model:
    """The network: (batch, size, size, 1) in [0, 1] -> logits (batch, size, size, 1).

    Raises `UserError` for an unknown name, a size that the encoder does not take, and weights that cannot be had.
    """
    name, at, weights = address.removeprefix(PREFIX).partition("@")
    if at and not weights:
        raise UserError(f"Behind @ stand weights: {PREFIX}{name}@imagenet or {PREFIX}{name}@FILE, but nothing does.")
    keras.utils.clear_session()  # the names of layers count from 1
    keras.utils.set_random_seed(0)
    encoder = _encoder(_known(name), size, weights)
    for layer in encoder.layers:
        for norm in normalisations(layer):
            norm.momentum = min(norm.momentum, MOST_KEPT)
    image = keras.Input((size, size, 1), name="image")
    coloured = layers.Concatenate(name="grey_three_times")([image, image, image])
    steps = keras.Model(encoder.inputs, _steps(encoder), name=encoder.name)(_scaled(coloured, _known(name)))
    outputs = _decoded(list(steps) if isinstance(steps, list | tuple) else [steps], image)
    network = keras.Model(image, outputs, name=f"{encoder.name}_unet")
    if weights and weights != IMAGENET:
        _load(network, encoder, weights)
    return network


def saved(network: keras.Model, path: Path) -> None:
    """Write a network as a `.keras` file whose bytes depend on nothing but the network."""
    temporary = path.with_name(f"dated-{path.name}")
    network.save(temporary)
    buffer = io.BytesIO()
    with zipfile.ZipFile(temporary) as dated, zipfile.ZipFile(buffer, "w") as plain:
        for entry in sorted(dated.infolist(), key=lambda one: one.filename):
            content = dated.read(entry)
            if entry.filename == "metadata.json":
                content = json.dumps({**json.loads(content), "date_saved": ""}).encode()
            if entry.filename == "config.json":
                content = _numbered(content.decode()).encode()
            plain.writestr(zipfile.ZipInfo(entry.filename, EPOCH), content)
    temporary.unlink()
    path.write_bytes(buffer.getvalue())


def _numbered(config: str) -> str:
    """A network's settings in which objects that are shared have the numbers 1, 2, ... and not their places in
    memory.
    """
    known: dict[str, int] = {}

    def number(found: re.Match[str]) -> str:
        return f"{found[1]}{known.setdefault(found[2], len(known) + 1)}"

    return re.sub(r'("shared_object_id": )(\d+)', number, config)


def _names() -> Mapping[str, str]:
    """Lower-case name -> name of every encoder."""
    found = (name for name in dir(keras.applications) if name[0].isupper())
    return {name.lower(): name for name in found if callable(getattr(keras.applications, name))}


def _known(name: str) -> str:
    names = _names()
    if name.lower() not in names:
        near = get_close_matches(name.lower(), names, n=3)
        hint = f"; did you mean {' or '.join(PREFIX + names[one] for one in near)}?" if near else "."
        raise UserError(f"'{PREFIX}NAME' takes an encoder of keras.applications, but there is no {name!r}{hint}")
    return names[name.lower()]


def _encoder(name: str, size: int, weights: str) -> keras.Model:
    make = getattr(keras.applications, name)
    try:
        return make(include_top=False, weights=IMAGENET if weights == IMAGENET else None, input_shape=(size, size, 3))
    except ValueError as error:
        raise UserError(f"{PREFIX}{name} cannot be built for {size} x {size} pixels: {first_line(error)}") from error
    except Exception as error:  # what a download raises depends on the machine
        raise UserError(
            f"The weights of {PREFIX}{name}@{IMAGENET} are fetched by Keras from the internet, which failed here "
            f"({first_line(error)}). Fetch them elsewhere and give the file: {PREFIX}{name}@FILE.weights.h5."
        ) from error


def _scaled(image: keras.KerasTensor, name: str) -> keras.KerasTensor:
    """Values in [0, 1] as the encoder had them when it was trained; grey is the same in every channel."""
    if name in CAFFE:
        return layers.Rescaling(255.0, offset=[-103.939, -116.779, -123.68], name="scale")(image)
    if name in TORCH:
        scale = (1 / SPREADS).tolist()
        return layers.Rescaling(scale, offset=(-MEANS / SPREADS).tolist(), name="scale")(image)
    if name.startswith(INSIDE):
        return layers.Rescaling(255.0, name="scale")(image)
    return layers.Rescaling(2.0, offset=-1.0, name="scale")(image)


def _steps(encoder: keras.Model) -> list[keras.KerasTensor]:
    """The last tensor of each resolution, from fine to coarse, the coarsest being what the encoder gives."""
    last: dict[int, keras.KerasTensor] = {}
    full = encoder.inputs[0].shape[1]
    for layer in encoder.layers:
        output = layer.output
        if isinstance(output, keras.KerasTensor) and len(output.shape) == 4 and output.shape[1] < full:
            last[output.shape[1]] = output
    coarsest = encoder.outputs[0].shape[1]
    sides = [full >> step for step in range(1, full.bit_length()) if full >> step >= coarsest]
    halved = all(fine == 2 * coarse for fine, coarse in pairwise([full, *sides]))
    steps = "" if coarsest < 2 else " in other steps than halves"
    if coarsest < 2 or not halved or sides[-1] != coarsest or any(side not in last for side in sides):
        raise UserError(
            f"A decoder doubles the resolution at each step, so each resolution of {PREFIX}{encoder.name} must be half "
            f"of the one before and the last at least 2, but {full} pixels become {coarsest}{steps}. Set "
            "model.size to a larger multiple of 32, or take an encoder that halves at each step, such as MobileNetV2, "
            "ResNet50, VGG16, DenseNet121 or EfficientNetB0."
        )
    return [*(last[side] for side in sides[:-1]), encoder.outputs[0]]


def _decoded(steps: list[keras.KerasTensor], image: keras.KerasTensor) -> keras.KerasTensor:
    """From coarse to fine: up, join, two convolutions; then one logit for each pixel."""
    x = steps[-1]
    skips = [image, *steps[:-1]]
    for level in reversed(range(len(skips))):
        filters = min(LARGEST, SMALLEST * 2**level)
        x = layers.UpSampling2D(name=f"up{level}")(x)
        x = layers.Concatenate(name=f"join{level}")([x, skips[level]])
        for number in (1, 2):
            x = layers.Conv2D(filters, 3, padding="same", activation="relu", name=f"decoder{level}_conv{number}")(x)
    return layers.Conv2D(1, 1, name="head")(x)


def _load(network: keras.Model, encoder: keras.Model, file: str) -> None:
    path = given_path(file)
    if not path.is_file():
        raise UserError(f"There is no weights file {path}.")
    for model in (encoder, network):
        try:
            with warnings.catch_warnings(action="ignore"):  # a line for each layer that differs
                model.load_weights(path)
            return
        except Exception as error:  # of HDF5, or of Keras where the layers differ
            why = first_line(error).rstrip(":")
    raise UserError(f"{path} must hold weights of {encoder.name} without its top, or of the whole network, but: {why}")

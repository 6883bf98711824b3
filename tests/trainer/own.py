"""Small networks that a user might bring: a functional encoder and decoder with batch normalisation, and its kin."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
from keras import layers


def own(
    size: int | None = 32, channels: int = 3, end: str | None = "sigmoid", filters: int = 2, strides: int = 2
) -> keras.Model:
    """Three blocks: down by a strided convolution, up again; batch normalisation in the first two. One block without
    `strides`.
    """
    x = picture = keras.Input((size, size, channels), name="rgb")
    for number, step in ((1, 1), (2, strides)):
        x = layers.Conv2D(filters * number, 3, step, padding="same", use_bias=False, name=f"conv{number}")(x)
        x = layers.BatchNormalization(name=f"bn{number}", momentum=0.5)(x)
        x = layers.ReLU(name=f"relu{number}")(x)
    x = layers.Dropout(0.2, name="drop")(x)
    x = layers.UpSampling2D(strides, name="up")(x)
    return keras.Model(picture, layers.Conv2D(1, 3, padding="same", activation=end, name="mask")(x), name="own")


def after(network: keras.Model, *more: Any) -> keras.Model:
    """The network with more layers behind its output."""
    x = network.outputs[0]
    for layer in more:
        x = layer(x)
    return keras.Model(network.input, x, name="own")


def two_outputs() -> keras.Model:
    network = own()
    return keras.Model(network.input, [network.outputs[0], network.get_layer("up").output], name="own")


def two_inputs() -> keras.Model:
    network, other = own(), keras.Input((32, 32, 1))
    return keras.Model([*network.inputs, other], layers.Add()([network.outputs[0], other]), name="own")


def dense() -> keras.Model:
    picture = keras.Input((32, 32, 1))
    return keras.Model(picture, layers.Dense(1)(picture), name="own")


def shared() -> keras.Model:
    """The same convolution at two resolutions."""
    picture, same = keras.Input((32, 32, 1)), layers.Conv2D(1, 3, padding="same", name="same")
    return keras.Model(picture, same(layers.UpSampling2D()(same(layers.MaxPooling2D()(picture)))), name="own")


# Networks that cannot be searched: how to make one, and what is said.
REFUSED: dict[str, tuple[Callable[[], keras.Model], str]] = {
    "two outputs": (two_outputs, r"must have one output, but 'own' has 2"),
    "two inputs": (two_inputs, r"must have one input, an image .*\(32, 32, 3\), \(32, 32, 1\)"),
    "four channels": (lambda: own(channels=4), r"1 channel \(grey\) or 3 .*takes \(32, 32, 4\)"),
    "another size": (
        lambda: own(48),
        r"'model\.size' must be what 'own' takes, 48x48, but got 32\. Set model\.size=48",
    ),
    "multi-class": (lambda: after(own(end=None), layers.Conv2D(3, 1, activation="softmax")), r"gives 3 \(softmax\)"),
    "softmax of one": (lambda: own(end="softmax"), r"gives 1 \(softmax\): multi-class"),
    "ends with relu": (
        lambda: own(end="relu"),
        r"end with logits or with a sigmoid, but of 'own' it ends with 'relu' \(layer 'mask'\)",
    ),
    "smaller answer": (lambda: after(own(), layers.MaxPooling2D()), r"(?s)must come last|at the size of its input"),
    "half the size": (
        lambda: after(own(end=None), layers.Conv2D(1, 3, 2, padding="same")),
        r"at the size of its input, 32x32, but 'own' gives 16x16",
    ),
    "sigmoid behind arithmetic": (lambda: after(own(), lambda x: 2 * x - 1), r"values from -1 to 1"),
    "sigmoid behind normalisation": (
        lambda: after(own(), layers.BatchNormalization()),
        r"stands behind the activation of 'mask' \(sigmoid\), which must come last",
    ),
    "no picture": (lambda: after(own(), layers.Flatten()), r"must give a mask .*\(1024,\)"),
    "no convolution": (dense, r"has convolutions, but 'own' has none"),
    "odd names": (lambda: after(own(end=None), layers.Identity(name="the [end]")), r"names of letters .*'the \[end\]'"),
    "a layer in two blocks": (shared, r"Layer 'same' is used in two blocks"),
    "a size it cannot read": (
        lambda: keras.Model(
            (x := keras.Input((None, None, 1))), layers.Conv2D(1, 40)(layers.AveragePooling2D(2)(x)), name="own"
        ),
        r"'model\.size' must be a size that 'own' can read, but 32x32",
    ),
}


def saved(network: keras.Model, folder: Path, name: str = "my.keras") -> Path:
    """The network as a file."""
    network.save(folder / name)
    return folder / name

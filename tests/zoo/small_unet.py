"""The trunk that most networks of the zoo share: two resolutions, eight features per pixel, weights from a seed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import layers

Tensor = Any  # a KerasTensor (batch, H, W, channels)


def conv(filters: int, name: str | None = None, **settings: Any) -> layers.Layer:
    """A 3x3 convolution with ReLU."""
    return layers.Conv2D(filters, 3, **({"padding": "same", "activation": "relu", "name": name} | settings))


def trunk(
    x: Tensor, make: Callable[..., layers.Layer] = conv, between: Callable[[], layers.Layer] = layers.Identity
) -> Tensor:
    """(batch, H, W, any) -> (batch, H, W, 8). `make(filters)` gives the convolutions, `between()` what follows each."""
    wide = x = between()(make(8)(x))
    x = between()(make(16)(layers.MaxPooling2D()(x)))
    x = layers.Concatenate()([layers.UpSampling2D()(x), wide])
    return between()(make(8)(x))


def image(size: int | None = 32, channels: int = 1) -> Tensor:
    """The input of a network."""
    return keras.Input((size, size, channels), name="image")


def head(activation: str | None = "sigmoid", channels: int = 1, name: str = "mask", **settings: Any) -> layers.Layer:
    """The 1x1 convolution that is fitted."""
    return layers.Conv2D(channels, 1, activation=activation, name=name, **settings)

"""Max-pooling whose gradient is no scatter: on a GPU, XLA's own is either slow or of another result at every run."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops


class MaxPooling2D(layers.MaxPooling2D):  # type: ignore[misc]
    """The same output as Keras's; the gradient of several equal largest pixels is shared by them.

    Windows that overlap, or that the sides are no multiple of, are left to Keras.
    """

    def call(self, inputs: Any) -> Any:
        """(batch, H, W, channels) -> (batch, H / down, W / across, channels)."""
        height, width, channels = inputs.shape[1:]
        down, across = self.pool_size
        apart = tuple(self.strides) == tuple(self.pool_size)
        if not apart or None in (height, width) or height % down or width % across:
            return super().call(inputs)
        windows = ops.reshape(inputs, (-1, height // down, down, width // across, across, channels))
        return ops.max(windows, axis=(2, 4))


def without_scatters(network: keras.Model) -> keras.Model:
    """A network of the same layers, the very same ones but for those that pool; these have no weights."""

    def same_or_better(layer: keras.Layer) -> keras.Layer:
        return MaxPooling2D.from_config(layer.get_config()) if type(layer) is layers.MaxPooling2D else layer

    if not any(type(layer) is layers.MaxPooling2D for layer in network._flatten_layers()):
        return network
    return keras.models.clone_model(network, clone_function=same_or_better, recursive=True)

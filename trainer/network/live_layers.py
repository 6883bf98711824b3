"""Layers of Keras whose state lies outside their weights, or moves while frozen, in a form that does neither.

A network whose weights are assigned again and again needs layers that are what their weights say. Two of Keras's are
not. `Normalization` computes with constants that it makes of its mean and variance once, so whoever assigns those
changes nothing. `SpectralNormalization` divides its kernel by the spectral norm at every training step, frozen or not.
`live` puts a subclass in their place, of the same name, because files of weights go by the names of classes. `plain`
takes it out again, so that a saved network loads without thaw.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
from keras import layers, ops
from keras.src.models.functional import Functional  # Keras exports no public name for it


@keras.saving.register_keras_serializable(package="thaw")
class Normalization(layers.Normalization):  # type: ignore[misc]
    """`Normalization` that reads mean and variance from its weights at every call."""

    def call(self, inputs: Any) -> Any:
        """As Keras's own: (inputs - mean) / max(standard deviation, epsilon), or its inverse."""
        if self.input_mean is not None:  # given with the layer: there are no weights
            return super().call(inputs)
        x = ops.cast(inputs, self.compute_dtype)
        mean, variance = (
            ops.cast(ops.reshape(weight, self._broadcast_shape), self.compute_dtype)
            for weight in (self.adapt_mean, self.adapt_variance)
        )
        deviation = ops.maximum(ops.sqrt(variance), keras.backend.epsilon())
        return mean + x * deviation if self.invert else (x - mean) / deviation


@keras.saving.register_keras_serializable(package="thaw")
class SpectralNormalization(layers.SpectralNormalization):  # type: ignore[misc]
    """`SpectralNormalization` that, when frozen, runs as in inference, as batch normalisation does."""

    def call(self, inputs: Any, training: bool = False) -> Any:
        """The wrapped layer's output; kernel and `vector_u` are renewed only where the layer trains."""
        return super().call(inputs, training=bool(training) and self.trainable)


LIVE: Mapping[type, Any] = {
    layers.Normalization: Normalization,
    layers.SpectralNormalization: SpectralNormalization,
}
PLAIN: Mapping[type, Any] = {live: plain for plain, live in LIVE.items()}


def live_class(kind: type) -> Any:
    """The class to copy a layer of class `kind` with: its live form where it has one."""
    return LIVE.get(kind, kind)


def live(network: keras.Model) -> keras.Model:
    """A copy of a functional network whose layers are live, with the same weights; the network itself if it has none to
    replace.
    """
    return _recast(network, LIVE)


def plain(network: keras.Model) -> keras.Model:
    """A copy of a functional network with Keras's own layers only, with the same weights; the network itself if it has
    no live layer.
    """
    return _recast(network, PLAIN)


def _recast(network: keras.Model, table: Mapping[type, Any]) -> keras.Model:
    if not isinstance(network, Functional) or not any(type(layer) in table for layer in network._flatten_layers()):
        return network

    def copied(operation: Any) -> Any:
        return table.get(type(operation), type(operation)).from_config(operation.get_config())

    copy = keras.models.clone_model(network, clone_function=copied, recursive=True)
    copy.set_weights(network.get_weights())
    for layer in copy._flatten_layers():
        if isinstance(layer, layers.Normalization):
            layer.finalize_state()
    return copy

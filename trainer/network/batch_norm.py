"""Batch normalisation apart from other layers: it holds statistics of the images, which no gradient moves."""

from __future__ import annotations

import keras


def normalisations(layer: keras.Layer) -> list[keras.layers.BatchNormalization]:
    """The batch normalisations in a layer: the layer itself, or those in a layer made of others (`Sequential`)."""
    return [inner for inner in layer._flatten_layers() if isinstance(inner, keras.layers.BatchNormalization)]


def statistics(layer: keras.Layer) -> set[int]:
    """The positions in `layer.weights` of the image statistics of batch normalisation: no gradient moves them."""
    norms = normalisations(layer)
    trained = {id(weight) for norm in norms for weight in norm._trainable_variables}
    untrained = {id(weight) for norm in norms for weight in norm.weights} - trained
    return {position for position, weight in enumerate(layer.weights) if id(weight) in untrained}

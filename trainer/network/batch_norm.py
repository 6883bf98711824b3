"""Batch normalisation apart from other layers: it holds statistics of the pictures, which no gradient moves."""

from __future__ import annotations

import keras


def normalisations(layer: keras.Layer) -> list[keras.layers.BatchNormalization]:
    """The batch normalisations in a layer: itself, or inside one that is made of others (`Sequential`)."""
    return [one for one in layer._flatten_layers() if isinstance(one, keras.layers.BatchNormalization)]


def statistics(layer: keras.Layer) -> set[int]:
    """The positions in `layer.weights` of what batch normalisation keeps of the pictures: no gradient moves them."""
    trained = {id(weight) for one in normalisations(layer) for weight in one._trainable_variables}
    kept = {id(weight) for one in normalisations(layer) for weight in one.weights} - trained
    return {number for number, weight in enumerate(layer.weights) if id(weight) in kept}

"""Random layers in a network that move its images, and not the masks beside them.

Keras has them for classifiers, whose labels stay the same when an image is turned. In a segmentation network they teach
it a mask that is not where the object is, so a copy leaves them out. Noise, contrast and brightness move no pixel.
"""

from __future__ import annotations

from collections.abc import Iterator

import keras
from keras import layers

MOVING = (
    *(layers.RandomFlip, layers.RandomRotation, layers.RandomZoom, layers.RandomTranslation, layers.RandomCrop),
    *(layers.RandomShear, layers.RandomPerspective, layers.RandomElasticTransform),
    *(layers.RandAugment, layers.AugMix, layers.MixUp, layers.CutMix),
)


def moving_layers(network: keras.Model, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Path and class of every random layer that moves images, also in nested models, `Sequential`s and `Pipeline`s."""
    for layer in network.layers:
        if isinstance(layer, MOVING):
            yield prefix + layer.name, type(layer).__name__
        elif isinstance(layer, (keras.Model, layers.Pipeline)):
            yield from moving_layers(layer, f"{prefix}{layer.name}/")

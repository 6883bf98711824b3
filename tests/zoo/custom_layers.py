"""A lab's own layers, registered under its own package, as `--custom` imports them."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers


@keras.saving.register_keras_serializable(package="zoolab")
class Gate(layers.Layer):  # type: ignore[misc]
    """A learned factor for each channel."""

    def build(self, shape: Any) -> None:
        self.factor = self.add_weight(shape=(shape[-1],), initializer="ones", name="factor")

    def call(self, x: Any) -> Any:
        return x * self.factor


@keras.saving.register_keras_serializable(package="zoolab")
class Counter(layers.Layer):  # type: ignore[misc]
    """Counts the batches that it sees in training, and changes nothing."""

    def build(self, shape: Any) -> None:
        self.steps = self.add_weight(shape=(), initializer="zeros", trainable=False, name="steps")

    def call(self, x: Any, training: bool = False) -> Any:
        if training:
            self.steps.assign_add(1.0)
        return x


@keras.saving.register_keras_serializable(package="zoolab")
class Whole(keras.Model):  # type: ignore[misc]
    """A network whose `call` is the only record of its graph."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.first = layers.Conv2D(4, 3, padding="same", activation="relu")
        self.mask = layers.Conv2D(1, 1, activation="sigmoid")

    def call(self, x: Any) -> Any:
        return self.mask(self.first(x))

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name}

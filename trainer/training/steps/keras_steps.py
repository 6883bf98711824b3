"""Steps by Keras's own `train_on_batch`: on every backend, with the images in the memory of the host."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from trainer.channels import with_channels
from trainer.training.steps.contract import Loss
from trainer.training.steps.counting_model import CountingModel
from trainer.training.steps.prediction import predict


class KerasSteps:
    """See `Steps`. The state never leaves the network's variables."""

    def __init__(self, model: CountingModel) -> None:
        self._model = model
        # Scoring has a model of its own over the same layers, so that compiling a mask does not re-trace prediction.
        self._scorer = keras.Model(model.inputs, model.outputs)

    @property
    def traces(self) -> int:
        """As Keras traced."""
        return self._model.traces

    def compile(self, optimizer: Any, loss: Loss) -> None:
        """Compile and build, in this order (docs/facts.md, Keras 1)."""
        self._model.traces = 0
        self._model.compile(optimizer=optimizer, loss=loss)
        self._model.optimizer.build(self._model.trainable_variables)

    def beside(self) -> KerasSteps:
        """Another model over the same layers."""
        return KerasSteps(CountingModel(self._model.inputs, self._model.outputs))

    def epoch(self, images: NDArray[np.float32], masks: NDArray[np.uint8], order: NDArray[np.int64]) -> KerasEpoch:
        """Each step sends its own batch."""
        return KerasEpoch(self._model, images, masks, order)

    def settle(self) -> None:
        """There is nothing to do."""

    def device_memory(self) -> int:
        """Keras does not say."""
        return 0

    def predict(self, images: NDArray[np.float32], between: Callable[[], None]) -> NDArray[np.float32]:
        """By `predict_on_batch`."""
        return predict(self._scorer, images, between)


class KerasEpoch:
    """See `Epoch`. Each step is done when it returns."""

    def __init__(
        self,
        model: keras.Model,
        images: NDArray[np.float32],
        masks: NDArray[np.uint8],
        order: NDArray[np.int64],
    ) -> None:
        self._model, self._images, self._masks, self._order = model, images, masks, order
        self._losses: list[float] = []

    def step(self) -> None:
        """Keras resets its own mean at every `train_on_batch`, which so returns the loss of one batch."""
        batch = self._order[len(self._losses)]
        truth = self._masks[batch, ..., None].astype(np.float32)
        self._losses.append(float(self._model.train_on_batch(with_channels(self._images[batch]), truth)))

    def losses(self) -> list[float]:
        """Of the steps so far."""
        return list(self._losses)

"""Steps on JAX: images and state stay on the device, and nothing is copied to or from the host inside an epoch.

The one file that imports JAX (docs/design.md, decision 1). The step is Keras's own `train_step`, which is stateless on
JAX, jitted with its state donated. Frozen variables are among those without a gradient, so a mask is static: XLA sees
no gradient of a frozen block, and drops what only such gradients need.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np
from jax import lax
from numpy.typing import NDArray

from trainer.channels import with_channels
from trainer.training.steps.batches import padded_batches
from trainer.training.steps.contract import Loss
from trainer.training.steps.counting_model import CountingModel
from trainer.training.steps.prediction import probabilities

AHEAD = 4  # steps that may wait for the device: enough to keep it busy, few enough to stop soon

Values = list[jax.Array]
State = tuple[Values, Values, Values]  # of the trained variables, of all others, of the optimizer
Data = tuple[jax.Array, jax.Array, jax.Array]  # all images, all masks, and which of them each step takes


class JaxSteps:
    """See `Steps`. While an epoch runs, the network's variables hold nothing."""

    def __init__(self, model: CountingModel, placed: Placed | None = None) -> None:
        self._model = model
        self._step: Any = None
        self._answer = jax.jit(self._logits)
        self._groups: tuple[list[Any], list[Any], list[Any]] = [], [], []
        self._state: State | None = None
        self._placed = placed or Placed()

    @property
    def traces(self) -> int:
        """Of Keras's `train_step`."""
        return self._model.traces

    def compile(self, optimizer: Any, loss: Loss) -> None:
        """A step of its own for each mask; XLA compiles it when it is first called."""
        self._model.traces = 0
        self._model.compile(optimizer=optimizer, loss=loss)
        self._model.optimizer.build(self._model.trainable_variables)
        model = self._model
        self._groups = model.trainable_variables, model.non_trainable_variables, model.optimizer.variables
        self._step = jax.jit(stateless_step(model), donate_argnums=0)

    def beside(self) -> JaxSteps:
        """Another model over the same layers; images lie on the device once for both."""
        return JaxSteps(CountingModel(self._model.inputs, self._model.outputs), self._placed)

    def epoch(self, images: NDArray[np.float32], masks: NDArray[np.uint8], order: NDArray[np.int64]) -> JaxEpoch:
        """The order goes to the device once; images and masks where they are not there yet."""
        data = (*self._placed.of(images, masks), _put(order.astype(np.int32)))
        return JaxEpoch(self, data, _put(np.int32(0)))

    def settle(self) -> None:
        """Hand the state's arrays to the variables; none is copied."""
        if self._state is not None:
            for variables, values in zip(self._groups, self._state, strict=True):
                for variable, value in zip(variables, values, strict=True):
                    variable.assign(value)
            self._state = None

    def device_memory(self) -> int:
        """Of the first device."""
        return int((jax.devices()[0].memory_stats() or {}).get("peak_bytes_in_use") or 0)

    def predict(self, images: NDArray[np.float32], between: Callable[[], None]) -> NDArray[np.float32]:
        """All batches are handed to the device before the first answer is fetched."""
        values = [variable.value for variable in self._model.variables]
        answers = []
        for batch in padded_batches(with_channels(images)):
            between()
            answers.append(self._answer(values, _put(batch)))
        return probabilities(map(np.asarray, answers), images.shape[:3])

    def advance(self, data: Data, number: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Step `number` on its batch of `data`: the number of the next one, and the loss."""
        if self._state is None:
            trained, others, optimizer = ([variable.value for variable in group] for group in self._groups)
            self._state = trained, others, optimizer
        with jax.transfer_guard("disallow"):
            images, masks, number = _batch(*data, number)
            self._state, loss = self._step(self._state, images, masks)
        return number, loss

    def _logits(self, values: Values, images: jax.Array) -> jax.Array:
        with keras.StatelessScope(state_mapping=list(zip(self._model.variables, values, strict=True))):
            return jnp.asarray(self._model(images, training=False), np.float32)


class Placed:
    """The images and masks that lie on the device."""

    def __init__(self) -> None:
        self._known: tuple[Any, Any, jax.Array, jax.Array] | None = None

    def of(self, images: NDArray[np.float32], masks: NDArray[np.uint8]) -> tuple[jax.Array, jax.Array]:
        """Those of a fold, sent there unless they were the last."""
        if self._known is None or self._known[0] is not images or self._known[1] is not masks:
            self._known = None  # else both would be on the device for a moment
            self._known = (images, masks, _put(with_channels(images)), _put(masks[..., None]))
        return self._known[2:]


class JaxEpoch:
    """See `Epoch`. At most `AHEAD` steps wait for the device."""

    def __init__(self, steps: JaxSteps, data: Data, number: jax.Array) -> None:
        self._steps, self._data, self._number = steps, data, number
        self._losses: list[jax.Array] = []

    def step(self) -> None:
        """Hand the next step to the device."""
        if len(self._losses) >= AHEAD:
            self._losses[-AHEAD].block_until_ready()
        self._number, loss = self._steps.advance(self._data, self._number)
        self._losses.append(loss)

    def losses(self) -> list[float]:
        """Fetched from the device all together."""
        return [float(loss) for loss in jax.device_get(self._losses)]


def stateless_step(model: CountingModel) -> Callable[[State, jax.Array, jax.Array], tuple[State, jax.Array]]:
    """Keras's training step of a compiled model, as a function of state, images and masks."""
    # Of this batch alone, so from nothing. NumPy's, because a device's array would be fetched when the step is traced.
    metrics = [np.zeros(variable.shape, variable.dtype) for variable in model.metrics_variables]

    def step(state: State, images: jax.Array, masks: jax.Array) -> tuple[State, jax.Array]:
        logs, after = model.train_step((*state, metrics), (images, masks))
        return after[:3], logs["loss"]

    return step


def _batch_of(
    images: jax.Array, masks: jax.Array, order: jax.Array, number: jax.Array
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """The images and masks of one step, and the number of the next."""
    batch = lax.dynamic_index_in_dim(order, number, keepdims=False)
    return images[batch], masks[batch].astype(np.float32), number + 1


# Apart from the step, so that a fold of one image more compiles this again, and not the step.
_batch = jax.jit(_batch_of)


def _put(array: Any) -> jax.Array:
    """On the first device, which none is named for: a step of arrays with a named device would be another program."""
    placed: jax.Array = jax.device_put(array)
    return placed

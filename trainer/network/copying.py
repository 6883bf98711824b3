"""A copy of a network's layers on other inputs, with what fine-tuning needs changed in them.

The graph is replayed as `keras.models.clone_model` does it; nested models and `Sequential`s are copied layer by layer.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import layers
from keras.src.models.functional import Functional  # Keras exports no public name for it

from trainer.errors import UserError, first_line
from trainer.network.live_layers import live_class

LARGEST_SEED = 10**9  # as Keras draws them
FLOAT32 = "float32"


@dataclass(frozen=True, eq=False)
class Changes:
    """What a copy's layers have other than the original's.

    `without_activation`: the operation that is copied without it. `still`: paths of random layers that are left out.
    `float32`: every layer computes in float32, whatever its policy. `settings`: any further change of a layer's
    settings.
    """

    without_activation: Any = None
    still: Collection[str] = ()
    float32: bool = False
    settings: Callable[[Any], Any] | None = None


def copied(network: keras.Model, inputs: Any, changes: Changes, prefix: str = "") -> Any:
    """Replay a functional network on other inputs with copies of its layers; what it gives, in the network's structure.

    Raises `UserError` for a layer that its own settings do not make again.
    """
    copies: dict[int, Any] = {}

    def copy(operation: Any) -> Any:
        if id(operation) not in copies:
            copies[id(operation)] = _copy_of(operation, changes, prefix)
        return copies[id(operation)]

    return network._run_through_graph(inputs, operation_fn=copy)  # as keras.models.clone_model does


def _copy_of(operation: Any, changes: Changes, prefix: str) -> Any:
    path = prefix + operation.name
    if isinstance(operation, Functional):
        inputs = keras.tree.map_structure(
            lambda tensor: keras.Input(batch_shape=tensor.shape, dtype=tensor.dtype, name=tensor.name),
            operation._inputs_struct,
        )
        return keras.Model(inputs, copied(operation, inputs, changes, f"{path}/"), name=operation.name)
    if type(operation) is keras.Sequential:
        inner = [_layer(layer, changes, f"{path}/") for layer in operation.layers]
        return keras.Sequential(inner, name=operation.name)
    if operation is changes.without_activation and not getattr(operation, "weights", ()):
        return lambda logits, **_: logits  # of a mask, too
    if not isinstance(operation, keras.Layer):
        return operation  # a bare function holds no state
    return _layer(operation, changes, prefix)


def _layer(layer: keras.Layer, changes: Changes, prefix: str) -> Any:
    if isinstance(layer, keras.Model) and (isinstance(layer, Functional) or type(layer) is keras.Sequential):
        return _copy_of(layer, changes, prefix)
    if prefix + layer.name in changes.still:
        return layers.Identity(name=layer.name)
    if isinstance(layer, layers.Pipeline):
        inner = [_layer(each, changes, f"{prefix}{layer.name}/") for each in layer.layers]
        return layers.Pipeline(inner, name=layer.name)
    settings = layer.get_config()
    if layer is changes.without_activation:
        if not layer.weights:
            return layers.Identity(name=layer.name)
        settings = _linear(settings)
    if "trainable" in settings:  # not every layer takes it
        settings["trainable"] = True
    if changes.float32:
        settings = _in_float32(settings)
    if changes.settings is not None:
        settings = changes.settings(settings)
    try:
        return live_class(type(layer)).from_config(settings)
    except Exception as error:  # whatever the layer's own code raises
        raise UserError(
            f"Each layer must be made again from its own settings, but '{prefix}{layer.name}' "
            f"({type(layer).__name__}) cannot: {first_line(error)} Let its get_config give what its "
            "__init__ takes."
        ) from error


def _linear(settings: dict[str, Any]) -> dict[str, Any]:
    """A layer's settings without its activation; those of the layer that it wraps, where it wraps one."""
    if "activation" in settings:
        return settings | {"activation": "linear"}
    wrapped = settings["layer"]
    return settings | {"layer": wrapped | {"config": _linear(wrapped["config"])}}


def _in_float32(settings: Any) -> Any:
    """A layer's settings, those of layers in it included, with float32 for every policy."""
    if isinstance(settings, list | tuple):
        return type(settings)(_in_float32(entry) for entry in settings)
    if not isinstance(settings, Mapping):
        return settings
    return {name: FLOAT32 if name == "dtype" and value else _in_float32(value) for name, value in settings.items()}


def reseeded(settings: Any, rng: np.random.Generator) -> Any:
    """A layer's settings with another seed in each of its initialisers."""
    if isinstance(settings, list | tuple):
        return type(settings)(reseeded(entry, rng) for entry in settings)
    if not isinstance(settings, Mapping):
        return settings
    changed = {name: reseeded(value, rng) for name, value in settings.items()}
    if "initializers" in str(settings.get("module")) and "seed" in (settings.get("config") or {}):
        changed["config"]["seed"] = int(rng.integers(1, LARGEST_SEED))
    return changed

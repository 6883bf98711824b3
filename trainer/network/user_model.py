"""The network of a sweep: the built-in U-Net, or one of your own, made to take one grey image and give logits.

Only this module builds it, so that workers, estimates, refits and restored networks are the same network.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers
from keras.src.models.functional import Functional  # Keras exports no public name for it

from trainer.config import ModelConfig, PartitionConfig, digest
from trainer.errors import UserError
from trainer.network.blocks import CONVOLUTIONS, leaf_layers, partition, seed_states
from trainer.network.unet import unet
from trainer.network.weights import load_network

RGB = 3
LARGEST_SEED = 10**9  # as Keras draws them
DIGITS = 16  # of an architecture's digest
SQUASHING = ("sigmoid", "softmax")  # their values are no logits, not even after a batch normalisation


def network_of(config: ModelConfig, seed: int = 0) -> keras.Model:
    """Build the network: (batch, size, size, 1) in [0, 1] -> logits (batch, size, size, 1).

    The U-Net with weights drawn from `seed`, or the network in `config.path` with the weights in its file. Raises
    `UserError` for a file that holds no network, and for a network that cannot be searched (`adapted`).
    """
    if config.path is None:
        return unet(config, seed)
    network = adapted(load_network(_file(config)), config.size)
    _seed_layers(network, seed)
    return network


def from_scratch(config: ModelConfig, seed: int) -> keras.Model:
    """The network from scratch: every layer's weights as its own initialisers draw them from `seed`, statistics too."""
    if config.path is None:
        return unet(config, seed)
    keras.utils.set_random_seed(seed)  # for layers that draw without an initialiser of their own
    rng = np.random.default_rng(seed)
    network = adapted(load_network(_file(config)), config.size, lambda settings: _reseeded(settings, rng))
    _seed_layers(network, seed)
    return network


def with_architecture(config: ModelConfig, units: PartitionConfig | None = None) -> ModelConfig:
    """The settings with the architecture's digest. Raises `UserError` if the network cannot be searched."""
    network = load_network(_file(config))
    identified = replace(config, architecture=architecture(network))
    partition(adapted(network, config.size), units, config.blocks)
    return identified


def architecture(network: keras.Model) -> str:
    """Digest of a network's layers and how they are joined, whatever their weights: 16 hex digits."""
    return digest(json.loads(network.to_json())["config"])[:DIGITS]


def adapted(network: keras.Model, size: int, change: Callable[[Any], Any] | None = None) -> keras.Model:
    """A copy of a segmentation network that takes grey images of `size` and gives logits.

    A three-channel input gets the grey image three times; a final sigmoid is taken off. Layers keep their names, and
    their weights unless `change` alters their settings (`from_scratch`). Raises `UserError`, with what to do, for
    anything else than one image in and one value per pixel out.
    """
    _check_graph(network)
    channels = _check_input(network, size)
    last = _end_of(network)
    image = keras.Input((size, size, 1), name="thaw_picture")
    x = layers.Concatenate(name="thaw_grey_as_rgb")([image] * channels) if channels == RGB else image
    try:
        (logits,) = keras.tree.flatten(_copied(network, x, last, change))  # a dict or list of one output, too
    except (ValueError, TypeError) as error:
        raise UserError(
            f"'model.size' must be a size that '{network.name}' can read, but {size}x{size} pixels do not go through "
            f"it: {str(error).splitlines()[0][:200]} Choose a multiple of what its poolings need."
        ) from error
    if tuple(logits.shape[1:3]) != (size, size):
        raise UserError(
            f"A network must answer at the size of its input, {size}x{size}, but '{network.name}' gives "
            f"{logits.shape[1]}x{logits.shape[2]}. Add up-sampling (or cropping) behind it, or choose a model.size "
            "that its poolings divide."
        )
    copy = keras.Model(image, logits, name=network.name)
    copy.trainable = True
    if change is None:
        originals = leaf_layers(network)
        for path, layer in leaf_layers(copy).items():
            if layer.weights:
                layer.set_weights(originals[path].get_weights())
    return copy


def _file(config: ModelConfig) -> Path:
    return Path(config.file or str(config.path)).expanduser()


def _check_graph(network: keras.Model) -> None:
    if not isinstance(network, Functional):
        raise UserError(
            f"A network must be a functional Keras model, whose layers can be walked, but '{network.name}' is a "
            f"{type(network).__name__}. Rebuild it as keras.Model(inputs, outputs)."
        )
    inner_layers = (inner for layer in leaf_layers(network).values() for inner in layer._flatten_layers())
    if not any(isinstance(inner, CONVOLUTIONS) for inner in inner_layers):
        raise UserError(
            f"A segmentation network has convolutions, but '{network.name}' has none. Give one that has, such as a "
            "U-Net with any encoder."
        )


def _check_input(network: keras.Model, size: int) -> int:
    """Channels of the one image that the network takes: 1 or 3."""
    shapes = [tuple(tensor.shape) for tensor in network.inputs]
    if len(shapes) != 1 or len(shapes[0]) != 4:
        raise UserError(
            f"A network must have one input, an image (height, width, channels), but '{network.name}' takes "
            f"{', '.join(str(shape[1:]) for shape in shapes)}. Give the other inputs fixed values in the model."
        )
    _, height, width, channels = shapes[0]
    if channels not in (1, RGB):
        raise UserError(
            f"A network must read 1 channel (grey) or 3 (the grey image three times), channels last, but "
            f"'{network.name}' takes {shapes[0][1:]}. Put a convolution to that many channels in front of it."
        )
    if any(side not in (None, size) for side in (height, width)):
        square = f"Set model.size={height}." if height == width else "Rebuild it for square images."
        raise UserError(f"'model.size' must be what '{network.name}' takes, {height}x{width}, but got {size}. {square}")
    return int(channels)


def _end_of(network: keras.Model) -> Any:
    """The operation that gives the output. Raises `UserError` unless that is logits, or their sigmoid as last step."""
    if len(network.outputs) != 1:
        raise UserError(
            f"A network must have one output, but '{network.name}' has {len(network.outputs)}. Rebuild it with the "
            "one to use: keras.Model(model.inputs, model.outputs[0])."
        )
    (output,) = network.outputs
    if len(output.shape) != 4:
        raise UserError(
            f"A network must give a mask (height, width, 1), but '{network.name}' gives {tuple(output.shape[1:])}. "
            "End it with a convolution to 1 channel."
        )
    last = _last_layer(network)
    activation = _activation(last)
    if output.shape[-1] != 1 or activation == "softmax":
        raise UserError(
            f"A network must give one value per pixel, foreground against background, but '{network.name}' gives "
            f"{output.shape[-1]} ({activation}): multi-class masks are not supported. End it with a convolution to 1 "
            "channel."
        )
    if activation == "linear" and (before := _hidden_activation(output)) is not None:
        raise UserError(
            f"The activation of '{network.name}' must come last, but '{last.name}' stands behind that of "
            f"'{before.name}' ({_activation(before)}). Let the network end with the sigmoid, or take it off."
        )
    if activation not in ("linear", "sigmoid"):
        raise UserError(
            f"A network must end with logits or with a sigmoid, but '{network.name}' ends with '{activation}' (layer "
            f"'{last.name}')."
        )
    return last


def _hidden_activation(output: Any) -> Any | None:
    """The nearest operation with an activation before the output; None where there is none.

    Only operations without weights (a resizing, a cast, arithmetic with numbers) may lie between it and the output, and
    batch normalisation where the activation squashes.
    """
    tensor, normalised = output, False
    while True:
        operation = tensor._keras_history.operation
        if isinstance(operation, Functional):
            tensor = operation.outputs[tensor._keras_history.tensor_index]
            continue
        activation = _activation(operation)
        if activation in SQUASHING or (activation != "linear" and not normalised):
            return operation
        normalised = normalised or isinstance(operation, layers.BatchNormalization)
        inputs = operation._inbound_nodes[tensor._keras_history.node_index].input_tensors
        learns = getattr(operation, "weights", ()) and not isinstance(operation, layers.BatchNormalization)
        if learns or len(inputs) != 1:
            return None
        (tensor,) = inputs


def _last_layer(network: keras.Model) -> Any:
    """The operation that gives the network's output, inside nested models too."""
    operation = network.outputs[0]._keras_history.operation
    return _last_layer(operation) if isinstance(operation, Functional) else operation


def _activation(operation: Any) -> str:
    """`sigmoid`, `softmax`, `relu` ... or `linear`: the activation of a layer, or an activation layer or function."""
    named = getattr(getattr(operation, "activation", None), "__name__", None)
    kind = type(operation).__name__.lower()
    return str(named or (kind if kind in ("sigmoid", "softmax", "relu", "tanh") else "linear"))


def _copied(network: keras.Model, inputs: Any, last: Any, change: Callable[[Any], Any] | None) -> Any:
    """Replay a network on other inputs with copies of its layers; `last` is copied without its activation."""
    copies: dict[int, Any] = {}

    def copy(operation: Any) -> Any:
        if id(operation) not in copies:
            copies[id(operation)] = _copy_of(operation, last, change)
        return copies[id(operation)]

    return network._run_through_graph(inputs, operation_fn=copy)  # as keras.models.clone_model does, nested models too


def _copy_of(operation: Any, last: Any, change: Callable[[Any], Any] | None) -> Any:
    if isinstance(operation, Functional):
        inputs = [keras.Input(batch_shape=tensor.shape, dtype=tensor.dtype) for tensor in operation.inputs]
        return keras.Model(inputs, _copied(operation, inputs, last, change), name=operation.name)
    sigmoid = operation is last and _activation(operation) == "sigmoid"
    if sigmoid and not getattr(operation, "weights", ()):
        return lambda logits: logits
    if not isinstance(operation, keras.Layer):
        return operation  # a bare function holds no state
    settings = operation.get_config() | ({"activation": "linear"} if sigmoid else {}) | {"trainable": True}
    return type(operation).from_config(settings if change is None else change(settings))


def _reseeded(settings: Any, rng: np.random.Generator) -> Any:
    """A layer's settings with another seed in each of its initialisers."""
    if isinstance(settings, list | tuple):
        return type(settings)(_reseeded(entry, rng) for entry in settings)
    if not isinstance(settings, Mapping):
        return settings
    changed = {name: _reseeded(value, rng) for name, value in settings.items()}
    if "initializers" in str(settings.get("module")) and "seed" in (settings.get("config") or {}):
        changed["config"]["seed"] = int(rng.integers(1, LARGEST_SEED))
    return changed


def _seed_layers(network: keras.Model, seed: int) -> None:
    """Give random layers (dropout) a state from `seed`, because a file holds none."""
    for number, variable in enumerate(seed_states(network)):
        state = np.random.SeedSequence([seed, number]).generate_state(math.prod(variable.shape))
        variable.assign(state.reshape(variable.shape).astype(variable.dtype))

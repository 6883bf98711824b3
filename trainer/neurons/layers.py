"""Neurons by block and filter: the layer they belong to, and a copy of the network that ends before its activation."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import keras
import numpy as np
from keras import layers
from keras.src.models.functional import Functional  # Keras exports no public name for it
from numpy.typing import NDArray

from trainer.errors import UserError, first_line
from trainer.network.blocks import CONVOLUTIONS, Partition, leaf_layers, partition


@dataclass(frozen=True, order=True)
class Neuron:
    """One filter of one block: `block` counts from 1 as in masks, `filter` is the channel, from 0 as in Keras."""

    block: int
    filter: int


def meant_layers(network: keras.Model) -> dict[int, str]:
    """Block number -> path of its last convolution, for every block that has one.

    The network's very last layer, when it is a 1x1 convolution, is its head and is passed over while its block has
    another: in the U-Net, block k is `block{k}_conv2`.
    """
    blocks = partition(network)
    by_path = leaf_layers(network)
    head = _head(blocks, by_path)
    path_of_block = {}
    for block in blocks:
        paths = [path for path in block.paths if isinstance(by_path[path], CONVOLUTIONS)]
        if paths:
            path_of_block[block.number] = next((path for path in reversed(paths) if path != head), paths[-1])
    return path_of_block


def convolutions(network: keras.Model) -> list[str]:
    """Paths of all convolutions but the head, by their depth. The paper counts them in this order, from 1."""
    blocks, by_path = partition(network), leaf_layers(network)
    head = _head(blocks, by_path)
    placed = [layer for block in blocks for layer in block.layers if isinstance(by_path[layer.path], CONVOLUTIONS)]
    return [layer.path for layer in sorted(placed, key=lambda layer: layer.depth) if layer.path != head]


def filters_of(network: keras.Model, block: int) -> int:
    """How many filters the meant layer of a block has. Raises `UserError` for a block without one."""
    return int(leaf_layers(network)[layer_of(network, block)].output.shape[-1])


def layer_of(network: keras.Model, block: int) -> str:
    """Path of the layer that block number `block` means. Raises `UserError` naming the blocks there are."""
    path_of_block = meant_layers(network)
    if block not in path_of_block:
        known = ", ".join(map(str, path_of_block)) or "none"
        raise UserError(
            f"Activation maximisation needs a block with a two-dimensional convolution: {known} in '{network.name}', "
            f"but got block {block}. Choose --blocks among those."
        )
    path = path_of_block[block]
    if getattr(leaf_layers(network)[path], "data_format", "channels_last") != "channels_last":
        raise UserError(
            f"Activation maximisation needs channels last, but layer '{path}' has its channels first. Rebuild the "
            "network with channels last."
        )
    return path


def check_filters(network: keras.Model, block: int, filters: Sequence[int]) -> None:
    """Raise `UserError` for a filter that the block does not have, and for an empty list."""
    count = filters_of(network, block)
    wrong = [number for number in filters if not 0 <= number < count]
    if wrong or not filters:
        given = f"filter {wrong[0]}" if wrong else "none"
        raise UserError(
            f"Block {block} of '{network.name}' has filters 0 to {count - 1}, but got {given}. Choose among those."
        )


@dataclass(frozen=True, eq=False)
class Trunk:
    """A copy of a network up to one layer: `model` maps (k, size, size, channels) to the layer's pre-activations.

    It shares no layer with the network it was cut from: freezing it, or setting its weights, leaves that one unchanged.
    """

    model: keras.Model
    _twin: keras.Model
    _path: str
    _linear: keras.Layer

    @property
    def size(self) -> int:
        """Side of its input in pixels."""
        return int(self.model.input_shape[1])

    @property
    def stride(self) -> int:
        """Pixels of the input per pixel of the layer's output."""
        return max(1, round(self.size / int(self.model.output_shape[1])))

    @cached_property
    def receptive_field(self) -> int:
        """Side in pixels of the square around the middle that the layer's centre can see; measured, not derived.

        It is the smallest square outside which noise can be exchanged for other noise without a change at the centre of
        any filter. A binary search finds it.
        """
        n, channels = self.size, int(self.model.input_shape[-1])
        middle = n // 2
        distance = np.abs(np.indices((n, n)) - middle).max(axis=0)[..., None]
        noise, other_noise = np.random.default_rng(0).random((2, n, n, channels), np.float32)
        expected = self._centre(noise)

        def blind_beyond(reach: int) -> bool:
            centre = self._centre(np.where(distance <= reach, noise, other_noise))
            return bool(np.abs(centre - expected).max() <= 1e-5 * np.abs(expected).max())

        return min(n, 2 * bisect_left(range(middle), True, key=blind_beyond) + 1)

    def _centre(self, image: NDArray[np.float32]) -> NDArray[np.float32]:
        activation = keras.ops.convert_to_numpy(self.model(image[None], training=False))
        return np.asarray(activation[0, activation.shape[1] // 2, activation.shape[2] // 2])

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Take the weights of a whole network, in its `get_weights()` order."""
        self._twin.set_weights(weights)
        self._linear.set_weights(leaf_layers(self._twin)[self._path].get_weights())

    def at(self, side: int) -> keras.Model:
        """The same layers with the same weights for images of another size."""
        if side == self.size:
            return self.model
        image = keras.Input((side, side, self.model.input_shape[-1]))
        return keras.Model(image, _until(self._twin, [image], self._path, self._linear))


def trunk(network: keras.Model, block: int, size: int | None = None) -> Trunk:
    """Cut a copy of `network` right before the activation of the layer that `block` means.

    `size`: side of the input images, by default the network's own. Raises `UserError` for a network that has several
    inputs or one that is no image, and for one that cannot read images of that size.
    """
    path = layer_of(network, block)
    side = size or own_size(network)
    twin = keras.models.clone_model(network)
    twin.trainable = False
    layer = leaf_layers(twin)[path]
    linear = type(layer).from_config(layer.get_config() | {"activation": "linear", "name": "pre_activation"})
    linear.trainable = False
    image = keras.Input((side, side, network.input_shape[-1]))
    try:
        model = keras.Model(image, _until(twin, [image], path, linear), name=f"until_block{block}")
        model(np.zeros((1, *image.shape[1:]), np.float32), training=False)  # Keras leaves some misfits to the backend
    except Exception as error:  # each backend has types of its own for these
        raise UserError(
            f"'{network.name}' cannot read images of {side}x{side} pixels: {first_line(error)} "
            f"Choose the size it was made for, {network.input_shape[1]}, or a multiple of what its poolings need."
        ) from error
    cut = Trunk(model, twin, path, linear)
    cut.set_weights(network.get_weights())
    return cut


def _until(model: keras.Model, inputs: list[Any], path: str, linear: keras.Layer, prefix: str = "") -> Any:
    """Replay `model` on new inputs up to the layer at `path`; `linear` replaces that layer and ends the replay.

    Replayed rather than cut by tensor, because a layer inside a nested model has no tensor of the outer graph.
    """
    tensors = {id(old): new for old, new in zip(model.inputs, inputs, strict=True)}
    by_depth = model._nodes_by_depth  # Keras has no public way to walk its nodes in order
    for node in (node for depth in sorted(by_depth, reverse=True) for node in by_depth[depth]):
        operation = node.operation
        if isinstance(operation, layers.InputLayer):
            continue
        operation_path = prefix + operation.name
        args, kwargs = node.arguments.fill_in(tensors)
        if operation_path == path:
            return linear(*args, **kwargs)
        if isinstance(operation, Functional) and path.startswith(f"{operation_path}/"):
            return _until(operation, keras.tree.flatten(args), path, linear, f"{operation_path}/")
        outputs = keras.tree.flatten(operation(*args, **kwargs))
        tensors |= {id(old): new for old, new in zip(node.outputs, outputs, strict=True)}
    raise AssertionError(f"{path} is not in {model.name}")


def _head(blocks: Partition, by_path: dict[str, keras.Layer]) -> str | None:
    """The path of the network's last layer if that is a 1x1 convolution."""
    last = max((layer for block in blocks for layer in block.layers), key=lambda layer: layer.depth).path
    is_head = isinstance(by_path[last], layers.Conv2D) and tuple(by_path[last].kernel_size) == (1, 1)
    return last if is_head else None


def own_size(network: keras.Model) -> int:
    """Side of the square images that a network was made for. Raises `UserError` where its input is no such image."""
    shape = network.input_shape
    if isinstance(shape, list | dict) or len(shape) != 4:
        raise UserError(
            f"Activation maximisation draws one image (H, W, channels), but '{network.name}' takes {shape}. "
            "Give a network with one such input."
        )
    if shape[1] is None or shape[1] != shape[2]:
        raise UserError(f"'{network.name}' takes images of {shape[1]}x{shape[2]}: say which square --size to draw.")
    return int(shape[1])

"""The blocks of any Keras functional model, and what a mask does to them: freeze, count, prove.

A block is the set of layers with the same number of resolution changes on the longest path from the input
(docs/design.md, Words). Cutting the graph would not work: skips rejoin the first and the last block.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import layers
from keras.src.models.functional import Functional  # Keras exports no public name for it

from trainer.config import PartitionConfig
from trainer.errors import UserError
from trainer.masks import Mask
from trainer.network.batch_norm import normalisations, statistics
from trainer.network.block_patterns import Table, by_table
from trainer.network.graph import nodes

CONVOLUTIONS = (layers.Conv2D, layers.DepthwiseConv2D, layers.SeparableConv2D, layers.Conv2DTranspose)
ALWAYS = 0  # number of the unit that every mask trains (`head="always"`); the units that a mask chooses count from 1


@dataclass(frozen=True)
class BlockLayer:
    """A layer with weights: its path through nested models, its depth (longest path from the input), its parameters."""

    path: str
    depth: int
    parameters: int


@dataclass(frozen=True)
class Block:
    """One unit of a mask: its number from 1 (or `ALWAYS`), its layers with weights from shallow to deep."""

    number: int
    layers: tuple[BlockLayer, ...]

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths of its layers, from shallow to deep."""
        return tuple(layer.path for layer in self.layers)

    @property
    def parameters(self) -> int:
        """Number of weights, trainable or not."""
        return sum(layer.parameters for layer in self.layers)


Partition = tuple[Block, ...]


def partition(model: keras.Model, config: PartitionConfig | None = None, table: Table = ()) -> Partition:
    """Number the blocks of a functional model from the input on; every layer with weights lies in exactly one.

    With `unit="conv"` every convolution is a unit of its own, by depth; weights behind it (normalisation, dense) belong
    to it. `table` says instead which layers each block has: patterns of their paths (`fnmatch`), the first that matches
    wins. `head` says where the last layer with weights belongs. Nested models are flattened. Raises `UserError` for a
    model that is not functional, has no layer with weights, or uses one layer in two blocks, and for a table that
    leaves a layer out, has a pattern that matches none, or a block that cannot learn.
    """
    if not isinstance(model, Functional):
        raise UserError(
            f"Blocks are found by walking a functional Keras model, but '{model.name}' is a "
            f"{type(model).__name__}. Rebuild it as keras.Model(inputs, outputs)."
        )
    config = config or PartitionConfig()
    located: _Located = {}
    _walk(model, [_Position(0, 0)] * len(model.inputs), "", located, check=not table)
    if not located:
        raise UserError(f"Model '{model.name}' has no layer with weights: there is nothing to freeze or train.")
    by_depth = sorted(located, key=lambda path: (located[path][0].depth, path))
    if table:
        units = by_table(table, by_depth, model.name)
    else:
        units = _by_convolution(located, by_depth) if config.unit == "conv" else _by_resolution(located, by_depth)
    learning = {path for path, (_, layer) in located.items() if _learns(layer)}
    units = _join_units_that_cannot_learn(units, learning, model.name, joining=not table)
    head = by_depth[-1]
    if config.head != "last":
        units = [[path for path in unit if path != head] for unit in units]
    blocks = [[head]] if config.head == "always" else []
    blocks += [unit for unit in units if unit] + ([[head]] if config.head == "own" else [])
    first = ALWAYS if config.head == "always" else 1
    layers = {
        path: BlockLayer(path, position.depth, layer.count_params()) for path, (position, layer) in located.items()
    }
    return tuple(Block(number, tuple(layers[path] for path in unit)) for number, unit in enumerate(blocks, first))


def searchable(blocks: Partition) -> int:
    """How many units a mask chooses among; the unit that always trains is not among them."""
    return sum(block.number != ALWAYS for block in blocks)


def unit_parameters(blocks: Partition) -> tuple[list[int], int]:
    """Parameters of every unit that a mask chooses, from 1 on, and of the unit that every mask trains (0 without)."""
    by_unit = [block.parameters for block in blocks if block.number != ALWAYS]
    return by_unit, sum(block.parameters for block in blocks if block.number == ALWAYS)


def thawed(number: int, mask: Mask) -> bool:
    """Whether a unit trains under a mask. Under the empty mask, the zero-shot baseline, none does."""
    return number in mask or (number == ALWAYS and bool(mask.blocks))


def head_of(blocks: Partition) -> str:
    """The path of the network's head: its last layer with weights."""
    return max((layer.depth, layer.path) for block in blocks for layer in block.layers)[1]


def head_alone(blocks: Partition) -> tuple[Partition, Mask]:
    """The blocks with the head as a unit of its own behind them, and the mask that thaws nothing but that."""
    head, number = head_of(blocks), blocks[-1].number + 1
    rest = {block.number: tuple(layer for layer in block.layers if layer.path != head) for block in blocks}
    last = tuple(layer for block in blocks for layer in block.layers if layer.path == head)
    kept = [Block(old, layers) for old, layers in rest.items() if layers]
    return (*kept, Block(number, last)), Mask((number,), number)


def apply_mask(model: keras.Model, blocks: Partition, mask: Mask, *, adapt: bool = False) -> None:
    """Set every layer's `trainable` flag. Compile afterwards: Keras ignores flags set later (docs/facts.md, Keras 1).

    With `adapt`, batch normalisation in frozen blocks computes as in training, so that its statistics move, but none of
    its weights can be trained. A flag on the layer would stop both, so its weights are frozen one by one
    (docs/facts.md, Keras 9).
    """
    # Off first: Keras ignores a flag set to what it is already, so weights that `adapt` kept from training under an
    # earlier mask would stay so where this one thaws their layer (facts.md, Keras 9).
    model.trainable = False
    model.trainable = True
    layers = leaf_layers(model)
    for block in blocks:
        trains = thawed(block.number, mask)
        for path in block.paths:
            layer = layers[path]
            layer.trainable = trains
            for norm in normalisations(layer) if adapt and mask.blocks and not trains else ():
                norm.trainable = True
                for weight in norm.weights:
                    weight.trainable = False


def trainable_parameters(blocks: Partition, mask: Mask, tuned: Mapping[int, int] | None = None) -> int:
    """Number of weights that a mask thaws (moving statistics included: their layers thaw with their block). `tuned`:
    how many of each block train; None: all.
    """
    counts = tuned or {block.number: block.parameters for block in blocks}
    return sum(counts[block.number] for block in blocks if thawed(block.number, mask))


@dataclass(frozen=True)
class Fingerprint:
    """Hashes of a block: of the `weights` that gradients move, and of its normalisations' moving `statistics`."""

    weights: str
    statistics: str


def fingerprints(model: keras.Model, blocks: Partition) -> dict[int, Fingerprint]:
    """Hashes of every block's weights, without seed states: the proof that a frozen block did not move.

    They are read from the variables themselves, so that a layer thawed in spite of the mask is noticed like any change.
    """
    layers = leaf_layers(model)
    return {block.number: _hashes([layers[path] for path in block.paths]) for block in blocks}


def seed_states(model: keras.Model) -> list[Any]:
    """The state of every random layer (dropout), in a fixed order; `get_weights()` does not hold it."""
    weights = {id(weight) for weight in model.weights}
    return [variable for variable in model.variables if id(variable) not in weights]


def leaf_layers(model: keras.Model, prefix: str = "") -> dict[str, keras.Layer]:
    """Every layer that is not itself a functional model, by its path `outer/inner/layer`."""
    layers: dict[str, keras.Layer] = {}
    for layer in model.layers:
        if isinstance(layer, Functional):
            layers |= leaf_layers(layer, f"{prefix}{layer.name}/")
        else:
            layers[prefix + layer.name] = layer
    return layers


@dataclass(frozen=True, order=True)
class _Position:
    """Position of a tensor: operations on the longest path from the input, resolution changes along that path."""

    depth: int
    changes: int


_Located = dict[str, tuple[_Position, keras.Layer]]  # layers with weights by their paths


def _by_resolution(located: _Located, by_depth: list[str]) -> list[list[str]]:
    """Layers of the same number of resolution changes; two changes with no weights between them open one block."""
    members: dict[int, list[str]] = defaultdict(list)
    for path in by_depth:
        members[located[path][0].changes].append(path)
    return [members[changes] for changes in sorted(members)]


def _join_units_that_cannot_learn(
    units: list[list[str]], learning: set[str], name: str, *, joining: bool
) -> list[list[str]]:
    """Join every unit without a layer in `learning` (such as fixed scaling at the input) to the next, or to the last.

    Raises `UserError` where no layer can learn, and, unless `joining`, for a unit that cannot: there a table says what
    the units are.
    """
    if not learning:
        raise UserError(f"Model '{name}' has no weight that can be trained: there is nothing to search.")
    joined: list[list[str]] = []
    waiting: list[str] = []
    for number, unit in enumerate(units, 1):
        if learning.isdisjoint(unit) and not joining:
            raise UserError(
                f"Each block of 'model.blocks' must have a weight that can be trained, but block {number} of '{name}' "
                f"has none ({', '.join(unit)}). Put its layers into the block before or after it."
            )
        waiting += unit
        if not learning.isdisjoint(unit):
            joined.append(waiting)
            waiting = []
    joined[-1] += waiting
    return joined


def _learns(layer: keras.Layer) -> bool:
    """Whether a layer has weights that gradients move, thawed or not."""
    return any(inner._trainable_variables for inner in layer._flatten_layers())


def _by_convolution(located: _Located, by_depth: list[str]) -> list[list[str]]:
    """Every convolution opens a unit, except a 1x1 head at the very end: it belongs to the unit before."""
    units: list[list[str]] = []
    for path in by_depth:
        kernel = getattr(located[path][1], "kernel_size", None)
        is_head = path == by_depth[-1] and kernel is not None and set(kernel) == {1}
        if not units or (kernel is not None and not is_head):
            units.append([])
        units[-1].append(path)
    return units


def _walk(
    model: keras.Model, starts: list[_Position], prefix: str, located: _Located, *, check: bool = True
) -> list[_Position]:
    """Add all layers with weights of `model`, whose inputs lie at `starts`, to `located`; return where its outputs lie.

    `check`: refuse a layer that is used at two resolutions, because it lies in two blocks.
    """
    positions = {id(tensor): start for tensor, start in zip(model.inputs, starts, strict=True)}
    for node in nodes(model):
        operation = node.operation
        if isinstance(operation, keras.layers.InputLayer):
            continue
        before = [positions[id(tensor)] for tensor in node.input_tensors]
        if isinstance(operation, Functional):
            after = _walk(operation, before, f"{prefix}{operation.name}/", located, check=check)
        else:
            changes = max(_carriers(node, before)).changes + _changes_resolution(node)
            position = _Position(max(before).depth + 1, changes)
            after = [position] * len(node.outputs)
            if isinstance(operation, keras.Layer) and operation.weights:
                _locate(located, prefix + operation.name, position, operation, check)
        positions |= {id(tensor): position for tensor, position in zip(node.outputs, after, strict=True)}
    return [positions[id(tensor)] for tensor in model.outputs]


def _locate(located: _Located, path: str, position: _Position, layer: keras.Layer, check: bool) -> None:
    """Add a layer at its deepest position: a shared layer has several."""
    if check and path in located and located[path][0].changes != position.changes:
        raise UserError(
            f"Layer '{path}' is used in two blocks, so it cannot be frozen in one and trained in the other. Give each "
            "block a layer of its own, or say in model.blocks which block it belongs to."
        )
    located[path] = max(located.get(path, (position, layer)), (position, layer), key=lambda entry: entry[0])


def _carriers(node: Any, before: list[_Position]) -> list[_Position]:
    """Positions of the inputs that carry the image: a merged branch of another size (squeeze-and-excite) does not."""
    side = _side(node.outputs[0])
    same = [position for tensor, position in zip(node.input_tensors, before, strict=True) if _side(tensor) == side]
    return same if len(before) > 1 and same else before


def _changes_resolution(node: Any) -> bool:
    """Pooling, strided or transposed convolution, up-sampling, resize: the shapes decide, not the layer's class.

    A border lost to a `valid` convolution (two pixels) or added by padding is no change of resolution, nor is pooling
    to a single value. Without fixed shapes the layer's own strides decide.
    """
    if len(node.input_tensors) > 1 and _side(node.outputs[0]) in map(_side, node.input_tensors):
        return False  # a merge keeps the size that one of its inputs has
    sides = _side(node.input_tensors[0]), _side(node.outputs[0])
    if sides[0] is None or sides[1] is None:
        steps = [getattr(node.operation, name, 1) for name in ("strides", "pool_size", "size")]
        return isinstance(node.operation, keras.Layer) and any(np.max(step) > 1 for step in steps)
    if sides[1] <= 1:
        return False
    ratio = sides[1] / sides[0]
    return ratio <= 0.7 or ratio >= 1.5


def _side(tensor: keras.KerasTensor) -> int | None:
    """Height of a (batch, H, W, channels) tensor; None where unknown or not an image."""
    return tensor.shape[1] if len(tensor.shape) == 4 else None


def _hashes(layers: list[keras.Layer]) -> Fingerprint:
    of_weights, of_statistics = hashlib.blake2b(digest_size=16), hashlib.blake2b(digest_size=16)
    for layer in layers:
        moving = statistics(layer)
        for position, weight in enumerate(layer.weights):
            fingerprint = of_statistics if position in moving else of_weights
            fingerprint.update(weight.path.encode())
            fingerprint.update(np.ascontiguousarray(keras.ops.convert_to_numpy(weight)).tobytes())
    return Fingerprint(of_weights.hexdigest(), of_statistics.hexdigest())

"""What of a thawed block trains (`train.tune`), and how fast (`train.rate_decay`).

Sources: normalisation alone, Frankle, Schwab and Morcos 2021; offsets alone, Ben Zaken, Goldberg and Ravfogel 2022; an
update of low rank, Hu et al. 2022; a rate for each block, Howard and Ruder 2018.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import keras

from trainer.config import TrainConfig, Tune
from trainer.masks import Mask
from trainer.network.blocks import ALWAYS, Block, Partition, leaf_layers, searchable, thawed
from trainer.network.flat_memory import Adam
from trainer.network.low_rank import LowRankAdam, adaptable_kernels, factor_parameters

NORMS = (
    keras.layers.BatchNormalization,
    keras.layers.LayerNormalization,
    keras.layers.GroupNormalization,
)
OFFSETS = ("bias", "beta")  # how Keras and nearly everybody call them


def norm_layers(layer: keras.Layer) -> list[keras.Layer]:
    """The normalisations in a layer: the layer itself, or those in a layer made of others."""
    return [inner for inner in layer._flatten_layers() if isinstance(inner, NORMS)]


def weights_tuned(layer: keras.Layer, tune: Tune) -> list[Any]:
    """The weights of a layer that train in a thawed block, whatever their flags are now; by factors with `lora`."""
    if tune == "lora":
        return adaptable_kernels(layer)
    learning = [weight for inner in layer._flatten_layers() for weight in inner._trainable_variables]
    if tune == "all":
        return learning
    if tune == "norm":
        return [weight for inner in norm_layers(layer) for weight in inner._trainable_variables]
    return [weight for weight in learning if weight.name in OFFSETS]


def tune_within(model: keras.Model, blocks: Partition, mask: Mask, tune: Tune) -> None:
    """After `apply_mask`, hold still what of the thawed blocks is not tuned. Compile afterwards."""
    if tune == "all":
        return
    for weight in _held(model, blocks, mask, tune):
        weight.trainable = False


def held_weights(model: keras.Model, blocks: Partition, mask: Mask, tune: Tune) -> dict[str, Any]:
    """The weights of thawed blocks that are not tuned, by a name: they must not move."""
    if tune == "all":
        return {}
    return {f"{number} {weight.path}": weight for number, weight in enumerate(_held(model, blocks, mask, tune))}


def _held(model: keras.Model, blocks: Partition, mask: Mask, tune: Tune) -> Iterator[Any]:
    layers = leaf_layers(model)
    for block in blocks:
        for path in block.paths if thawed(block.number, mask) else ():
            tuned = {id(weight) for weight in weights_tuned(layers[path], tune)}
            yield from (weight for weight in weights_tuned(layers[path], "all") if id(weight) not in tuned)


def tuned_parameters(model: keras.Model, block: Block, config: TrainConfig) -> int:
    """How many parameters of a block train when it is thawed; moving statistics count with `all`, as in its size, and
    with `lora` the factors.
    """
    if config.tune == "all":
        return block.parameters
    layers = leaf_layers(model)
    tuned = [weight for path in block.paths for weight in weights_tuned(layers[path], config.tune)]
    if config.tune == "lora":
        return sum(factor_parameters(weight.shape, config.lora_rank) for weight in tuned)
    return sum(size(weight) for weight in tuned)


def optimizer_of(model: keras.Model, blocks: Partition, config: TrainConfig) -> Adam:
    """The optimizer of what trains: after `apply_mask` and `tune_within`."""
    factors = rate_factors(model, blocks, config.rate_decay)
    if config.tune == "lora":
        return LowRankAdam(config.lora_rank, factors=factors)
    return Adam(factors=factors)


def rate_factors(model: keras.Model, blocks: Partition, decay: float) -> list[float]:
    """By what the step of each trainable variable is multiplied, in the order of `model.trainable_variables`: `decay`
    to the power of how many blocks lie behind its own. Empty where all have one rate.
    """
    if decay == 1:
        return []
    layers, last = leaf_layers(model), searchable(blocks)
    factor: dict[int, float] = {}
    for block in blocks:
        behind = 0 if block.number == ALWAYS else last - block.number
        factor |= {id(weight): decay**behind for path in block.paths for weight in layers[path].weights}
    return [factor[id(variable)] for variable in model.trainable_variables]


def size(weight: Any) -> int:
    """How many numbers a weight has."""
    return math.prod(weight.shape)

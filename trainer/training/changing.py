"""Which weights a phase of a training changes, by names that are the same in every process, and how many parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
from numpy.typing import NDArray

from trainer.config import TrainConfig
from trainer.errors import TrialFailed
from trainer.network.batch_norm import statistics
from trainer.network.blocks import leaf_layers, thawed, trainable_parameters
from trainer.network.tuning import size, tuned_parameters, weights_tuned
from trainer.training.phases import Course, Phase


def changing_weights(model: keras.Model, phase: Phase) -> dict[str, Any]:
    """The weights that training changes, named by their layer's path and position in `layer.weights`: those of the
    mask's blocks, and in the other blocks the statistics of batch normalisation where they adapt.
    """
    layers = leaf_layers(model)
    weights: dict[str, Any] = {}
    adapt = phase.config.batch_norm == "adapt" and bool(phase.mask.blocks)
    for block in phase.blocks:
        for path in block.paths if adapt or thawed(block.number, phase.mask) else ():
            layer = layers[path]
            positions = _moving(layer, phase.config) if thawed(block.number, phase.mask) else sorted(statistics(layer))
            weights |= {f"{path}/{position}": layer.weights[position] for position in positions}
    return weights


def _moving(layer: keras.Layer, config: TrainConfig) -> list[int]:
    """The positions in `layer.weights` of what training may change where the layer is thawed."""
    if config.tune == "all":
        return list(range(len(layer.weights)))
    tuned = {id(weight) for weight in weights_tuned(layer, config.tune)}
    return [
        position
        for position, weight in enumerate(layer.weights)
        if id(weight) in tuned or position in statistics(layer)
    ]


def refuse_bare(model: keras.Model, phase: Phase) -> None:
    """Raises `TrialFailed` where a block of the mask has nothing to tune."""
    if bare := [
        block.number
        for block in phase.blocks
        if thawed(block.number, phase.mask) and not tuned_parameters(model, block, phase.config)
    ]:
        raise TrialFailed(
            f"nothing to tune: {phase.named(bare)} of {phase} have no weights of the kind {phase.config.tune!r}."
        )


def trained_parameters(model: keras.Model, course: Course) -> int:
    """How many parameters train in any phase: those of the mask, and of a head that trained alone before it what does
    not train as such under the mask. The kernel that trains with `lora` by its factors counts beside these.
    """
    last, layers = course.last, leaf_layers(model)
    counts = {block.number: tuned_parameters(model, block, last.config) for block in last.blocks}
    paths = [path for block in last.blocks if thawed(block.number, last.mask) for path in block.paths]
    tune = last.config.tune
    as_such = {id(weight) for path in paths if tune != "lora" for weight in weights_tuned(layers[path], tune)}
    alone = [weight for phase in course.phases if phase.head for weight in weights_tuned(layers[phase.head], "all")]
    return trainable_parameters(last.blocks, last.mask, counts) + sum(
        size(weight) for weight in alone if id(weight) not in as_such
    )


def values(variables: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    """Copies of variables' values."""
    return {name: keras.ops.convert_to_numpy(variable).copy() for name, variable in variables.items()}

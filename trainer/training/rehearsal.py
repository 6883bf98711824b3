"""One training step for each kind of mask, before anything is trained: what moves while frozen is found and named.

A layer may change its state whenever it is called in training, frozen or not: a running mean of its own, a codebook, a
norm. Every fold proves that nothing frozen moved, and stops the sweep otherwise; this says so before the first.
"""

from __future__ import annotations

from collections.abc import Iterator

import keras
import numpy as np

from trainer.config import TrainConfig
from trainer.errors import UserError, first_line
from trainer.masks import Mask
from trainer.network.batch_norm import statistics
from trainer.network.blocks import Partition, apply_mask, leaf_layers, searchable, seed_states, thawed
from trainer.training.losses import loss_named

IMAGES = 2


def rehearse(network: keras.Model, blocks: Partition, config: TrainConfig) -> None:
    """Train one step with the first block alone and one with the last alone, on noise; the network is as before then.

    Raises `UserError` that names each layer with weights that changed while frozen, and for a step that does not run.
    """
    variables = [*network.weights, *seed_states(network)]
    before = [keras.ops.convert_to_numpy(variable).copy() for variable in variables]
    try:
        for number in dict.fromkeys((1, searchable(blocks))):
            mask = Mask((number,), searchable(blocks))
            if moved := list(_moved(network, blocks, mask, config)):
                raise UserError(
                    f"What a mask freezes must stay as it is, but of '{network.name}' one training step under mask "
                    f"{mask} changed {', '.join(moved)}: frozen, yet changed by being called. Let the layer change its "
                    "state only where self.trainable is set, or leave it out."
                )
    finally:
        for variable, value in zip(variables, before, strict=True):
            variable.assign(value)


def _moved(network: keras.Model, blocks: Partition, mask: Mask, config: TrainConfig) -> Iterator[str]:
    """The layers that one step changes in the blocks that `mask` freezes."""
    adapt = config.batch_norm == "adapt"
    model, layers = keras.Model(network.input, network.output), leaf_layers(network)
    frozen = [path for block in blocks if not thawed(block.number, mask) for path in block.paths]
    before = {path: layers[path].get_weights() for path in frozen}
    apply_mask(model, blocks, mask, adapt=adapt)
    # Not traced: one step is not worth it.
    model.compile(optimizer=keras.optimizers.Adam(), loss=loss_named(config.loss), run_eagerly=True)
    rng = np.random.default_rng(0)
    image = rng.random((IMAGES, *network.input_shape[1:]), np.float32)
    try:
        model.train_on_batch(image, (image > np.median(image))[..., :1].astype(np.float32))
    except Exception as error:  # of the backend, or of a layer's own code
        raise UserError(
            f"A network must be one that can be trained, but one training step of '{network.name}' does not run: "
            f"{first_line(error)}"
        ) from error
    for path in frozen:
        layer, still = layers[path], statistics(layers[path]) if adapt else ()
        pairs = zip(layer.weights, before[path], layer.get_weights(), strict=True)
        names = [
            weight.name
            for position, (weight, old, new) in enumerate(pairs)
            if position not in still and not np.array_equal(old, new, equal_nan=True)
        ]
        if names:
            yield f"'{path}' ({type(layer).__name__}: {', '.join(names)})"

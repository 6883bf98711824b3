"""In which precision a network computes. Its weights, its outputs and so the loss are float32 in any."""

from __future__ import annotations

import keras

from trainer.network.blocks import leaf_layers

POLICIES = {"bfloat16": "mixed_bfloat16"}  # Keras's names; any other precision is the device's matter


def compute_in(network: keras.Model, precision: str) -> None:
    """Set the precision of every layer except those that give the network's outputs.

    The layers are changed, so every model that shares them computes alike. `bfloat16` casts images, activations and a
    copy of the weights; sums of a convolution are still float32 in the hardware that has it.
    """
    if precision not in POLICIES:
        return
    policy = keras.dtype_policies.get(POLICIES[precision])
    last = {id(tensor._keras_history.operation) for tensor in network.outputs}
    for layer in leaf_layers(network).values():
        for inner in layer._flatten_layers():
            if id(layer) not in last and not isinstance(inner, keras.layers.InputLayer):
                inner.dtype_policy = policy

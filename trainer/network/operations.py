"""How many floating-point operations one image costs in a training step, by the flags that the layers have now.

Counted are convolutions and dense layers, a multiplication and an addition as two; everything else in a segmentation
network is less than a hundredth of these. A frozen layer costs no gradient of its weights, and what lies before the
shallowest thawed layer costs no gradient of its activations.
"""

from __future__ import annotations

import math
from typing import Any

import keras

from trainer.network.graph import Step, evaluated


def forward_operations(network: keras.Model) -> int:
    """Of one image, scored."""
    return sum(map(_products, evaluated(network)))


def training_operations(network: keras.Model) -> int:
    """Of one image in a training step: forward, and the gradients that the thawed layers need."""
    total = 0
    moving: set[int] = set()  # tensors that depend on a thawed weight
    for step in evaluated(network):
        products = _products(step)
        trains = bool(getattr(step.operation, "trainable_variables", ()))
        behind = any(id(tensor) in moving for tensor in step.inputs)
        total += products * (1 + trains + behind)
        if trains or behind:
            moving |= set(map(id, step.outputs))
    return total


def _products(step: Step) -> int:
    """Of one image: each weight of a kernel meets every position once, of the output or, transposed, of the input."""
    kernel = getattr(step.operation, "kernel", None)
    if kernel is None:
        kernel = getattr(step.operation, "depthwise_kernel", None)
    if kernel is None:
        return 0
    transposed = "Transpose" in type(step.operation).__name__
    return 2 * int(math.prod(kernel.shape)) * _positions(step.inputs[0] if transposed else step.outputs[0])


def _positions(tensor: Any) -> int:
    """Of one image: all that is neither the batch nor a channel."""
    return int(math.prod(tensor.shape[1:-1]))

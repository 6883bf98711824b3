"""How fast this process's accelerator multiplies large matrices: what no training step can exceed."""

from __future__ import annotations

import time

import keras
from keras import ops

from trainer.config import Precision

SIDE, PRODUCTS, ROUNDS = 8192, 8, 4


def matrix_rate(precision: Precision, side: int = SIDE) -> float:
    """Operations a second of products of two random matrices (side, side): the best of a few rounds.

    In `bfloat16` they are of that type, else of float32 with whatever rounding the device was set to.
    """
    kind = "bfloat16" if precision == "bfloat16" else "float32"
    left, right = (ops.cast(keras.random.normal((side, side), seed=seed), kind) for seed in (0, 1))
    _wait(ops.matmul(left, right))
    best = float("inf")
    for _ in range(ROUNDS):
        started = time.perf_counter()
        for _ in range(PRODUCTS):
            product = ops.matmul(left, right)
        _wait(product)
        best = min(best, time.perf_counter() - started)
    return PRODUCTS * 2.0 * side**3 / best


def _wait(product: keras.KerasTensor) -> None:
    """Until it is computed: products come one after the other."""
    float(ops.convert_to_numpy(ops.cast(product[0, 0], "float32")))

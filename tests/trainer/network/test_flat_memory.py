"""Compiling one mask after the other leaves nothing behind, and changes no number."""

from __future__ import annotations

import gc

import keras
import numpy as np
import pytest

from trainer.config import ModelConfig
from trainer.network.flat_memory import Adam, forget_kernels
from trainer.network.unet import unet

X = np.random.default_rng(0).random((2, 32, 32, 1), np.float32)
Y = (X > 0.5).astype(np.float32)


def trained(optimizer: keras.optimizers.Optimizer, steps: int, *, forget: bool = False) -> list[np.ndarray]:
    network = unet(ModelConfig(size=32, filters=1), seed=1)
    network.compile(optimizer=optimizer, loss="mse")
    for _ in range(steps):
        network.train_on_batch(X, Y)
        if forget:
            forget_kernels()
    return [*network.get_weights(), *(keras.ops.convert_to_numpy(one) for one in network.optimizer.variables)]


def test_it_is_adam_to_the_bit() -> None:
    expected = trained(keras.optimizers.Adam(0.01), 3)
    for given in (trained(Adam(0.01), 3), trained(Adam(0.01), 3, forget=True)):
        assert all(np.array_equal(a, b) for a, b in zip(expected, given, strict=True))


@pytest.mark.slow
@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="only TensorFlow keeps graphs")
def test_no_traced_graph_outlives_its_mask() -> None:
    def graphs() -> int:
        gc.collect()
        return sum(type(one).__name__ == "FuncGraph" for one in gc.get_objects())

    network = unet(ModelConfig(size=32, filters=1))
    counts = []
    for _ in range(3):
        network.compile(optimizer=Adam(), loss="mse")
        network.train_on_batch(X, Y)
        counts.append(graphs())
    assert counts[0] == counts[1] == counts[2]

"""A low-rank update: Keras's arithmetic, a network of ordinary shapes, and a proof that notices anything else."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
import pytest
from keras import layers

from trainer.network.flat_memory import Adam
from trainer.network.low_rank import LowRankAdam, adaptable_kernels, factor_parameters, rank_of

RNG = np.random.default_rng(0)
X, Y = RNG.random((4, 8, 8, 3), np.float32), RNG.random((4, 8, 8, 2), np.float32)
RATE, RANK, STEPS = 1e-2, 2, 4


def network() -> keras.Model:
    """Two convolutions and a dense layer, of which only the kernels train."""
    keras.utils.set_random_seed(0)
    x = image = keras.Input((8, 8, 3))
    for layer in (layers.Conv2D(5, 3, padding="same", activation="relu"), layers.Dense(4), layers.Conv2D(2, 1)):
        x = layer(x)
        layer.bias.trainable = False
    return keras.Model(image, x)


def trained(model: keras.Model, optimizer: keras.Optimizer) -> list[float]:
    model.compile(optimizer=optimizer, loss="mse")
    return [float(model.train_on_batch(X, Y)) for _ in range(STEPS)]


def ready(model: keras.Model, factors: Sequence[float] = (), seed: int = 0) -> LowRankAdam:
    optimizer = LowRankAdam(RANK, RATE, factors)
    optimizer.build(model.trainable_variables)
    optimizer.begin((seed, 1))
    return optimizer


def test_it_is_the_arithmetic_of_keras() -> None:
    ours, theirs = network(), network()
    optimizer = ready(ours)
    for layer, parts in zip(theirs.layers[1:], optimizer._parts, strict=True):
        layer.enable_lora(RANK)
        layer.lora_kernel_a.assign(keras.ops.convert_to_numpy(parts.down).copy())
    found, expected = trained(ours, optimizer), trained(theirs, keras.optimizers.Adam(RATE))
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert found[0] != found[-1]
    for mine, other in zip(ours.layers[1:], theirs.layers[1:], strict=True):
        kernel, expected_kernel = (keras.ops.convert_to_numpy(layer.kernel) for layer in (mine, other))
        np.testing.assert_allclose(kernel, expected_kernel, atol=1e-5)


def test_what_trains_is_of_low_rank_and_nothing_else_moves() -> None:
    model = network()
    before, shapes = model.get_weights(), [weight.path for weight in model.weights]
    optimizer = ready(model)
    assert all(map(np.array_equal, model.get_weights(), before))
    trained(model, optimizer)
    updates = [new - old for new, old in zip(model.get_weights(), before, strict=True)]
    ranks = [np.linalg.matrix_rank(one.reshape(-1, one.shape[-1]), tol=1e-5) for one in updates]
    assert ranks == [2, 0, 2, 0, 2, 0] and [weight.path for weight in model.weights] == shapes
    assert not list(optimizer.broken())
    for kept, old in zip(optimizer.held().values(), before[::2], strict=True):
        assert np.array_equal(keras.ops.convert_to_numpy(kept), old)


def test_a_kernel_that_is_not_its_update_is_named() -> None:
    model = network()
    optimizer = ready(model)
    trained(model, optimizer)
    kernel = model.layers[2].kernel
    kernel.assign(kernel + 1e-4)
    assert list(optimizer.broken()) == [kernel.path]
    kernel.assign(kernel * np.nan)  # diverged, which is told by the predictions
    assert not list(optimizer.broken())


def test_the_seed_draws_the_factors_and_a_new_beginning_takes_the_kernels_that_are_there() -> None:
    drawn = {
        seed: [keras.ops.convert_to_numpy(one.down) for one in ready(network(), seed=seed)._parts] for seed in (0, 1)
    }
    again = [keras.ops.convert_to_numpy(one.down) for one in ready(network())._parts]
    assert all(map(np.array_equal, drawn[0], again)) and not any(map(np.array_equal, drawn[0], drawn[1]))
    model = network()
    optimizer = ready(model)
    trained(model, optimizer)
    optimizer.begin((0, 1))
    for kept, layer in zip(optimizer.held().values(), model.layers[1:], strict=True):
        assert np.array_equal(*map(keras.ops.convert_to_numpy, (kept, layer.kernel)))


def test_a_factor_of_the_rate_holds_for_both_factors_of_a_kernel() -> None:
    still, moving = network(), network()
    trained(still, ready(still, (0.0, 1.0, 1.0)))
    trained(moving, ready(moving, (1.0, 1.0, 1.0)))
    start = network().layers[1].get_weights()[0]
    assert np.array_equal(still.layers[1].get_weights()[0], start)
    assert not np.array_equal(moving.layers[1].get_weights()[0], start)


@pytest.mark.parametrize(
    ("layer", "names"),
    [
        (layers.Conv2D(4, 3), ["kernel"]),
        (layers.Conv2DTranspose(4, 3), ["kernel"]),
        (layers.Dense(4), ["kernel"]),
        (layers.SeparableConv2D(4, 3), ["pointwise_kernel"]),
        (layers.DepthwiseConv2D(3), []),
        (layers.BatchNormalization(), []),
        (layers.Conv2D(4, 3, kernel_constraint="non_neg"), []),
        (keras.Sequential([layers.Conv2D(4, 3), layers.DepthwiseConv2D(3)]), ["kernel"]),
    ],
)
def test_which_kernels_have_an_update(layer: keras.Layer, names: list[str]) -> None:
    layer.build((None, 8, 8, 3))
    assert [kernel.name for kernel in adaptable_kernels(layer)] == names


@pytest.mark.parametrize(
    ("shape", "rank", "parameters"),
    [((3, 3, 64, 128), 4, 4 * (576 + 128)), ((3, 3, 1, 8), 16, 8 * (9 + 8)), ((1, 1, 8, 1), 4, 9), ((5, 2), 1, 7)],
)
def test_how_many_parameters_the_factors_have(shape: tuple[int, ...], rank: int, parameters: int) -> None:
    assert factor_parameters(shape, rank) == parameters and rank_of(shape, rank) <= min(rank, shape[-1])


def test_plain_adam_has_nothing_to_begin_hold_or_break() -> None:
    optimizer = Adam()
    optimizer.begin((0,))
    assert not optimizer.held() and not list(optimizer.broken())

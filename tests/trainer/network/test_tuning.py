"""What of a thawed block is tuned, how fast, and what that costs."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from trainer.config import ModelConfig, TrainConfig, Tune
from trainer.masks import parse
from trainer.network.blocks import apply_mask, partition
from trainer.network.flat_memory import Adam
from trainer.network.tuning import held_weights, rate_factors, tune_within, tuned_parameters
from trainer.network.unet import unet


def normed() -> keras.Model:
    """Three blocks, each of a convolution and a normalisation of another kind."""
    x = image = keras.Input((16, 16, 1))
    for norm in (layers.BatchNormalization(), layers.GroupNormalization(2), layers.LayerNormalization()):
        x = norm(layers.Conv2D(4, 3, padding="same", strides=2 if x is not image else 1)(x))
    return keras.Model(image, layers.Conv2D(1, 1, name="head")(x))


@pytest.mark.parametrize(
    ("tune", "names", "counts"),
    [
        ("all", {"kernel", "bias", "gamma", "beta"}, None),
        ("norm", {"gamma", "beta"}, {1: 8, 2: 8, 3: 8}),
        ("bias", {"bias", "beta"}, {1: 8, 2: 8, 3: 9}),
        ("lora", {"kernel"}, {1: 4 * (9 + 4), 2: 4 * (36 + 4), 3: 4 * (36 + 4) + (4 + 1)}),
    ],
)
def test_only_what_is_tuned_of_the_thawed_blocks_trains(
    tune: Tune, names: set[str], counts: dict[int, int] | None
) -> None:
    network = normed()
    blocks, mask = partition(network), parse("2-3", 3)
    for before in ("bias", "norm", tune):  # flags of a mask before leave no trace
        apply_mask(network, blocks, mask)
        tune_within(network, blocks, mask, before)
    assert {variable.name for variable in network.trainable_variables} == names
    assert not {id(weight) for weight in held_weights(network, blocks, mask, tune).values()} & {
        id(variable) for variable in network.trainable_variables
    }
    found = {block.number: tuned_parameters(network, block, TrainConfig(tune=tune)) for block in blocks}
    assert found == (counts or {block.number: block.parameters for block in blocks})
    thawed = sum(found[number] for number in (2, 3))
    if tune in ("norm", "bias"):
        assert thawed == sum(int(np.prod(variable.shape)) for variable in network.trainable_variables)


def test_the_rate_falls_from_the_output_to_the_input() -> None:
    network = unet(ModelConfig(size=32, filters=1))
    blocks = partition(network)
    apply_mask(network, blocks, parse("1,8,9", 9))
    factors = dict(
        zip(
            (variable.path for variable in network.trainable_variables), rate_factors(network, blocks, 0.5), strict=True
        )
    )
    found = {path.split("_")[0].split("/")[0]: factor for path, factor in factors.items()}
    assert found == {"block1": 0.5**8, "block8": 0.5, "block9": 1.0, "head": 1.0}
    assert rate_factors(network, blocks, 1.0) == []


def test_a_factor_scales_the_step_of_adam_itself() -> None:
    """Adam ignores how large a gradient is, so the step must be scaled, and by exactly the factor."""
    steps = []
    for factors in ((), (1.0, 0.25)):
        variables = [keras.Variable([1.0, 2.0]), keras.Variable([3.0])]
        optimizer = Adam(0.1, factors)
        optimizer.build(variables)
        before = [keras.ops.convert_to_numpy(variable).copy() for variable in variables]
        optimizer.apply([keras.ops.convert_to_tensor([0.5, -3.0]), keras.ops.convert_to_tensor([1e-3])], variables)
        steps.append([keras.ops.convert_to_numpy(v) - b for v, b in zip(variables, before, strict=True)])
    plain, scaled = steps
    np.testing.assert_array_equal(plain[0], scaled[0])
    np.testing.assert_allclose(0.25 * plain[1], scaled[1], rtol=1e-5)

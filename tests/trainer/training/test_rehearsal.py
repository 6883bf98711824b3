"""One step before the sweep: what moves while frozen is named, and the network is as before."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers, ops

from tests.trainer.network.test_ending import chain, conv
from trainer.config import TrainConfig
from trainer.errors import UserError
from trainer.network.blocks import partition
from trainer.network.user_model import adapted
from trainer.training.rehearsal import rehearse


@keras.saving.register_keras_serializable(package="tests")
class RunningMean(layers.Layer):  # type: ignore[misc]
    """Keeps a mean of what it has seen, frozen or not."""

    def build(self, shape: Any) -> None:
        self.mean = self.add_weight(name="mean", shape=(), initializer="zeros", trainable=False)

    def call(self, x: Any, training: bool = False) -> Any:
        if training:
            self.mean.assign(0.9 * self.mean + 0.1 * ops.mean(x))
        return x - self.mean


def two_blocks(*first: Any, second: Any = ()) -> keras.Model:
    steps = (*first, conv(2, name="one"), layers.MaxPooling2D(), *second, conv(2, name="two"), layers.UpSampling2D())
    return adapted(chain(*steps, layers.Dropout(0.5), conv(name="mask")), 8)


@pytest.mark.parametrize("place", ["first", "second"])
def test_what_moves_while_frozen_is_named(place: str) -> None:
    mine = RunningMean(name="mine")
    network = two_blocks(mine) if place == "first" else two_blocks(second=(mine,))
    with pytest.raises(UserError, match=r"one training step under mask \d .*'mine' \(RunningMean: mean\)"):
        rehearse(network, partition(network), TrainConfig())


@pytest.mark.parametrize("batch_norm", ["frozen", "adapt"])
def test_what_keeps_still_passes_and_is_as_before(batch_norm: Any) -> None:
    network = two_blocks(layers.SpectralNormalization(conv(2)), layers.BatchNormalization())
    before = [np.array(variable) for variable in network.variables]
    rehearse(network, partition(network), TrainConfig(batch_norm=batch_norm))
    assert all(np.array_equal(old, new) for old, new in zip(before, network.variables, strict=True))


@keras.saving.register_keras_serializable(package="tests")
class Untrainable(layers.Layer):  # type: ignore[misc]
    """Cannot be called in training."""

    def call(self, x: Any, training: bool = False) -> Any:
        if training:
            raise RuntimeError("not in training")
        return x


def test_a_step_that_does_not_run_is_told() -> None:
    network = two_blocks(Untrainable())
    with pytest.raises(UserError, match="one training step of 'own' does not run"):
        rehearse(network, partition(network), TrainConfig())

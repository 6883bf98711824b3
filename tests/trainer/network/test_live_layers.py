"""Layers that are what their weights say, whoever assigns them, and that do not move while frozen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from tests.trainer.network.test_ending import IMAGES, chain, conv
from trainer.config import ModelConfig
from trainer.network.delta_checkpoints import Delta, apply_delta
from trainer.network.live_layers import live, plain
from trainer.network.user_model import adapted, from_scratch
from trainer.network.weights import load_weights, weights_digest, write_weights
from trainer.neurons.layers import trunk


def normalised(mean: float, *, nested: bool = False, invert: bool = False) -> keras.Model:
    layer = layers.Normalization(axis=-1, name="norm", invert=invert)
    layer.adapt(np.random.default_rng(0).normal(mean, 0.1, (9, 4, 4, 1)).astype(np.float32))
    first: Any = chain(layer, name="inner") if nested else layer
    return chain(first, conv(2, name="one"), layers.MaxPooling2D(), layers.UpSampling2D(), conv(name="two"))


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("invert", [False, True])
def test_a_copy_normalises_as_the_network_does(nested: bool, invert: bool) -> None:
    network = normalised(0.5, nested=nested, invert=invert)
    assert np.array_equal(adapted(network, 8)(IMAGES), network(IMAGES))


@pytest.mark.parametrize("way", ["set", "assign", "keras", "weights", "delta"])
def test_weights_that_are_assigned_count(way: str, tmp_path: Path) -> None:
    """Another network's mean and variance, by every way that weights are put into a copy."""
    network, other = adapted(normalised(0.5), 8), normalised(7.0)
    traced = network.predict_on_batch(IMAGES)  # what is traced must not keep constants
    if way == "set":
        network.set_weights(other.get_weights())
    elif way == "assign":
        for variable, value in zip(network.weights, other.get_weights(), strict=True):
            variable.assign(value)
    elif way == "delta":
        weights = {f"{layer.name}/{i}": value for layer in other.layers for i, value in enumerate(layer.get_weights())}
        apply_delta(network, Delta(weights_digest(network), weights))
    elif way == "keras":
        other.save(tmp_path / "other.keras")
        load_weights(network, tmp_path / "other.keras")
    else:
        write_weights(other, tmp_path / "other.weights.h5")
        load_weights(network, tmp_path / "other.weights.h5")
    found = network.predict_on_batch(IMAGES)
    assert found == pytest.approx(np.asarray(other(IMAGES)), abs=1e-4) and not np.allclose(found, traced)


def test_from_scratch_keeps_what_the_preprocessing_has_seen(tmp_path: Path) -> None:
    network = normalised(0.5)
    network.save(tmp_path / "my.keras")
    fresh = from_scratch(ModelConfig(8, path=str(tmp_path / "my.keras")), 1)
    assert np.array_equal(fresh.get_layer("norm").get_weights()[0], network.get_layer("norm").get_weights()[0])
    assert not np.array_equal(fresh.get_layer("one").get_weights()[0], network.get_layer("one").get_weights()[0])


def test_from_scratch_keeps_it_in_a_sequential_too(tmp_path: Path) -> None:
    seen = layers.Normalization(axis=-1)
    seen.adapt(IMAGES * 200)
    inside = keras.Sequential([layers.RandAugment(), seen, conv(2, name="one")], name="inside")
    chain(inside, conv()).save(tmp_path / "my.keras")
    config = ModelConfig(8, path=str(tmp_path / "my.keras"), still=(f"inside/{inside.layers[0].name}",))
    (fresh,) = (layer for layer in from_scratch(config, 1)._flatten_layers() if isinstance(layer, layers.Normalization))
    assert all(np.array_equal(a, b) for a, b in zip(fresh.get_weights(), seen.get_weights(), strict=True))


def test_drawn_neurons_see_new_statistics() -> None:
    network, other = adapted(normalised(0.5, nested=True), 8), normalised(7.0, nested=True)
    cut = trunk(network, 1)
    cut.set_weights(other.get_weights())
    inner, one = other.get_layer("inner"), other.get_layer("one")
    assert np.asarray(cut.model(IMAGES)) == pytest.approx(np.asarray(one(inner(IMAGES))), abs=1e-4)


@pytest.mark.parametrize("trains", [True, False])
def test_a_spectral_norm_moves_only_where_it_trains(trains: bool) -> None:
    network = live(chain(layers.SpectralNormalization(conv(2, name="one"), name="norm"), conv()))
    layer = network.get_layer("norm")
    layer.trainable = trains
    before = layer.get_weights()
    network(IMAGES, training=True)
    moved = [not np.array_equal(old, new) for old, new in zip(before, layer.get_weights(), strict=True)]
    assert any(moved) is trains


def test_a_network_to_be_saved_has_layers_of_keras_only(tmp_path: Path) -> None:
    network = adapted(normalised(0.5, nested=True), 8)
    saved = plain(network)
    assert all(type(layer).__module__.startswith("keras.") for layer in saved._flatten_layers())
    assert np.array_equal(saved(IMAGES), network(IMAGES)) and plain(saved) is saved and live(network) is network

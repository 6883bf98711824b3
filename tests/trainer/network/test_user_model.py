"""A network of one's own: taken as it is meant, from scratch by its own initialisers, or refused in one sentence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

from tests.trainer import own as nets
from trainer.config import ModelConfig, identity_of_model
from trainer.errors import UserError
from trainer.network.blocks import leaf_layers, partition
from trainer.network.unet import unet
from trainer.network.user_model import adapted, architecture, examined, from_scratch, network_of
from trainer.network.weights import load_weights, weights_digest, write_weights

PICTURES = np.random.default_rng(0).random((2, 32, 32, 1), np.float32)


def sigmoid(logits: object) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-np.asarray(logits))))


def nested() -> keras.Model:
    """A model whose last layer is a whole model, which ends with the sigmoid."""
    picture = keras.Input((32, 32, 3))
    first = layers.Conv2D(3, 1, name="first")(picture)
    return keras.Model(picture, nets.own()(first), name="outer")


@pytest.mark.parametrize(
    "made",
    [
        nets.own,
        lambda: nets.own(None),
        lambda: nets.after(nets.own(end=None), layers.Activation("sigmoid", name="last")),
        lambda: nets.after(nets.own(end=None), keras.ops.sigmoid),
        nested,
        lambda: keras.Model((whole := nets.own()).input, {"mask": whole.outputs[0]}),
        lambda: keras.Model((whole := nets.own()).input, [whole.outputs[0]]),
    ],
    ids=["in its layer", "any size", "a layer of its own", "a bare function", "in a nested model", "dict", "list"],
)
def test_logits_are_the_network_s_own_without_its_sigmoid_on_the_grey_picture_three_times(made: object) -> None:
    network = made()  # type: ignore[operator]
    logits = adapted(network, 32)(PICTURES, training=False)
    (expected,) = keras.tree.flatten(network(np.repeat(PICTURES, 3, axis=-1), training=False))
    assert np.allclose(sigmoid(logits), expected, atol=1e-6)


def test_convolutions_inside_nested_layers_count() -> None:
    picture = keras.Input((32, 32, 1))
    inner = keras.Sequential([layers.Conv2D(2, 3, padding="same")], name="inner")
    assert adapted(keras.Model(picture, layers.Dense(1)(inner(picture)), name="own"), 32).output_shape[-1] == 1


def test_an_activation_before_the_last_weights_is_no_ending() -> None:
    logits = nets.after(nets.own(), layers.Conv2D(1, 1, name="logits"), layers.Identity())
    assert np.allclose(adapted(logits, 32)(PICTURES), logits(np.repeat(PICTURES, 3, axis=-1)), atol=1e-6)


def test_logits_and_one_channel_are_taken_as_they_are() -> None:
    network = nets.own(channels=1, end=None)
    assert np.array_equal(adapted(network, 32)(PICTURES), network(PICTURES))


def test_layers_keep_their_paths_and_nothing_is_shared() -> None:
    network = nested()
    copy = adapted(network, 32)
    paths = [place.path for block in partition(copy) for place in block.layers]
    assert paths == [place.path for block in partition(network) for place in block.layers]
    assert "own/bn1" in paths
    leaf_layers(copy)["own/conv1"].set_weights([np.zeros((3, 3, 3, 2), np.float32)])
    assert np.any(leaf_layers(network)["own/conv1"].get_weights()[0])


def test_layers_that_were_saved_frozen_can_train() -> None:
    network = nets.own()
    network.get_layer("conv1").trainable = False
    assert adapted(network, 32).get_layer("conv1").trainable


@pytest.mark.parametrize("name", nets.REFUSED)
def test_what_cannot_be_searched_is_refused(name: str, tmp_path: Path) -> None:
    made, words = nets.REFUSED[name]
    path = nets.saved(made(), tmp_path)
    with pytest.raises(UserError, match=words):
        examined(ModelConfig(32, path=str(path)))


def test_from_scratch_means_its_own_initialisers_with_the_seed(tmp_path: Path) -> None:
    network = nets.own()
    network.get_layer("bn1").set_weights([np.full(2, 7.0)] * 4)
    config = ModelConfig(32, path=str(nets.saved(network, tmp_path)))
    one, again, other = (from_scratch(config, seed) for seed in (1, 1, 2))
    assert weights_digest(one) == weights_digest(again)
    for path in ("conv1", "conv2", "mask"):
        drawn = [leaf_layers(each)[path].get_weights()[0] for each in (one, other, network_of(config))]
        assert not any(np.array_equal(drawn[i], drawn[j]) for i, j in ((0, 1), (0, 2), (1, 2)))
    assert [weight.tolist() for weight in leaf_layers(one)["bn1"].get_weights()] == [[1, 1], [0, 0], [0, 0], [1, 1]]
    limit = np.sqrt(6 / (9 * 3 + 9 * 2))  # Glorot's, the layer's own
    assert 0.5 * limit < np.abs(leaf_layers(one)["conv1"].get_weights()[0]).max() <= limit


def test_an_explicit_seed_in_the_file_does_not_make_every_scratch_the_same(tmp_path: Path) -> None:
    config = ModelConfig(32, path=str(nets.saved(unet(ModelConfig(32, 2), seed=5), tmp_path)))
    assert weights_digest(from_scratch(config, 1)) != weights_digest(from_scratch(config, 2))


def test_the_identity_is_the_layers_not_the_place_nor_the_weights(tmp_path: Path) -> None:
    first, twin = nets.own(), keras.models.clone_model(nets.own())
    wider = nets.own(filters=3)
    (tmp_path / "moved").mkdir()
    paths = [nets.saved(first, tmp_path), nets.saved(twin, tmp_path / "moved", "other.keras")]
    models = [replace(examined(ModelConfig(32, path=str(path)))[0], file="anywhere") for path in paths]
    one, other = (identity_of_model(vars(model)) for model in models)
    assert one == other and set(one) == {"size", "architecture"}
    assert architecture(wider) != one["architecture"]
    assert identity_of_model(vars(ModelConfig())) == {"size": 64, "filters": 8, "dropout": 0.5}


@pytest.mark.parametrize("suffix", [".weights.h5", ".keras"])
def test_weights_of_the_user_s_own_network_fit_the_adapted_one(tmp_path: Path, suffix: str) -> None:
    network = nets.own()
    config = ModelConfig(32, path=str(nets.saved(nets.own(), tmp_path)))
    path = tmp_path / f"trained{suffix}"
    (network.save if suffix == ".keras" else network.save_weights)(path)
    taken = network_of(config)
    load_weights(taken, path)
    assert np.allclose(sigmoid(taken(PICTURES)), network(np.repeat(PICTURES, 3, axis=-1)), atol=1e-6)
    write_weights(taken, tmp_path / "ours.weights.h5")
    load_weights(again := network_of(config), tmp_path / "ours.weights.h5")
    assert weights_digest(again) == weights_digest(taken)

"""A copy has everything of the network, and only what must not be in it is left out, and said."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from tests.trainer.network.test_ending import IMAGES, chain, conv
from trainer.config import ModelConfig
from trainer.errors import UserError
from trainer.network.blocks import leaf_layers, partition
from trainer.network.user_model import adapted, checked_copy, found_out
from trainer.training.step_cost import expected_peak


def backbone(size: int | None = 8) -> keras.Model:
    """The usual U-Net with an encoder as one layer, which gives a map of each size."""
    x = picture = keras.Input((size, size, 1))
    wide = conv(2, "relu", name="wide")(x)
    deep = conv(4, "relu", name="deep")(layers.MaxPooling2D()(wide))
    encoder = keras.Model(picture, {"wide": wide, "deep": deep}, name="encoder")
    whole = keras.Input((size, size, 1))
    maps = encoder(whole)
    joined = layers.Concatenate()([layers.UpSampling2D()(maps["deep"]), maps["wide"]])
    return keras.Model(whole, conv(1, "sigmoid", name="mask")(joined), name="own")


def two_inputs() -> keras.Model:
    """A nested model that takes a dictionary."""
    given = {name: keras.Input((8, 8, 2), name=name) for name in ("b", "a")}
    inner = keras.Model(given, conv(2)(layers.Subtract()([given["a"], given["b"]])), name="inner")
    picture = keras.Input((8, 8, 1))
    return keras.Model(picture, conv()(inner({"a": conv(2)(picture), "b": conv(2)(picture)})), name="own")


KINDS: dict[str, Callable[[], keras.Model]] = {
    "an encoder of several outputs": backbone,
    "one of any size": lambda: backbone(None),
    "a dictionary": two_inputs,
    "SpatialDropout2D": lambda: chain(conv(2), layers.SpatialDropout2D(0.5), conv()),
    "PReLU": lambda: chain(conv(2), layers.PReLU(alpha_initializer="ones", shared_axes=[1, 2]), conv()),
    "GroupNormalization": lambda: chain(conv(4), layers.GroupNormalization(2), conv()),
    "SpectralNormalization": lambda: chain(layers.SpectralNormalization(conv(2)), conv()),
    "separable": lambda: chain(layers.SeparableConv2D(2, 3, padding="same"), conv()),
    "transposed": lambda: chain(conv(2), layers.Conv2DTranspose(2, 2, 2), layers.MaxPooling2D(), conv()),
    "a Sequential": lambda: chain(keras.Sequential([conv(2), layers.BatchNormalization()]), conv()),
    "a layer used twice": lambda: chain(conv(2), *[conv(2, name="same")] * 2, conv()),
    "UnitNormalization": lambda: chain(conv(2), layers.UnitNormalization(), conv()),
}


@pytest.mark.parametrize("name", KINDS)
def test_a_copy_answers_as_the_network(name: str) -> None:
    network = KINDS[name]()
    copy = checked_copy(network, 8, ModelConfig())
    assert copy.count_params() == network.count_params() and expected_peak(copy, 4) > 0
    assert {path for path, layer in leaf_layers(copy).items() if layer.weights} == {
        path for path, layer in leaf_layers(network).items() if layer.weights
    }


def test_memory_counts_what_is_inside_a_nested_model() -> None:
    assert expected_peak(adapted(backbone(None), 8), 64) == expected_peak(adapted(backbone(), 8), 64)


def test_a_shared_layer_can_be_searched_as_its_refusal_advises() -> None:
    same = conv(2, name="same")
    network = chain(conv(2, name="a"), same, layers.MaxPooling2D(), same, layers.UpSampling2D(), conv(name="b"))
    copy = adapted(network, 8)
    with pytest.raises(UserError, match=r"say in model\.blocks which block"):
        partition(copy)
    assert [block.paths for block in partition(copy, table=(("a", "same"), ("b",)))] == [("a", "same"), ("b",)]


MIXED = keras.Sequential([layers.RandomRotation(0.5), layers.RandomContrast(0.5)], name="augment")
MOVING: dict[str, tuple[Any, str]] = {
    "a flip": (layers.RandomFlip(name="flip"), "flip"),
    "in a Sequential": (MIXED, "augment/random_rotation"),
    "in a Pipeline": (layers.Pipeline([layers.RandomZoom(0.5, name="zoom")], name="line"), "line/zoom"),
    "a crop": (layers.RandomCrop(8, 8, name="crop"), "crop"),
}


@pytest.mark.parametrize("name", MOVING)
def test_random_layers_that_move_images_are_left_out_and_said(name: str) -> None:
    layer, path = MOVING[name]
    network = chain(layer, conv())
    config, notes = found_out(network, ModelConfig())
    assert len(config.still) == 1 and config.still[0].startswith(path)
    assert f"Left out, because they would move images without their masks: {path}" in notes[-1]
    copy = checked_copy(network, 8, config)
    contrast = name == "in a Sequential"  # moves no pixel, and stays
    alike = [np.allclose(copy(IMAGES, training=True), copy(IMAGES, training=False), atol=1e-5) for _ in range(3)]
    assert all(alike) is not contrast


def test_noise_and_contrast_stay() -> None:
    config, notes = found_out(chain(layers.GaussianNoise(0.1), layers.RandomBrightness(0.1), conv()), ModelConfig())
    assert config.still == () and len(notes) == 1


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float64"])
def test_other_precisions_compute_in_float32_and_that_is_said(policy: str) -> None:
    network = chain(conv(2, dtype=policy), layers.BatchNormalization(dtype=policy), conv(1, "sigmoid"))
    config, notes = found_out(network, ModelConfig())
    assert config.float32 and notes[-1] == f"It computes in float32 here, not in {policy}."
    copy = checked_copy(network, 8, config)
    assert {layer.compute_dtype for layer in copy._flatten_layers()} == {"float32"}


@keras.saving.register_keras_serializable(package="tests")
class Forgetful(layers.Layer):  # type: ignore[misc]
    """A factor that is neither a weight nor a setting."""

    factor = 1.0

    def call(self, x: Any) -> Any:
        return x * self.factor


@keras.saving.register_keras_serializable(package="tests")
class Unsaid(layers.Layer):  # type: ignore[misc]
    """A setting that get_config does not give."""

    def __init__(self, factor: float, **more: Any) -> None:
        super().__init__(**more)
        self.factor = factor

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name}

    def call(self, x: Any) -> Any:
        return x * self.factor


@keras.saving.register_keras_serializable(package="tests")
class Speechless(layers.Layer):  # type: ignore[misc]
    """A layer that cannot be made again, and whose error says nothing."""

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name}

    @classmethod
    def from_config(cls, settings: Any) -> Any:
        raise NotImplementedError

    def call(self, x: Any) -> Any:
        return x


def test_an_error_without_words_is_named() -> None:
    with pytest.raises(UserError, match=r"'mute' \(Speechless\) cannot: NotImplementedError"):
        adapted(chain(Speechless(name="mute"), conv()), 8)


def test_a_network_of_any_size_that_cannot_read_the_probe_is_refused_in_words() -> None:
    picture = keras.Input((None, None, 1))
    x = conv()(picture)
    for layer in (*(layers.MaxPooling2D() for _ in range(7)), layers.UpSampling2D(128)):
        x = layer(x)
    network = keras.Model(picture, x, name="own")
    with pytest.raises(UserError, match=r"for an image of 64x64 pixels, but 'own' does not: .* Set model\.size"):
        checked_copy(network, (None, None), ModelConfig())
    assert checked_copy(network, 128, ModelConfig()).output_shape == (None, 128, 128, 1)


def test_what_a_copy_cannot_have_is_refused() -> None:
    layer = Forgetful()
    layer.factor = 5.0
    with pytest.raises(UserError, match="A copy of a network must answer as the network does, but that of 'own'"):
        checked_copy(chain(layer, conv()), 8, ModelConfig())
    with pytest.raises(UserError, match=r"'unsaid' \(Unsaid\) cannot: .*get_config"):
        adapted(chain(Unsaid(2.0, name="unsaid"), conv()), 8)

"""Which values a network reads: asked of its first layers, nested ones and functions included, and told."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers, ops

from tests.trainer.network.test_ending import chain, conv
from trainer.config import ModelConfig, identity_of_model
from trainer.errors import UserError
from trainer.network.input_range import range_of
from trainer.network.user_model import adapted, checked_copy, found_out

Step = Any  # a layer, or a function of a tensor
HALF = np.random.default_rng(0).normal(0.5, 0.1, (9, 4, 4, 1))
IMAGENET = {"mean": [0.485, 0.456, 0.406], "variance": [0.052, 0.05, 0.051]}


def seen(images: np.ndarray) -> layers.Layer:
    layer = layers.Normalization(axis=-1)
    layer.adapt(images.astype(np.float32))
    return layer


def normed(mean: float, deviation: float) -> Step:
    """Batch normalisation of the image itself, with statistics of its own."""
    layer = layers.BatchNormalization()
    layer.build((None, 8, 8, 1))
    layer.set_weights([np.ones(1), np.zeros(1), np.array([mean]), np.array([deviation**2])])
    return layer


def thrice(x: Any) -> Any:
    return layers.Concatenate()([x, x, x])


BEGINNINGS: dict[str, tuple[tuple[Step, ...], tuple[float, float]]] = {
    "nothing": ((), (0, 1)),
    "Rescaling": ((layers.Rescaling(1 / 255),), (0, 255)),
    "to signs": ((layers.Rescaling(1 / 127.5, -1),), (0, 255)),
    "from 0 to 1": ((layers.Rescaling(2, -1),), (0, 1)),
    "from signs": ((layers.Rescaling(0.5, 0.5),), (-1, 1)),
    "to 255": ((layers.Rescaling(255),), (0, 1)),
    "signs to 255": ((layers.Rescaling(127.5, 127.5),), (-1, 1)),
    "16 bits": ((layers.Rescaling(1 / 65535),), (0, 65535)),
    "12 bits": ((layers.Rescaling(1 / 4095),), (0, 4095)),
    "functions": ((lambda x: x / 127.5, lambda x: x - 1), (0, 255)),
    "product": ((lambda x: x * (1 / 255),), (0, 255)),
    "less a mean": ((thrice, lambda x: x - np.array([104.0, 117.0, 124.0])), (0, 255)),
    "blue first": ((thrice, lambda x: x[..., ::-1], lambda x: x - np.array([104.0, 117.0, 124.0])), (0, 255)),
    "less a tensor": ((thrice, lambda x: ops.add(x, ops.convert_to_tensor([-104.0, -117.0, -124.0]))), (0, 255)),
    "ImageNet": ((thrice, layers.Rescaling(1 / 255), layers.Normalization(**IMAGENET)), (0, 255)),
    "seen 0 to 1": ((seen(HALF),), (0, 1)),
    "seen 0 to 255": ((seen(255 * HALF),), (0, 255)),
    "seen -1 to 1": ((seen(2 * HALF - 1.4),), (-1, 1)),
    "seen 12 bits": ((seen(4000 * HALF),), (0, 4095)),
    "statistics": ((normed(120, 60),), (0, 255)),
    "statistics of 0 to 1": ((normed(0.4, 0.2),), (0, 1)),
    "in a nested model": ((chain(layers.Rescaling(1 / 255), conv(2), name="inner"),), (0, 255)),
    "in a Sequential": ((keras.Sequential([layers.RandomFlip(), layers.Rescaling(1 / 255)]),), (0, 255)),
    "behind a nested model": ((chain(layers.GaussianNoise(0.1), name="inner"), layers.Rescaling(1 / 255)), (0, 255)),
    "in a Pipeline": ((layers.Pipeline([layers.RandomContrast(0.1), layers.Rescaling(1 / 255)]),), (0, 255)),
    "behind brightness": ((layers.RandomBrightness(0.1), layers.Rescaling(1 / 255)), (0, 255)),
    "behind brightness of 0 to 1": ((layers.RandomBrightness(0.1, value_range=(0, 1)),), (0, 1)),
    "brightness of 0 to 255": ((layers.RandomBrightness(0.1),), (0, 255)),
    "scaled before brightness": ((layers.Rescaling(1 / 255), layers.RandomBrightness(0.1)), (0, 255)),
    "behind what is left out": ((layers.RandAugment(), layers.Rescaling(1 / 255)), (0, 255)),
    "behind a pooling": ((layers.AveragePooling2D(2), layers.UpSampling2D(), layers.Rescaling(1 / 255)), (0, 255)),
    "behind a permutation": ((layers.Permute((2, 1, 3)), layers.Rescaling(1 / 255)), (0, 255)),
    "behind a dropout": ((layers.SpatialDropout2D(0.1), layers.Rescaling(1 / 255)), (0, 255)),
    "behind a clip": ((lambda x: ops.clip(x, 0, 255), layers.Rescaling(1 / 255)), (0, 255)),
    "behind a mean of channels": ((thrice, lambda x: ops.mean(x, -1, keepdims=True) / 255), (0, 255)),
    "behind grey of colours": ((thrice, ops.image.rgb_to_grayscale, layers.Rescaling(1 / 255)), (0, 255)),
    "over its own brightest": ((lambda x: x / (ops.max(x, (1, 2, 3), keepdims=True) * 20),), (0, 1)),
    "turned": ((lambda x: 1 - x,), (0, 1)),
    "turned to signs": ((layers.Rescaling(-2, 1),), (0, 1)),
    "turned from signs": ((layers.Rescaling(-0.5, 0.5),), (-1, 1)),
    "turned in 8 bits": ((lambda x: 255 - x,), (0, 255)),
    "turned and scaled": ((lambda x: (255 - x) / 255,), (0, 255)),
    "later only": ((conv(2), layers.Rescaling(1 / 255)), (0, 1)),
}


@pytest.mark.parametrize("name", BEGINNINGS)
def test_the_first_layers_are_asked(name: str) -> None:
    steps, bounds = BEGINNINGS[name]
    found = range_of(chain(*steps, conv()), ModelConfig())
    assert (found.low, found.high) == bounds
    assert f"Its images have values from {bounds[0]} to {bounds[1]}: " in found.note


def test_a_scaling_of_nothing_known_is_refused_until_it_is_told() -> None:
    network = chain(layers.Rescaling(0.05), conv())
    with pytest.raises(UserError, match=r"multiplies them by 0\.05 first .* model\.range, one of 0-1, 0-255, -1-1"):
        range_of(network, ModelConfig())
    assert range_of(network, ModelConfig(range="-1-1")).low == -1


def test_what_a_layer_of_ones_own_asks_for_is_not_claimed() -> None:
    class Prepared(layers.Layer):  # type: ignore[misc]
        def call(self, x: Any) -> Any:
            return x / 255

    note = range_of(chain(Prepared(name="first"), conv()), ModelConfig()).note
    assert "values from 0 to 1: " in note and "what 'first' (Prepared) asks for cannot be known" in note


def test_whole_numbers_are_those_of_8_bits() -> None:
    picture = keras.Input((8, 8, 1), dtype="uint8")
    network = keras.Model(picture, conv()(layers.Rescaling(1.0)(picture)), name="own")
    assert range_of(network, ModelConfig()).high == 255


def test_an_encoder_known_for_another_range_is_named() -> None:
    network = chain(conv(name="expanded_conv_depthwise"), conv())
    assert "names of MobileNet, which keras.applications trains on -1 to 1" in range_of(network, ModelConfig()).note


@pytest.mark.parametrize(("channels", "scale"), [(1, 255.0), (3, 127.5)])
def test_a_copy_scales_at_its_input_and_is_not_scaled_again(channels: int, scale: float) -> None:
    picture = keras.Input((8, 8, channels))
    network = keras.Model(picture, conv(1, "sigmoid")(layers.Rescaling(1 / scale, -0.5)(picture)), name="own")
    config, _ = found_out(network, ModelConfig())
    assert config.reads == (0, 255) and identity_of_model(vars(config) | {"path": "x"})["reads"] == (0, 255)
    copy = checked_copy(network, 8, config)
    again, _ = found_out(copy, ModelConfig())
    assert again.reads == () and "as thaw made it" in range_of(copy, ModelConfig()).note
    image = np.random.default_rng(1).random((1, 8, 8, 1), np.float32)
    assert np.asarray(adapted(copy, 8, again)(image)) == pytest.approx(np.asarray(copy(image)), abs=1e-6)


def test_a_range_that_is_the_plain_one_stands_in_no_identity() -> None:
    for range_ in ("auto", "0-1"):
        config, _ = found_out(chain(conv()), ModelConfig(path="x", range=range_))
        assert set(identity_of_model(vars(config))) == {"size"}

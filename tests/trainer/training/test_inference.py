from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers
from numpy.typing import NDArray

from tests.trainer.conftest import TINY
from trainer.errors import UserError
from trainer.network.unet import unet
from trainer.training.inference import labelled, overlay, segmenter, with_probabilities
from trainer.training.steps.prediction import predict


def threshold(height: int = 32, width: int = 32, activation: str | None = None) -> keras.Model:
    """A network whose logit is 40 (x - 0.5): its mask is the picture above one half."""
    inputs = keras.Input((height, width, 1))
    network = keras.Model(inputs, layers.Conv2D(1, 1, activation=activation, name="head")(inputs), name="net")
    network.set_weights([np.full((1, 1, 1, 1), 40, np.float32), np.full(1, -20, np.float32)])
    return network


def square(height: int, width: int) -> NDArray[np.float32]:
    grey = np.zeros((height, width), np.float32)
    grey[height // 4 : height // 2, width // 4 : width * 3 // 4] = 1
    return grey


def test_probabilities_are_the_sigmoid_of_the_logits_by_plain_keras_layers() -> None:
    network, images = unet(TINY), np.random.default_rng(0).random((3, 32, 32), np.float32)
    ready = with_probabilities(network)
    assert ready.predict_on_batch(images[..., None])[..., 0] == pytest.approx(predict(network, images), abs=1e-6)
    assert {type(layer).__module__.split(".")[0] for layer in ready.layers} == {"keras"}


def test_a_network_that_ends_with_a_sigmoid_gets_no_second() -> None:
    squashed = segmenter(threshold(activation="sigmoid")).probability(square(32, 32))
    assert squashed == pytest.approx(segmenter(threshold()).probability(square(32, 32)), abs=1e-6)


@pytest.mark.parametrize(("height", "width"), [(32, 32), (64, 64), (200, 120), (33, 257), (20, 20)])
def test_a_mask_has_the_size_of_its_picture_and_lies_on_it(height: int, width: int) -> None:
    mask = segmenter(threshold()).mask(square(height, width))
    truth = square(height, width) > 0
    assert mask.shape == (height, width)
    assert 2 * (mask & truth).sum() / (mask.sum() + truth.sum()) > 0.9


def test_a_network_need_not_be_square() -> None:
    ready = segmenter(threshold(48, 16))
    assert (ready.height, ready.width) == (48, 16)
    truth = square(96, 32) > 0
    assert np.count_nonzero(ready.mask(square(96, 32)) != truth) < 0.1 * truth.sum()


def ending(*more: keras.Layer, channels: int = 1, size: int | None = 32) -> keras.Model:
    inputs = x = keras.Input((size, size, channels))
    for layer in more:
        x = layer(x)
    return keras.Model(inputs, x)


@pytest.mark.parametrize(
    ("network", "words"),
    [
        (ending(layers.Conv2D(1, 1), channels=2), r"1 channel \(grey\) or 3"),
        (ending(layers.Conv2D(2, 1)), r"one value per pixel.* gives 2 \(linear\)"),
        (ending(layers.Conv2D(1, 1, activation="relu")), "logits or with a sigmoid.*'relu'"),
        (ending(layers.Conv2D(1, 1, strides=2)), r"at the size of its input, 32x32, .* 16x16"),
    ],
    ids=["two channels", "two classes", "relu", "half the size"],
)
def test_networks_that_cannot_be_used_are_refused(network: keras.Model, words: str) -> None:
    with pytest.raises(UserError, match=words):
        segmenter(network)


def test_an_overlay_outlines_and_tints_inside_the_mask_only() -> None:
    grey, mask = np.full((20, 30), 0.5, np.float32), np.zeros((20, 30), bool)
    mask[5:12, :9] = True  # touches the left border
    drawn = overlay(grey, mask)
    assert drawn.shape == (20, 30, 3) and drawn.dtype == np.uint8
    assert (drawn[~mask] == 128).all()
    assert tuple(drawn[5, 4]) == tuple(drawn[8, 0]) == tuple(drawn[11, 8]) == (76, 201, 240)
    assert tuple(drawn[8, 4]) not in ((76, 201, 240), (128, 128, 128))


@pytest.mark.parametrize(
    ("width", "height", "times"), [(32, 32, 7), (64, 48, 4), (500, 400, 1), (300, 10, 4), (1, 9, 8)]
)
def test_a_label_is_printed_in_a_corner_white_on_black(width: int, height: int, times: int) -> None:
    plain = np.full((height, width, 3), 128, np.uint8)
    drawn = labelled(plain, "SYNTHETIC TRAINING")
    assert drawn.shape == (height * times, width * times, 3) and drawn.dtype == np.uint8
    assert (drawn[: drawn.shape[0] // 3] == 128).all()
    box = drawn[-5:, :6]
    assert (box[..., 0] == box[..., 1]).all() and box.min() == 0
    if width > 1:
        assert drawn.max() == 255 and (drawn[:, -20:] == 128).all()  # whole, and not cut at the right

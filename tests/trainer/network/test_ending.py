"""The end of a network: what comes out is told apart, turned into the same probabilities, or refused in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers, ops

from trainer.config import ModelConfig
from trainer.errors import UserError
from trainer.network.ending import end_of
from trainer.network.user_model import adapted

IMAGES = np.random.default_rng(0).random((2, 8, 8, 1), np.float32)
Step = Any  # a layer, or a function of a tensor


def conv(filters: int = 1, activation: Any = None, **more: Any) -> layers.Layer:
    """A convolution whose logits spread far enough that a second squashing would show."""
    return layers.Conv2D(filters, 3, padding="same", activation=activation, kernel_initializer="he_normal", **more)


def chain(*steps: Step, name: str = "own") -> keras.Model:
    x = picture = keras.Input((8, 8, 1))
    for step in steps:
        x = step(x)
    return keras.Model(picture, x, name=name)


def nested(*inside: Step) -> Step:
    """A whole model, used as one layer."""
    return chain(conv(3), *inside, name="inner")


def mean_of_two(x: Any) -> Any:
    return layers.Average()([conv(1, "sigmoid")(x), conv(1, "sigmoid")(x)])


def gate(x: Any) -> Any:
    shared = layers.Activation("sigmoid", name="shared")
    return shared(conv()(layers.Multiply()([x, shared(conv()(x))])))


SQUASHED: dict[str, tuple[Step, ...]] = {
    "in its layer": (conv(1, "sigmoid"),),
    "a layer": (conv(), layers.Activation("sigmoid")),
    "a function": (conv(), ops.sigmoid),
    "nested": (nested(conv(1, "sigmoid")),),
    "twice nested": (chain(nested(conv(1, "sigmoid")), name="outer"),),
    "before a nested model": (conv(1, "sigmoid"), chain(layers.Resizing(8, 8), name="inner")),
    "in a Sequential": (keras.Sequential([conv(), layers.Activation("sigmoid")]),),
    "in a wrapper": (layers.SpectralNormalization(conv(1, "sigmoid")),),
    "behind a cast": (conv(1, "sigmoid"), layers.Activation("linear", dtype="float32")),
    "behind a function's cast": (conv(1, "sigmoid"), lambda x: ops.cast(x, "float32")),
    "up-sampled": (layers.AveragePooling2D(2), conv(1, "sigmoid"), layers.UpSampling2D()),
    "up-sampled smoothly": (
        layers.AveragePooling2D(2),
        conv(1, "sigmoid"),
        layers.UpSampling2D(interpolation="bilinear"),
    ),
    "resized": (layers.AveragePooling2D(2), conv(1, "sigmoid"), lambda x: ops.image.resize(x, (8, 8))),
    "cropped": (layers.ZeroPadding2D(2), conv(1, "sigmoid"), layers.Cropping2D(2)),
    "padded": (layers.Cropping2D(2), conv(1, "sigmoid"), layers.ZeroPadding2D(2)),
    "clipped": (conv(1, "sigmoid"), lambda x: ops.clip(x, 1e-6, 1 - 1e-6)),
    "mean": (mean_of_two,),
    "product": (lambda x: conv(1, "sigmoid")(x) * conv(1, "sigmoid")(x),),
    "turned over": (conv(1, "sigmoid"), lambda x: 1 - x),
    "half and half": (lambda x: 0.5 * conv(1, "sigmoid")(x) + conv(1, "sigmoid")(x) / 2,),
    "a layer used twice": (conv(2), gate),
    "of a ReLU": (conv(1, "relu"), layers.Activation("sigmoid")),
    "of a sharpened sigmoid": (conv(1, "sigmoid"), lambda x: ops.sigmoid(20 * (x - 0.5))),
    "one channel of a softmax": (conv(3, "softmax"), lambda x: x[..., 1:2]),
    "the mean of two softmaxes": (lambda x: layers.Average()([conv(2, "softmax")(x), conv(2, "softmax")(x)]),),
    "softmax of two": (conv(2, "softmax"),),
    "softmax as a layer": (conv(2), layers.Softmax()),
    "softmax up-sampled": (layers.AveragePooling2D(2), conv(2, "softmax"), layers.UpSampling2D()),
}


@pytest.mark.parametrize("name", SQUASHED)
def test_probabilities_stay_what_they_are(name: str) -> None:
    network = chain(*SQUASHED[name])
    expected = np.asarray(network(IMAGES, training=False))[..., -1:]
    logits = np.asarray(adapted(network, 8)(IMAGES, training=False))
    assert 1 / (1 + np.exp(-logits)) == pytest.approx(expected, abs=1e-5)


def test_a_sigmoid_that_is_only_moved_is_taken_off_rather_than_undone() -> None:
    """At a logit of 40 a probability is 1 to the last bit, and only the sigmoid taken off gives the logit again."""
    steps = [layers.AveragePooling2D(2), conv(1, "sigmoid", bias_initializer=keras.initializers.Constant(40.0))]
    moved = chain(*steps, layers.UpSampling2D())
    assert np.asarray(adapted(moved, 8)(IMAGES)).min() > 30


@pytest.mark.parametrize(
    "steps",
    [
        (conv(),),
        (nested(conv()),),
        (conv(), layers.BatchNormalization()),
        (conv(1, "relu"), conv(), layers.Resizing(8, 8)),
        (conv(), lambda x: x / 3 + 1),
        (lambda x: layers.Average()([conv()(x), conv()(x)]),),
        (conv(), lambda x: ops.clip(x, -20, 20)),
    ],
)
def test_logits_are_taken_as_they_are(steps: tuple[Step, ...]) -> None:
    network = chain(*steps)
    assert np.asarray(adapted(network, 8)(IMAGES)) == pytest.approx(np.asarray(network(IMAGES)), abs=1e-6)


@pytest.mark.parametrize(
    ("steps", "settings"),
    [
        ((conv(2),), {"gives": "logits"}),
        ((conv(3),), {"gives": "logits", "channel": 1}),
        ((conv(3, "softmax"),), {"channel": 1}),
        ((conv(4, "softmax"), layers.Resizing(8, 8)), {"channel": 1}),
    ],
)
def test_one_channel_against_all_others(steps: tuple[Step, ...], settings: dict[str, Any]) -> None:
    network = chain(*steps)
    given = np.asarray(network(IMAGES))
    expected = given if settings.get("gives") is None else np.asarray(ops.softmax(given))
    logits = np.asarray(adapted(network, 8, ModelConfig(**settings))(IMAGES))
    assert 1 / (1 + np.exp(-logits)) == pytest.approx(expected[..., 1:2], abs=1e-5)


def test_one_of_several_sigmoids_and_what_the_user_says() -> None:
    network = chain(conv(3, "sigmoid"))
    logits = np.asarray(adapted(network, 8, ModelConfig(channel=2))(IMAGES))
    assert 1 / (1 + np.exp(-logits)) == pytest.approx(np.asarray(network(IMAGES))[..., 2:], abs=1e-5)
    rounded = chain(conv(1, "hard_sigmoid"))
    told = np.asarray(adapted(rounded, 8, ModelConfig(gives="probabilities"))(IMAGES))
    assert 1 / (1 + np.exp(-told)) == pytest.approx(np.asarray(rounded(IMAGES)), abs=1e-5)


@keras.saving.register_keras_serializable(package="tests")
class Secret(layers.Layer):  # type: ignore[misc]
    """A layer of somebody's own, which squashes without saying so."""

    def call(self, x: Any) -> Any:
        return ops.sigmoid(x)


REFUSED: dict[str, tuple[tuple[Step, ...], dict[str, Any], str]] = {
    "tanh": ((conv(1, "tanh"),), {}, r"it ends with 'tanh' \(layer 'conv2d\w*'\)"),
    "hard sigmoid": ((conv(1, "hard_sigmoid"),), {}, "'hard_sigmoid'.* model.gives=probabilities"),
    "an activation that is a layer": ((conv(1, layers.LeakyReLU()),), {}, "leaky_relu"),
    "ReLU layer": ((conv(), layers.ReLU()), {}, "'relu'"),
    "threshold": ((conv(1, "sigmoid"), lambda x: ops.cast(x > 0.5, "float32")), {}, r"'greater' \(Greater\).* known"),
    "whole numbers": ((conv(1, "sigmoid"), lambda x: ops.cast(x, "int32")), {}, "whole numbers"),
    "percent": ((conv(1, "sigmoid"), layers.Rescaling(100)), {}, "values from 0 to 100"),
    "percent by a tensor": (
        (conv(1, "sigmoid"), lambda x: ops.multiply(x, ops.convert_to_tensor(100.0))),
        {},
        "values from 0 to 100",
    ),
    "above one half": ((conv(1, "sigmoid"), lambda x: ops.maximum(x, 0.7)), {}, "values from 0.7 to 1"),
    "never foreground": ((conv(1, "sigmoid"), lambda x: x / 3), {}, "values from 0 to 0.333"),
    "a sigmoid of one": ((conv(1, "sigmoid"), layers.Activation("sigmoid")), {}, "values from 0.5 to 0.731"),
    "one of one moved about": (
        (conv(1, "sigmoid"), layers.Resizing(8, 8), ops.sigmoid),
        {},
        "values from 0.5 to 0.731",
    ),
    "one of softplus": ((conv(1, "softplus"), layers.Activation("sigmoid")), {}, "values from 0.5 to 1"),
    "cut off": ((conv(), lambda x: ops.clip(x, 0, 1)), {}, "values cut off at 0 to 1"),
    "normalised": ((conv(1, "sigmoid"), layers.BatchNormalization()), {}, "stands behind the activation"),
    "own layer": ((conv(), Secret(name="mine")), {}, "'mine' is a Secret, and what it does to values cannot be known"),
    "dropped": ((conv(1, "sigmoid"), layers.Dropout(0.5)), {}, "drops values behind the activation"),
    "softmax over rows": ((conv(2), layers.Softmax(axis=1)), {}, "does not go over the channels"),
    "two logits": ((conv(2),), {}, r"gives 2 \(linear\).* model.gives=logits and model.channel, one of 0 to 1"),
    "two sigmoids": ((conv(2, "sigmoid"),), {}, r"gives 2 \(sigmoid\).* model.channel, one of 0 to 1"),
    "three classes": ((conv(3, "softmax"),), {}, r"gives 3 \(softmax\): multi-class.* one of 0 to 2"),
    "no such channel": ((conv(3, "softmax"),), {"channel": 3}, "must be one of 0 to 2 of 'own', but got 3"),
    "a channel of one": ((conv(),), {"channel": 1}, "'model.channel' must be 0"),
    "no such output": ((conv(),), {"output": "mask"}, "must name one output of 'own', but got 'mask'"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_mask_is_refused(name: str) -> None:
    steps, settings, words = REFUSED[name]
    with pytest.raises(UserError, match=words):
        end_of(chain(*steps), ModelConfig(**settings))


def several(form: Callable[[list[Any]], Any]) -> keras.Model:
    picture = keras.Input((8, 8, 1))
    masks = [conv(1, "sigmoid", name=name)(picture) for name in ("first", "second")]
    return keras.Model(picture, form(masks), name="own")


def inside_one_layer(masks: list[Any]) -> Any:
    inner = several(list)
    inner.name = "inner"
    return inner(masks[0])


@pytest.mark.parametrize(
    ("form", "name", "position"),
    [
        (list, "second", 1),
        (lambda masks: {"b": masks[0], "a": masks[1]}, "a", 0),
        (lambda masks: {"b": masks[0], "a": masks[1]}, "first", 1),
        (inside_one_layer, "second", 1),
    ],
)
def test_one_of_several_outputs_is_chosen_by_name(form: Any, name: str, position: int) -> None:
    network = several(form)
    with pytest.raises(UserError, match="must have one output, but 'own' has 2: "):
        end_of(network, ModelConfig())
    chosen = adapted(network, 8, ModelConfig(output=name))
    expected = np.asarray(keras.tree.flatten(network(IMAGES))[position])
    assert 1 / (1 + np.exp(-np.asarray(chosen(IMAGES)))) == pytest.approx(expected, abs=1e-5)

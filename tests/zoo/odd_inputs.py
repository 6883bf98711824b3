"""Scaling written in other ways, and inputs of other shapes and types."""

from __future__ import annotations

from typing import Any

import keras
from keras import applications, layers, ops

from tests.zoo.entry import Feed, entry
from tests.zoo.heads import fitted
from tests.zoo.inputs import beginning
from tests.zoo.small_unet import head, image, trunk


@entry(feed="0-255")
def divided_by_255() -> keras.Model:
    """x / 255.0 as a bare function: wants 0 to 255."""
    return beginning(lambda x: x / 255.0, feed="0-255")


@entry()
def doubled_less_one() -> keras.Model:
    """2 * x - 1 as bare functions: wants 0 to 1."""
    return beginning(lambda x: 2.0 * x - 1.0)


@entry(feed="0-255")
def scaling_in_a_sequential() -> keras.Model:
    """Rescaling inside a Sequential of preprocessing, behind a layer that does nothing to values: wants 0 to 255."""
    steps = [layers.Resizing(32, 32), layers.Rescaling(1 / 255)]
    return beginning(keras.Sequential(steps, name="preprocessing"), feed="0-255")


@entry(feed="0-255")
def noise_before_scaling() -> keras.Model:
    """GaussianNoise before the Rescaling: wants 0 to 255."""
    return beginning(layers.GaussianNoise(0.5), layers.Rescaling(1 / 255), feed="0-255")


@entry(feed="0-255")
def grey_three_times_then_scaled() -> keras.Model:
    """Grey repeated inside, then Rescaling: wants 0 to 255."""
    return beginning(lambda x: layers.Concatenate()([x, x, x]), layers.Rescaling(1 / 255), feed="0-255")


@entry(feed="0-255")
def scaled_then_normalised() -> keras.Model:
    """Rescaling(1/255), then a Normalization with ImageNet's mean and variance: the first one decides, 0 to 255."""
    imagenet = layers.Normalization(mean=[0.485, 0.456, 0.406], variance=[0.0524, 0.0502, 0.0506])
    return beginning(layers.Rescaling(1 / 255), imagenet, feed="0-255", channels=3)


@entry()
def imagenet_normalization() -> keras.Model:
    """A Normalization with ImageNet's mean and variance in 0 to 1: wants 0 to 1."""
    return beginning(layers.Normalization(mean=[0.485, 0.456, 0.406], variance=[0.0524, 0.0502, 0.0506]), channels=3)


@entry(feed="0-255")
def imagenet_normalization_of_255() -> keras.Model:
    """The same in 0 to 255: wants 0 to 255."""
    mean, variance = [123.7, 116.3, 103.5], [3410.0, 3263.0, 3290.0]
    return beginning(layers.Normalization(mean=mean, variance=variance), feed="0-255", channels=3)


@entry("either", feed="0-255", options=("model.range=0-255",))
def caffe_preprocessing() -> keras.Model:
    """resnet50.preprocess_input, which turns the channels round and takes ImageNet's mean off: 0 to 255, if told so."""
    return beginning(applications.resnet50.preprocess_input, feed="0-255", channels=3)


@entry(feed="0-255")
def caffe_preprocessing_found() -> keras.Model:
    """The same untold: it takes away about 110, so wants 0 to 255."""
    return caffe_preprocessing()


@entry(feed="0-255")
def torch_preprocessing() -> keras.Model:
    """densenet.preprocess_input: / 255, less ImageNet's mean, over its deviation: wants 0 to 255."""
    return beginning(applications.densenet.preprocess_input, feed="0-255", channels=3)


@entry(feed="0-255", options=("model.range=0-255",))
def told_to_be_wide() -> keras.Model:
    """Nothing in it scales, and it was trained on 0 to 255: right once model.range says it."""
    return beginning(layers.BatchNormalization(momentum=0.5), feed="0-255")


def on(picture: Any, *steps: Any, feed: Feed = "0-1") -> keras.Model:
    """A network on a given input."""
    x = picture
    for step in steps:
        x = step(x)
    return fitted(keras.Model(picture, head()(trunk(x)), name="own"), "mask", feed=feed)


@entry("either")
def fixed_batch() -> keras.Model:
    """An input of exactly six images at once: its copy takes any number, or it is refused everywhere alike."""
    return on(keras.Input(batch_shape=(6, 32, 32, 1), name="image"))


@entry("either", feed="0-255")
def bytes_in() -> keras.Model:
    """An input of type uint8, cast by its Rescaling: 0 to 255 without fractions, or refused everywhere alike."""
    return on(keras.Input((32, 32, 1), dtype="uint8", name="image"), layers.Rescaling(1 / 255), feed="0-255")


@entry("unsearchable")
def not_square() -> keras.Model:
    """Reads 32x48: a sweep reads squares, so it is refused alike; predict may squeeze images into it."""
    picture = keras.Input((32, 48, 1), name="image")
    return keras.Model(picture, head()(trunk(picture)), name="own")


@entry("refused")
def channels_first() -> keras.Model:
    """Channels before the sides: refused everywhere alike."""
    picture = keras.Input((1, 32, 32), name="image")
    return keras.Model(picture, ops.transpose(head()(trunk(ops.transpose(picture, (0, 2, 3, 1)))), (0, 3, 1, 2)))


@entry("refused")
def two_inputs() -> keras.Model:
    """An image and a number: refused everywhere alike."""
    picture, age = image(), keras.Input((1,), name="age")
    x = layers.Add()([trunk(picture), layers.Reshape((1, 1, 8))(layers.Dense(8)(age))])
    return keras.Model([picture, age], head()(x), name="own")

"""Networks that differ in what they take: file format, size, channels, the range of grey values."""

from __future__ import annotations

import keras
from keras import layers

from tests.zoo.entry import Feed, entry, fed
from tests.zoo.heads import IMAGES, SEED, fitted
from tests.zoo.pictures import at
from tests.zoo.small_unet import conv, head, image, trunk


def beginning(*steps: object, feed: Feed = "0-1", size: int | None = 32, channels: int = 1) -> keras.Model:
    """`steps`, the trunk and a head; fitted to images in the range `feed`."""
    x = picture = image(size, channels)
    for step in steps:
        x = step(x)  # type: ignore[operator]
    return fitted(keras.Model(picture, head()(trunk(x)), name="own"), "mask", feed=feed)


def adapted_normalization(feed: Feed) -> layers.Layer:
    """A Normalization that has seen images in a range."""
    layer = layers.Normalization(axis=-1)
    layer.adapt(fed(at(32, IMAGES, SEED)[0], feed)[..., None])
    return layer


@entry(suffix=".h5")
def whole_h5() -> keras.Model:
    """A whole model in the older .h5 format: taken by every command."""
    return beginning()


@entry()
def sequential() -> keras.Model:
    """keras.Sequential: layers one behind the other, taken."""
    down, up = layers.AveragePooling2D(2), layers.UpSampling2D(interpolation="bilinear")
    network = keras.Sequential([image(), conv(16), down, conv(16), up, conv(16), head()], name="own")
    return fitted(network, "mask")


@entry()
def any_size() -> keras.Model:
    """An input of any size: taken, at the size of the spec."""
    return beginning(size=None)


@entry()
def three_channels() -> keras.Model:
    """A colour network: taken, fed the grey image three times."""
    return beginning(channels=3)


@entry()
def any_size_three_channels() -> keras.Model:
    """Any size and three channels: taken."""
    return beginning(size=None, channels=3)


@entry("refused")
def four_channels() -> keras.Model:
    """Four channels: nothing says what the fourth is, so refused everywhere alike."""
    return beginning(channels=4)


@entry(feed="0-255")
def rescaling() -> keras.Model:
    """Begins with Rescaling(1/255): wants 0 to 255."""
    return beginning(layers.Rescaling(1 / 255), feed="0-255")


@entry(feed="0-255")
def rescaling_to_signs() -> keras.Model:
    """Begins with Rescaling(1/127.5, -1): wants 0 to 255."""
    return beginning(layers.Rescaling(1 / 127.5, -1), feed="0-255")


@entry()
def rescaling_from_unit() -> keras.Model:
    """Begins with Rescaling(2, -1), which turns 0 to 1 into -1 to 1: wants 0 to 1."""
    return beginning(layers.Rescaling(2, -1))


@entry()
def normalization() -> keras.Model:
    """Begins with a Normalization adapted to images in 0 to 1: taken, its mean and variance kept in every copy."""
    return beginning(adapted_normalization("0-1"))


@entry(feed="0-255")
def wide_normalization() -> keras.Model:
    """Begins with a Normalization adapted to images in 0 to 255: wants that."""
    return beginning(adapted_normalization("0-255"), feed="0-255")


@entry(feed="-1-1", options=("model.range=-1-1",))
def signed() -> keras.Model:
    """Trained on -1 to 1, and nothing in it says so: right once model.range says it."""
    return beginning(feed="-1-1")


@entry(feed="0-255")
def preprocessing_ops() -> keras.Model:
    """Begins with mobilenet_v2.preprocess_input as bare functions, x / 127.5 - 1: wants 0 to 255."""
    return beginning(keras.applications.mobilenet_v2.preprocess_input, feed="0-255", channels=3)


def grey_three_times(x: object) -> object:
    return layers.Concatenate()([x, x, x])


@entry()
def grey_three_times_inside() -> keras.Model:
    """One channel, made three inside: taken."""
    return beginning(grey_three_times)


@entry()
def frozen_when_saved() -> keras.Model:
    """Saved with trainable=False on its first layers: the masks decide, so they train where a mask says so."""
    network = beginning()
    for layer in network.layers[:4]:
        layer.trainable = False
    return network

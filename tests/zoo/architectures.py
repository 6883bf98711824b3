"""Segmentation networks of the literature, small: their joins, gates and side outputs by hand."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from tests.zoo.entry import entry
from tests.zoo.heads import fitted
from tests.zoo.small_unet import Tensor, conv, head, image

SIZE = 32


def done(picture: Tensor, outputs: Any, *heads: str) -> keras.Model:
    """The network, with the heads fitted."""
    return fitted(keras.Model(picture, outputs, name="own"), *(heads or ("mask",)), size=SIZE)


def up(x: Tensor, *skips: Tensor, filters: int) -> Tensor:
    return conv(filters)(layers.Concatenate()([layers.UpSampling2D()(x), *skips]))


@entry(size=SIZE)
def attention_unet() -> keras.Model:
    """Attention U-Net (Oktay 2018): skips weighted by a sigmoid of skip and gate, inside, not at the end; taken."""

    def attended(skip: Tensor, gate: Tensor, filters: int) -> Tensor:
        joined = layers.Add()([layers.Conv2D(filters, 1)(skip), layers.Conv2D(filters, 1)(layers.UpSampling2D()(gate))])
        weight = layers.Conv2D(1, 1, activation="sigmoid")(layers.ReLU()(joined))
        return layers.Multiply()([skip, weight])

    picture = image(SIZE)
    one = conv(8)(picture)
    two = conv(16)(layers.MaxPooling2D()(one))
    three = conv(16)(layers.MaxPooling2D()(two))
    x = up(three, attended(two, three, 8), filters=16)
    return done(picture, head()(up(x, attended(one, x, 8), filters=8)))


@entry(size=SIZE)
def res_unet() -> keras.Model:
    """ResUNet (Zhang 2018): full pre-activation residual units, strides instead of pooling; taken."""

    def unit(x: Tensor, filters: int, strides: int = 1) -> Tensor:
        y = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
        y = layers.Conv2D(filters, 3, strides, padding="same")(y)
        y = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(y))
        y = layers.Conv2D(filters, 3, padding="same")(y)
        return layers.Add()([y, layers.Conv2D(filters, 1, strides)(x)])

    picture = image(SIZE)
    one = unit(layers.Conv2D(8, 3, padding="same")(picture), 8)
    two = unit(one, 16, 2)
    three = unit(two, 16, 2)
    x = unit(layers.Concatenate()([layers.UpSampling2D()(three), two]), 16)
    x = unit(layers.Concatenate()([layers.UpSampling2D()(x), one]), 8)
    return done(picture, head()(x))


def nested_skips() -> tuple[Tensor, list[Tensor]]:
    """U-Net++ (Zhou 2018) of three levels: the image and the nodes at full size, X01 and X02."""
    picture = image(SIZE)
    x00 = conv(8)(picture)
    x10 = conv(16)(layers.MaxPooling2D()(x00))
    x20 = conv(16)(layers.MaxPooling2D()(x10))
    x01 = up(x10, x00, filters=8)
    x11 = up(x20, x10, filters=16)
    return picture, [x01, up(x11, x00, x01, filters=8)]


@entry(size=SIZE)
def unet_plus_plus() -> keras.Model:
    """U-Net++ with one head: taken."""
    picture, (_, x02) = nested_skips()
    return done(picture, head()(x02))


@entry("refused", size=SIZE, output=1)
def deep_supervision() -> keras.Model:
    """U-Net++ with deep supervision, two outputs: refused everywhere alike until one is chosen, with their names."""
    picture, nodes = nested_skips()
    outputs = [head(name=f"mask{number}")(node) for number, node in enumerate(nodes, 1)]
    return done(picture, outputs, "mask1", "mask2")


@entry(size=SIZE, output=1, options=("model.output=mask2",))
def deep_supervision_chosen() -> keras.Model:
    """The same with model.output=mask2: taken."""
    return deep_supervision()


@entry("either", size=SIZE)
def deep_supervision_mean() -> keras.Model:
    """U-Net++ in its "accurate mode", the mean of its sigmoids: read as a probability, or refused."""
    picture, nodes = nested_skips()
    outputs = [head(name=f"mask{number}")(node) for number, node in enumerate(nodes, 1)]
    return done(picture, layers.Average()(outputs), "mask1", "mask2")


def pyramid() -> tuple[Tensor, Tensor, Tensor]:
    """DeepLab v3+ (Chen 2018), small: the image, its map at half size, and dilated convolutions of a map at a quarter
    with the mean of all pixels among them."""
    picture = image(SIZE)
    low = conv(16, strides=2)(picture)
    deep = conv(16, strides=2)(conv(16)(low))
    branches = [layers.Conv2D(8, 1, activation="relu")(deep)]
    branches += [conv(8, dilation_rate=rate)(deep) for rate in (2, 4)]
    mean = layers.Conv2D(8, 1, activation="relu")(layers.GlobalAveragePooling2D(keepdims=True)(deep))
    branches.append(layers.UpSampling2D(SIZE // 4, interpolation="bilinear")(mean))
    return picture, low, layers.Conv2D(16, 1, activation="relu")(layers.Concatenate()(branches))


@entry(size=SIZE, reading="logits")
def deeplab_of_logits() -> keras.Model:
    """DeepLab v3+: dilated convolutions, logits at half size resized at the very end; logits all the same, taken."""
    picture, low, deep = pyramid()
    x = conv(16)(layers.Concatenate()([layers.UpSampling2D(interpolation="bilinear")(deep), low]))
    return done(picture, layers.UpSampling2D(interpolation="bilinear")(head(None)(x)))


@entry("either", size=SIZE)
def deeplab_of_probabilities() -> keras.Model:
    """DeepLab v3+ with the sigmoid before the last resizing: as probabilities, or refused everywhere alike."""
    picture, low, deep = pyramid()
    x = conv(16)(layers.Concatenate()([layers.UpSampling2D(interpolation="bilinear")(deep), low]))
    return done(picture, layers.Resizing(SIZE, SIZE)(head()(x)))


@entry(size=SIZE)
def linknet() -> keras.Model:
    """LinkNet (Chaurasia 2017): skips are added, up-sampling by transposed convolutions; taken."""
    picture = image(SIZE)
    one = conv(8)(picture)
    two = conv(16, strides=2)(one)
    three = conv(16, strides=2)(two)
    x = layers.Add()([layers.Conv2DTranspose(16, 3, 2, padding="same", activation="relu")(three), two])
    x = layers.Add()([layers.Conv2DTranspose(8, 3, 2, padding="same", activation="relu")(x), one])
    return done(picture, head()(conv(8)(x)))


@entry(size=SIZE)
def feature_pyramid() -> keras.Model:
    """FPN (Kirillov 2019): maps of three sizes brought to one and added; taken."""
    picture = image(SIZE)
    one = conv(16)(picture)
    two = conv(16)(layers.MaxPooling2D()(one))
    three = conv(8)(layers.MaxPooling2D()(two))
    maps = [conv(8)(one), layers.UpSampling2D()(conv(8)(two)), layers.UpSampling2D(4)(conv(8)(three))]
    return done(picture, head()(conv(8)(layers.Add()(maps))))


@entry(size=SIZE)
def cropped_unet() -> keras.Model:
    """The first U-Net's valid convolutions: borders are lost and padded again at the end; taken, border included."""
    picture = image(SIZE)
    wide = layers.Conv2D(16, 3, activation="relu")(picture)
    x = layers.Conv2D(16, 3, activation="relu")(layers.MaxPooling2D()(wide))
    x = layers.Concatenate()([layers.UpSampling2D()(x), layers.Cropping2D(2)(wide)])
    x = layers.ZeroPadding2D(3)(layers.Conv2D(16, 1, activation="relu")(x))
    return done(picture, head()(x))

"""U-Nets over encoders of keras.applications at 64 pixels: as one layer of several outputs, or through layer.output."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import applications, layers

from tests.zoo.entry import Feed, entry
from tests.zoo.heads import fitted
from tests.zoo.small_unet import Tensor, conv, head, image

SIZE = 64
MOMENTUM = 0.9  # statistics of a few images count after a few steps


def encoder(make: Any, **settings: Any) -> keras.Model:
    """An encoder with weights of its own, for three channels."""
    network = make(input_shape=(SIZE, SIZE, 3), include_top=False, weights=None, **settings)
    for layer in network.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = MOMENTUM
    return network


def decoded(picture: Tensor, maps: Sequence[Tensor]) -> Tensor:
    """Up from the deepest map through the others, to the size of the image, whose own pixels join last."""
    x = maps[-1]
    for skip in reversed(maps[:-1]):
        x = conv(16)(layers.Concatenate()([layers.UpSampling2D(x_times(x, skip))(x), skip]))
    x = layers.UpSampling2D(x_times(x, picture), interpolation="bilinear")(x)
    return head()(conv(16)(layers.Concatenate()([x, conv(8)(picture)])))


def x_times(small: Tensor, large: Tensor) -> int:
    return int(large.shape[1] // small.shape[1])


def through(make: Any, names: Sequence[str], feed: Feed = "0-1", **settings: Any) -> keras.Model:
    """Built from the encoder's own tensors (layer.output): one flat graph."""
    network = encoder(make, **settings)
    maps = [network.get_layer(name).output for name in names]
    return fitted(
        keras.Model(network.input, decoded(network.input, maps), name="own"), "mask", size=SIZE, feed=feed, steps=0
    )


def around(make: Any, names: Sequence[str], feed: Feed = "0-1", *, channels: int = 3, **settings: Any) -> keras.Model:
    """The encoder as one layer of several outputs. With one channel the grey image is repeated inside."""
    network = encoder(make, **settings)
    backbone = keras.Model(network.input, [network.get_layer(name).output for name in names], name="backbone")
    picture = image(SIZE, channels)
    colour = picture if channels == 3 else layers.Concatenate()([picture] * 3)
    whole = keras.Model(picture, decoded(picture, backbone(colour)), name="own")
    return fitted(whole, "mask", size=SIZE, feed=feed, steps=0)


RESNET = ("conv1_relu", "conv2_block3_out", "conv3_block4_out")
VGG = ("block1_conv2", "block2_conv2", "block3_conv3")
MOBILE = ("block_1_expand_relu", "block_3_expand_relu", "block_6_expand_relu")
MOBILE_V3 = ("conv_bn", "expanded_conv_project_bn", "expanded_conv_2_add")
DENSE = ("conv1_relu", "pool2_conv", "pool3_conv")
EFFICIENT = ("block2a_expand_activation", "block3a_expand_activation", "block4a_expand_activation")


@entry(size=SIZE)
def resnet50() -> keras.Model:
    """ResNet50 through layer.output: taken."""
    return through(applications.ResNet50, RESNET)


@entry(size=SIZE)
def resnet50_as_a_layer() -> keras.Model:
    """ResNet50 as one layer of three outputs, the usual way: taken."""
    return around(applications.ResNet50, RESNET)


@entry(size=SIZE)
def vgg16() -> keras.Model:
    """VGG16 through layer.output: taken."""
    return through(applications.VGG16, VGG)


@entry(size=SIZE)
def vgg16_as_a_layer() -> keras.Model:
    """VGG16 as one layer of three outputs, grey made colour before it: taken."""
    return around(applications.VGG16, VGG, channels=1)


@entry(size=SIZE)
def mobilenet_v2() -> keras.Model:
    """MobileNetV2 through layer.output: taken."""
    return through(applications.MobileNetV2, MOBILE, alpha=0.35)


@entry(size=SIZE)
def mobilenet_v2_as_a_layer() -> keras.Model:
    """MobileNetV2 as one layer of three outputs: taken."""
    return around(applications.MobileNetV2, MOBILE, alpha=0.35)


@entry(size=SIZE, feed="0-255")
def mobilenet_v3() -> keras.Model:
    """MobileNetV3Small as it comes, with Rescaling(1/127.5, -1) inside: wants 0 to 255."""
    return through(applications.MobileNetV3Small, MOBILE_V3, "0-255")


@entry(size=SIZE, feed="0-255")
def mobilenet_v3_as_a_layer() -> keras.Model:
    """The same as one layer of several outputs: wants 0 to 255 all the same."""
    return around(applications.MobileNetV3Small, MOBILE_V3, "0-255")


@entry(size=SIZE)
def mobilenet_v3_without_scaling() -> keras.Model:
    """MobileNetV3Small with include_preprocessing=False, trained on 0 to 1: wants that."""
    return through(applications.MobileNetV3Small, MOBILE_V3, include_preprocessing=False)


@entry(size=SIZE, feed="0-255")
def efficientnet_b0() -> keras.Model:
    """EfficientNetB0 through layer.output: Rescaling(1/255) and a Normalization inside, wants 0 to 255."""
    return through(applications.EfficientNetB0, EFFICIENT, "0-255")


@entry(size=SIZE, feed="0-255")
def efficientnet_b0_as_a_layer() -> keras.Model:
    """The same as one layer of three outputs: wants 0 to 255."""
    return around(applications.EfficientNetB0, EFFICIENT, "0-255")


@entry(size=SIZE)
def densenet121() -> keras.Model:
    """DenseNet121 through layer.output, its convolutions joined 58 times: taken."""
    return through(applications.DenseNet121, DENSE)


@entry(size=SIZE)
def frozen_backbone() -> keras.Model:
    """An encoder with trainable=False as a whole, as transfer learning has it: the masks decide what trains."""
    whole = around(applications.MobileNetV2, MOBILE, alpha=0.35)
    whole.get_layer("backbone").trainable = False
    return whole

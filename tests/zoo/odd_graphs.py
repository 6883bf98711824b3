"""Graphs that are easily copied wrongly: models in models, arguments of calls, names."""

from __future__ import annotations

import keras
from keras import layers

from tests.zoo.backbones import SIZE, decoded, encoder
from tests.zoo.entry import entry
from tests.zoo.heads import fitted
from tests.zoo.inputs import beginning
from tests.zoo.layer_kinds import made_of
from tests.zoo.small_unet import conv, head, image, trunk


@entry(size=SIZE)
def backbone_in_inference() -> keras.Model:
    """A backbone called with training=False, the recipe of transfer learning: its statistics never move; taken."""
    network = encoder(keras.applications.MobileNetV2, alpha=0.35)
    names = ("block_1_expand_relu", "block_3_expand_relu")
    backbone = keras.Model(network.input, [network.get_layer(name).output for name in names], name="backbone")
    picture = image(SIZE, 3)
    whole = keras.Model(picture, decoded(picture, backbone(picture, training=False)), name="own")
    return fitted(whole, "mask", size=SIZE, steps=0)


@entry(size=SIZE, feed="0-255")
def efficientnet_v2() -> keras.Model:
    """EfficientNetV2B0, its Rescaling inside: wants 0 to 255."""
    network = encoder(keras.applications.EfficientNetV2B0)
    maps = [network.get_layer(name).output for name in ("block1a_project_activation", "block2b_add")]
    whole = keras.Model(network.input, decoded(network.input, maps), name="own")
    return fitted(whole, "mask", size=SIZE, feed="0-255", steps=0)


@entry(size=SIZE, feed="0-255")
def convnext() -> keras.Model:
    """A small ConvNeXt: its own Normalization, LayerScale and StochasticDepth, which come with Keras; 0 to 255."""
    from keras.src.applications.convnext import ConvNeXt  # the sizes that are exported are large

    network = ConvNeXt([1, 1, 1, 1], [8, 16, 24, 32], include_top=False, weights=None, input_shape=(SIZE, SIZE, 3))
    maps = [network.get_layer(f"convnext_downsampling_block_{number}").output for number in (0, 1)]
    whole = keras.Model(network.input, decoded(network.input, maps), name="own")
    return fitted(whole, "mask", size=SIZE, feed="0-255", steps=0)


@entry()
def sequential_inside() -> keras.Model:
    """Sequential blocks as layers, with batch normalisation in them: taken."""
    return made_of(
        lambda filters: keras.Sequential(
            [conv(filters, activation=None), layers.BatchNormalization(momentum=0.5), layers.ReLU()]
        )
    )


@entry()
def functional_in_sequential() -> keras.Model:
    """A functional network inside a Sequential: taken."""
    inner = beginning()
    return keras.Sequential([image(), layers.Identity(), inner], name="outer")


@entry()
def same_model_twice() -> keras.Model:
    """One small model used twice at one size: its layers are one in every copy; taken."""
    x = keras.Input((None, None, 8), name="x")
    part = keras.Model(x, layers.Add()([conv(8, "conv")(x), x]), name="part")
    picture = image()
    wide = part(part(conv(8)(picture)))
    deep = conv(16)(layers.MaxPooling2D()(wide))
    joined = conv(8)(layers.Concatenate()([layers.UpSampling2D()(deep), wide]))
    return fitted(keras.Model(picture, head()(joined), name="own"), "mask")


@entry()
def three_deep() -> keras.Model:
    """A model in a model in a model, each called as a layer: taken."""
    network = beginning()
    for name in ("middle", "outer"):
        picture = image()
        network = keras.Model(picture, network(picture), name=name)
    return network


@entry("refused")
def odd_names() -> keras.Model:
    """Names with spaces, brackets and other alphabets, with which TensorFlow computes nothing: refused alike."""
    picture = keras.Input((32, 32, 1), name="Bild [1]")
    wide = conv(8, "conv [a-z]*")(picture)
    deep = conv(16, "свёртка 2")(layers.MaxPooling2D(name="down ?")(wide))
    joined = conv(8, "ä.ö")(layers.Concatenate(name="a: b")([layers.UpSampling2D(name="up%s")(deep), wide]))
    return fitted(keras.Model(picture, head(name="the mask")(joined), name="my net (v2)"), "the mask", steps=0)


@entry()
def dense_bottleneck() -> keras.Model:
    """A fully connected layer over the whole deepest map: taken at its own size."""
    picture = image()
    wide = conv(8)(picture)
    deep = layers.Flatten()(conv(2)(layers.AveragePooling2D(8)(wide)))
    deep = layers.Reshape((4, 4, 4))(layers.Dense(64, activation="relu")(deep))
    joined = conv(8)(layers.Concatenate()([layers.UpSampling2D(8)(deep), wide]))
    return fitted(keras.Model(picture, head()(joined), name="own"), "mask")


@entry()
def regularised() -> keras.Model:
    """L2 on kernels, a limit on norms and a penalty on activity: none of them changes what it answers; taken."""
    return made_of(
        lambda filters: conv(
            filters,
            kernel_regularizer="l2",
            kernel_constraint="max_norm",
            activity_regularizer=keras.regularizers.L2(1e-4),
        )
    )


@entry()
def compiled() -> keras.Model:
    """Saved with an optimizer's state and a loss: they are left alone; taken."""
    network = beginning()
    network.compile(optimizer="adam", loss=keras.losses.Dice())
    return network


@entry()
def unused_branch() -> keras.Model:
    """A layer in the graph that leads to no output is not part of the network; taken."""
    picture = image()
    x = trunk(picture)
    conv(4, "unused")(x)
    return fitted(keras.Model(picture, head()(x), name="own"), "mask")


@entry()
def pixel_shuffle() -> keras.Model:
    """Up-sampling by reshaping channels into pixels (ESPCN): taken."""
    picture = image()
    x = conv(8 * 4, strides=2)(picture)
    x = layers.Reshape((16, 16, 2, 2, 8))(x)
    x = layers.Reshape((32, 32, 8))(layers.Permute((1, 3, 2, 4, 5))(x))
    return fitted(keras.Model(picture, head()(conv(8)(x)), name="own"), "mask")

"""Endings that are easily taken for something else."""

from __future__ import annotations

import keras
from keras import layers, ops

from tests.zoo.endings import ending
from tests.zoo.entry import entry
from tests.zoo.heads import fitted
from tests.zoo.small_unet import conv, head, image, trunk


@entry()
def sliced_softmax() -> keras.Model:
    """A softmax of which the second channel is cut out: a probability in one channel, never squashed again."""
    return ending(lambda x: x[..., 1:], head_layer=head("softmax", 2))


@entry()
def ops_softmax() -> keras.Model:
    """keras.ops.softmax, then its second channel: a probability."""
    return ending(lambda x: ops.softmax(x, axis=-1)[..., 1:2], head_layer=head(None, 2))


@entry("either", options=("model.channel=0",))
def softmax_the_other_way_round() -> keras.Model:
    """A softmax whose first channel is the foreground: taken as such once model.channel says so."""
    network = ending(head_layer=head("softmax", 2))
    kernel, bias = network.get_layer("mask").get_weights()
    network.get_layer("mask").set_weights([kernel[..., ::-1], bias[::-1]])
    return network


@entry("either")
def two_sigmoids_in_channels() -> keras.Model:
    """Background and foreground, each with a sigmoid of its own: nothing says which; refused everywhere alike."""
    picture = image()
    x = trunk(picture)
    both = layers.Concatenate()([head(name="mask")(x), head(name="other")(x)])
    return fitted(keras.Model(picture, both, name="own"), "mask")


@entry("either")
def background_probability() -> keras.Model:
    """1 - sigmoid: a probability all the same, whose author reads it as it comes; or refused everywhere alike."""
    network = ending(lambda x: 1 - x)
    kernel, bias = network.get_layer("mask").get_weights()
    network.get_layer("mask").set_weights([-kernel, -bias])
    return network


@entry("either")
def half_of_tanh_and_one() -> keras.Model:
    """(tanh + 1) / 2 is a sigmoid of twice the logit: read as a probability, or refused everywhere alike."""
    return ending(lambda x: (ops.tanh(x) + 1) / 2, head_layer=head(None))


@entry("either")
def hard_sigmoid() -> keras.Model:
    """hard_sigmoid, as MobileNetV3 has it: between 0 and 1; read as a probability, or refused everywhere alike."""
    return ending(layers.Activation("hard_sigmoid"), head_layer=head(None))


@entry("refused")
def sigmoid_times_255() -> keras.Model:
    """A sigmoid times 255, an image to save: neither logits nor a probability; refused everywhere alike."""
    return ending(layers.Rescaling(255))


@entry("refused")
def thresholded() -> keras.Model:
    """A sigmoid cut at one half: no gradient, nothing to train; refused everywhere alike."""
    return ending(lambda x: ops.cast(x > 0.5, "float32"))


@entry("refused")
def argmax() -> keras.Model:
    """The number of the largest channel: refused everywhere alike."""
    return ending(lambda x: ops.expand_dims(ops.argmax(x, axis=-1), -1), head_layer=head("softmax", 2))


@entry()
def reshaped_sigmoid() -> keras.Model:
    """The sigmoid on a list of pixels, reshaped to an image: taken."""
    return ending(
        layers.Reshape((32 * 32, 1)), layers.Activation("sigmoid"), layers.Reshape((32, 32, 1)), head_layer=head(None)
    )


@entry()
def padded_sigmoid() -> keras.Model:
    """Valid convolutions, the sigmoid, then zeros around: the border is background, for sure; taken, or refused."""
    picture = image()
    x = layers.Conv2D(16, 3, activation="relu")(layers.Conv2D(16, 3, activation="relu")(picture))
    x = layers.ZeroPadding2D(2)(head()(layers.UpSampling2D()(layers.AveragePooling2D(2)(x))))
    return fitted(keras.Model(picture, x, name="own"), "mask")


@entry()
def dense_head() -> keras.Model:
    """A Dense per pixel as the head: taken."""
    return ending(head_layer=layers.Dense(1, "sigmoid", name="mask"))


@entry(reading="logits")
def normalised_logits() -> keras.Model:
    """Batch normalisation behind the head: logits, taken, its statistics kept."""
    return ending(layers.BatchNormalization(momentum=0.5, name="last"), head_layer=head(None))


@entry("either")
def flip_ensemble() -> keras.Model:
    """The mean of a network's answers to the image and to its mirror image: one network used twice; or refused."""
    inner, picture = ending(), image()
    mirrored = ops.flip(inner(ops.flip(picture, axis=2)), axis=2)
    return keras.Model(picture, layers.Average()([inner(picture), mirrored]), name="outer")


@entry()
def sigmoid_of_residue() -> keras.Model:
    """The sigmoid of a sum of a coarse and a fine logit: taken."""
    picture = image()
    coarse = layers.UpSampling2D(interpolation="bilinear")(head(None, name="coarse")(conv(8, strides=2)(picture)))
    x = layers.Add()([coarse, head(None, name="mask")(trunk(picture))])
    return fitted(keras.Model(picture, layers.Activation("sigmoid")(x), name="own"), "mask")


@entry()
def half_precision_head() -> keras.Model:
    """mixed_float16 with the head in float16 as well: taken."""
    former = keras.mixed_precision.dtype_policy()
    keras.mixed_precision.set_dtype_policy("mixed_float16")
    try:
        return ending()
    finally:
        keras.mixed_precision.set_dtype_policy(former)

"""Networks that differ in the layers they are made of: normalisations, dropouts, kinds of convolution, precision."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import layers

from tests.zoo.entry import entry
from tests.zoo.heads import fitted
from tests.zoo.small_unet import Tensor, conv, head, image, trunk

STILL = "would move images without their masks"


def made_of(
    make: Callable[..., layers.Layer] = conv, between: Callable[[], layers.Layer] = layers.Identity, size: int = 32
) -> keras.Model:
    """The trunk with other convolutions, or with a layer between them; fitted."""
    picture = image(size)
    return fitted(keras.Model(picture, head()(trunk(picture, make, between)), name="own"), "mask", size=size)


def before(*steps: Any, size: int = 32) -> keras.Model:
    """The trunk behind `steps`, fitted."""
    x = picture = image(size)
    for step in steps:
        x = step(x)
    return fitted(keras.Model(picture, head()(trunk(x)), name="own"), "mask", size=size)


@entry()
def batch_norm_momentum() -> keras.Model:
    """Batch normalisation with a momentum of its own: its statistics and its momentum stay in every copy."""
    return made_of(between=lambda: layers.BatchNormalization(momentum=0.5))


@entry()
def group_norm() -> keras.Model:
    """GroupNormalization: taken."""
    return made_of(between=lambda: layers.GroupNormalization(4))


@entry()
def layer_norm() -> keras.Model:
    """LayerNormalization over channels: taken."""
    return made_of(between=layers.LayerNormalization)


@entry()
def unit_norm() -> keras.Model:
    """UnitNormalization: it holds no weights and takes no `trainable`; taken."""
    return made_of(between=layers.UnitNormalization)


@entry("either")
def spectral_norm() -> keras.Model:
    """SpectralNormalization: its vector moves at every training step, frozen or not, so it is handled or refused."""
    return made_of(lambda filters: layers.SpectralNormalization(conv(filters)))


def in_precision(policy: str) -> keras.Model:
    """The trunk in a policy of mixed precision, its head in float32."""
    former = keras.mixed_precision.dtype_policy()
    keras.mixed_precision.set_dtype_policy(policy)
    try:
        picture = image()
        x = trunk(picture, between=lambda: layers.BatchNormalization(momentum=0.9))
        return fitted(keras.Model(picture, head(dtype="float32")(x), name="own"), "mask")
    finally:
        keras.mixed_precision.set_dtype_policy(former)


@entry()
def mixed_float16() -> keras.Model:
    """Saved under the policy mixed_float16: taken."""
    return in_precision("mixed_float16")


@entry()
def mixed_bfloat16() -> keras.Model:
    """Saved under the policy mixed_bfloat16: taken."""
    return in_precision("mixed_bfloat16")


@entry()
def prelu() -> keras.Model:
    """PReLU, whose slopes are weights: taken."""
    return made_of(lambda filters: conv(filters, activation=None), lambda: layers.PReLU(shared_axes=[1, 2]))


@entry()
def spatial_dropout() -> keras.Model:
    """SpatialDropout2D, which takes no `trainable`: taken."""
    return made_of(between=lambda: layers.SpatialDropout2D(0.1))


@entry()
def dropouts() -> keras.Model:
    """Dropout, GaussianDropout, AlphaDropout and GaussianNoise: taken, all silent in scoring."""
    kinds = iter(
        [layers.Dropout(0.1), layers.GaussianDropout(0.1), layers.AlphaDropout(0.1), layers.GaussianNoise(0.1)]
    )
    return made_of(between=lambda: next(kinds))


@entry()
def separable() -> keras.Model:
    """SeparableConv2D: taken."""
    return made_of(lambda filters: layers.SeparableConv2D(filters, 3, padding="same", activation="relu"))


@entry()
def depthwise() -> keras.Model:
    """DepthwiseConv2D with a 1x1 convolution behind each: taken."""
    return made_of(
        lambda filters: keras.Sequential(
            [layers.DepthwiseConv2D(3, padding="same"), layers.Conv2D(filters, 1, activation="relu")]
        )
    )


@entry()
def transposed() -> keras.Model:
    """Conv2DTranspose on the way up: taken."""
    picture = image()
    wide = conv(8)(picture)
    x = conv(16)(layers.MaxPooling2D()(wide))
    x = layers.Conv2DTranspose(8, 2, strides=2, activation="relu")(x)
    x = conv(8)(layers.Concatenate()([x, wide]))
    return fitted(keras.Model(picture, head()(x), name="own"), "mask")


def gated(x: Tensor, filters: int) -> Tensor:
    """Squeeze and excite: a channel's weight from the mean of all pixels."""
    weights = layers.Dense(max(2, filters // 4), activation="relu")(layers.GlobalAveragePooling2D()(x))
    weights = layers.Reshape((1, 1, filters))(layers.Dense(filters, activation="sigmoid")(weights))
    return layers.Multiply()([x, weights])


@entry()
def squeeze_excite() -> keras.Model:
    """Squeeze and excite with Dense: taken."""
    picture = image()
    wide = gated(conv(8)(picture), 8)
    deep = gated(conv(16)(layers.MaxPooling2D()(wide)), 16)
    x = conv(8)(layers.Concatenate()([layers.UpSampling2D()(deep), wide]))
    return fitted(keras.Model(picture, head()(x), name="own"), "mask")


@entry()
def used_twice() -> keras.Model:
    """One layer used twice at one resolution: taken, and one layer in every copy."""
    picture = image()
    same = conv(8)
    wide = same(same(conv(8)(picture)))
    x = conv(16)(layers.MaxPooling2D()(wide))
    x = conv(8)(layers.Concatenate()([layers.UpSampling2D()(x), wide]))
    return fitted(keras.Model(picture, head()(x), name="own"), "mask")


@entry("unsearchable")
def shared_by_encoder_and_decoder() -> keras.Model:
    """One layer at two resolutions: it lies in two blocks, so it is refused, with model.blocks as the way out."""
    picture, same = image(), conv(8)
    wide = same(conv(8)(picture))
    deep = same(layers.MaxPooling2D()(wide))
    x = conv(8)(layers.Concatenate()([layers.UpSampling2D()(deep), wide]))
    return fitted(keras.Model(picture, head()(x), name="own"), "mask")


@entry(options=('model.blocks=[["down*"],["*"]]',))
def shared_with_a_table() -> keras.Model:
    """The same with model.blocks, as the refusal advises: taken."""
    picture, same = image(), conv(8, "same")
    wide = same(conv(8, "down")(picture))
    deep = same(layers.MaxPooling2D()(wide))
    x = conv(8)(layers.Concatenate()([layers.UpSampling2D()(deep), wide]))
    return fitted(keras.Model(picture, head()(x), name="own"), "mask")


@entry("either", said=STILL)
def random_flip() -> keras.Model:
    """RandomFlip inside: it would turn images and not their masks, so it is switched off and said, or refused."""
    return before(layers.RandomFlip("horizontal"))


@entry("either", said=STILL)
def random_rotation() -> keras.Model:
    """RandomRotation inside a Sequential of augmentation: switched off and said, or refused."""
    return before(keras.Sequential([layers.RandomRotation(0.2), layers.RandomZoom(0.2)], name="augmentation"))


@entry("either")
def random_contrast() -> keras.Model:
    """RandomContrast inside moves no pixel: it may stay, be switched off, or be refused."""
    return before(layers.RandomContrast(0.1, value_range=(0, 1)))


@entry("refused")
def lambda_layer() -> keras.Model:
    """A Lambda holds code, which is never run from a file: refused everywhere alike."""
    return before(layers.Lambda(lambda x: x * 2, output_shape=(32, 32, 1)))


@entry(custom="tests.zoo.custom_layers")
def custom_layer() -> keras.Model:
    """A registered layer of a package of one's own, imported knowingly by --custom: taken."""
    from tests.zoo.custom_layers import Gate

    return made_of(between=Gate)


@entry("refused")
def custom_model() -> keras.Model:
    """A subclass of keras.Model, its module not named by --custom: refused everywhere alike, its class named."""
    from tests.zoo.custom_layers import Whole

    network = Whole(name="own")
    network(keras.ops.zeros((1, 32, 32, 1)))  # its weights come to be with the first image
    return network


@entry("refused", custom="tests.zoo.custom_layers")
def custom_model_imported() -> keras.Model:
    """A subclass of keras.Model whose module is named: it has no graph that can be walked, so refused alike."""
    return custom_model()


@entry("unsearchable", custom="tests.zoo.custom_layers")
def counting_layer() -> keras.Model:
    """A layer of one's own that counts training steps in a weight, frozen or not: named and refused by a sweep."""
    from tests.zoo.custom_layers import Counter

    return made_of(between=Counter)


@entry("unsearchable")
def no_convolution() -> keras.Model:
    """A Dense per pixel: no convolution, so nothing to search; refused alike, and of use to predict or not."""
    picture = image()
    return fitted(keras.Model(picture, layers.Dense(1, "sigmoid", name="mask")(picture), name="own"), "mask")


@entry()
def names_that_collide() -> keras.Model:
    """A layer `enc_conv` beside a layer `conv` in a model `enc`, and two models with equal inner names: taken."""
    picture = image()

    def part(name: str, channels: int, filters: int) -> keras.Model:
        x = keras.Input((None, None, channels), name="x")
        return keras.Model(x, conv(filters, "conv")(x), name=name)

    wide = conv(8, "enc_conv")(part("enc", 1, 8)(picture))
    deep = part("dec", 8, 16)(layers.MaxPooling2D(name="conv")(wide))
    x = conv(8, "dec_conv")(layers.Concatenate()([layers.UpSampling2D()(deep), wide]))
    return fitted(keras.Model(picture, head()(x), name="own"), "mask")


@entry()
def attention_heads() -> keras.Model:
    """MultiHeadAttention over the pixels of the deepest map, whose weights lie in inner layers: taken."""
    picture = image()
    wide = conv(8)(picture)
    deep = conv(16)(layers.AveragePooling2D(4)(wide))
    tokens = layers.Reshape((64, 16))(deep)
    tokens = layers.LayerNormalization()(layers.Add()([tokens, layers.MultiHeadAttention(2, 8)(tokens, tokens)]))
    deep = layers.Reshape((8, 8, 16))(tokens)
    x = conv(8)(layers.Concatenate()([layers.UpSampling2D(4)(deep), wide]))
    return fitted(keras.Model(picture, head()(x), name="own"), "mask")

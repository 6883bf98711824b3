"""Networks that differ in how they end: where the sigmoid stands, how many channels and outputs, what follows."""

from __future__ import annotations

import keras
from keras import layers

from tests.zoo.entry import entry
from tests.zoo.heads import fitted
from tests.zoo.small_unet import Tensor, conv, head, image, trunk


def ending(*after: object, head_layer: layers.Layer | None = None) -> keras.Model:
    """The trunk, a head, and then `after`, one behind the other; fitted."""
    x = picture = image()
    x = (head_layer or head())(trunk(x))
    for step in after:
        x = step(x)  # type: ignore[operator]
    return fitted(keras.Model(picture, x, name="own"), "mask")


@entry(reading="logits")
def logits() -> keras.Model:
    """Ends with logits: taken as it is."""
    return ending(head_layer=head(None))


@entry()
def sigmoid() -> keras.Model:
    """A sigmoid in the head: taken, without it inside."""
    return ending()


@entry()
def nested_sigmoid() -> keras.Model:
    """The sigmoid ends a model that is the last layer: taken, never squashed twice."""
    inner, picture = ending(), image()
    return keras.Model(picture, inner(picture), name="outer")


@entry()
def ops_sigmoid() -> keras.Model:
    """keras.ops.sigmoid behind logits: taken, never squashed twice."""
    return ending(keras.ops.sigmoid, head_layer=head(None))


@entry("either")
def resized_sigmoid() -> keras.Model:
    """A sigmoid at half size, then up-sampling: probabilities of the up-sampling, or refused everywhere alike."""
    picture = image()
    x = conv(16)(layers.AveragePooling2D(2)(conv(16)(picture)))
    x = layers.UpSampling2D(interpolation="bilinear")(head()(x))
    return fitted(keras.Model(picture, x, name="own"), "mask")


@entry("either")
def clipped_sigmoid() -> keras.Model:
    """A clip behind the sigmoid, as losses of old wanted it: read as probabilities, or refused everywhere alike."""
    return ending(lambda x: keras.ops.clip(x, 1e-7, 1 - 1e-7))


@entry("either")
def cast_sigmoid() -> keras.Model:
    """A cast to float32 behind the sigmoid, as tutorials of mixed precision have it: as probabilities, or refused."""
    return ending(layers.Activation("linear", dtype="float32"))


@entry("either")
def mean_of_two_sigmoids() -> keras.Model:
    """The average of two sigmoids is a probability, but no sigmoid of a sum: read as such, or refused."""
    picture = image()
    first, second = head(name="first")(trunk(picture)), head(name="second")(trunk(picture))
    return fitted(keras.Model(picture, layers.Average()([first, second]), name="own"), "first", "second")


@entry("either")
def gated_sigmoid() -> keras.Model:
    """A sigmoid multiplied by another one (a gate): below its factors, so never squashed again; or refused."""
    picture = image()
    first, second = head(name="first")(trunk(picture)), head(name="second")(trunk(picture))
    return fitted(keras.Model(picture, layers.Multiply()([first, second]), name="own"), "first", "second")


@entry(reading="softmax")
def two_channel_softmax() -> keras.Model:
    """A softmax over background and foreground: taken, foreground is the second channel."""
    return ending(head_layer=head("softmax", 2))


@entry(reading="softmax")
def softmax_layer() -> keras.Model:
    """The same softmax as a layer of its own behind two linear channels: taken."""
    return ending(layers.Softmax(), head_layer=head(None, 2))


@entry("either", reading="two logits")
def two_channel_logits() -> keras.Model:
    """Two linear channels: nothing says whether they go into a softmax; by their difference, or refused alike."""
    return ending(head_layer=head(None, 2))


@entry("refused", reading="softmax")
def three_channel_softmax() -> keras.Model:
    """Three classes: several classes at once are not part of it, so refused everywhere alike."""
    picture = image()
    return keras.Model(picture, head("softmax", 3)(trunk(picture)), name="own")


@entry("refused")
def tanh() -> keras.Model:
    """Ends with tanh: neither logits nor a probability, so refused everywhere alike."""
    picture = image()
    return keras.Model(picture, head("tanh")(trunk(picture)), name="own")


@entry("refused", reading="logits")
def half_size() -> keras.Model:
    """Answers at half the size of its input: cannot be scored, so refused everywhere alike."""
    picture = image()
    x = conv(8)(layers.MaxPooling2D()(conv(8)(picture)))
    return fitted(keras.Model(picture, head(None)(x), name="own"), "mask")


def supervised() -> keras.Model:
    """Two outputs: a coarse one at half size, and the mask."""
    picture = image()
    wide = conv(8)(picture)
    deep = conv(16)(layers.MaxPooling2D()(wide))
    joined: Tensor = conv(8)(layers.Concatenate()([layers.UpSampling2D()(deep), wide]))
    outputs = {"coarse": head(name="coarse")(deep), "mask": head()(joined)}
    return fitted(keras.Model(picture, outputs, name="own"), "coarse", "mask")


@entry("refused", output=1)
def several_outputs() -> keras.Model:
    """Two outputs, none chosen: refused everywhere alike, with their names."""
    return supervised()


@entry(output=1, options=("model.output=mask",))
def chosen_output() -> keras.Model:
    """Two outputs, one chosen by model.output: taken."""
    return supervised()


@entry()
def dictionary_of_one() -> keras.Model:
    """One output in a dictionary: taken."""
    picture = image()
    return fitted(keras.Model(picture, {"mask": head()(trunk(picture))}, name="own"), "mask")

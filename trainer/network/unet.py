"""The paper's U-Net (section 2.2; docs/protocol.md, "Left open"): up-sampling, no batch normalisation, nine blocks."""

from __future__ import annotations

import keras
from keras import layers

from trainer.config import ModelConfig, model_mistakes
from trainer.errors import UserError
from trainer.network.keras_settings import check_settings

STEPS_DOWN = 4


def unet(config: ModelConfig, seed: int = 0) -> keras.Model:
    """Build the U-Net: (batch, size, size, 1) in [0, 1] -> logits (batch, size, size, 1).

    Two 3x3 convolutions with ReLU per block, `filters` of them in block 1 and twice as many after each max-pooling,
    `UpSampling2D` without a convolution of its own on the way up, concatenated skips, dropout once after block 5, a
    1x1 head. He-normal initialisation from `seed`. With 256 pixels and 64 filters it has 31,377,793 parameters. The
    head gives logits rather than the paper's sigmoid: the loss is then stable, and threshold 0.5 is logit 0.
    Raises `UserError` unless the size is a multiple of 16 from 32 on and there is at least one filter, and where Keras
    is set to other numbers or another layout.
    """
    if mistakes := list(model_mistakes(config)):
        raise UserError(" ".join(mistakes))
    check_settings()
    seeds = iter(range(seed * 1000, seed * 1000 + 1000))

    def block(x: keras.KerasTensor, number: int, filters: int) -> keras.KerasTensor:
        for index in (1, 2):
            x = layers.Conv2D(
                filters,
                3,
                padding="same",
                activation="relu",
                kernel_initializer=keras.initializers.HeNormal(seed=next(seeds)),
                name=f"block{number}_conv{index}",
            )(x)
        return x

    inputs = x = keras.Input((config.size, config.size, 1), name="image")
    skips = []
    for level in range(STEPS_DOWN):
        x = block(x, level + 1, config.filters * 2**level)
        skips.append(x)
        x = layers.MaxPooling2D(name=f"down{level + 1}")(x)
    x = block(x, STEPS_DOWN + 1, config.filters * 2**STEPS_DOWN)
    x = layers.Dropout(config.dropout, seed=seed, name="dropout")(x)
    for level in reversed(range(STEPS_DOWN)):
        number = 2 * STEPS_DOWN + 1 - level
        x = layers.UpSampling2D(name=f"up{number}")(x)
        x = layers.Concatenate(name=f"skip{level + 1}_to_{number}")([skips[level], x])
        x = block(x, number, config.filters * 2**level)
    head = layers.Conv2D(1, 1, kernel_initializer=keras.initializers.HeNormal(seed=next(seeds)), name="head")
    return keras.Model(inputs, head(x), name="unet")

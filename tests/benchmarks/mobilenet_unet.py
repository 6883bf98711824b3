"""A network that nobody here built: a U-Net with MobileNetV2 of `keras.applications` as its encoder, random weights.

python tests/benchmarks/mobilenet_unet.py mobilenet.keras --size 64
thaw masks mobilenet.keras
thaw run ultrasound --model mobilenet.keras --pretrain composites
"""

from __future__ import annotations

import argparse
from pathlib import Path

import keras
from keras import layers

# The last layer of each resolution in MobileNetV2, from half the side to a sixteenth.
MOMENTUM = 0.9  # MobileNetV2 has 0.999, whose statistics follow over thousands of steps; here there are hundreds
SKIPS = ("block_1_expand_relu", "block_3_expand_relu", "block_6_expand_relu", "block_13_expand_relu")


def mobilenet_unet(size: int = 64, alpha: float = 0.35, filters: int = 16, seed: int = 0) -> keras.Model:
    """(batch, size, size, 3) -> foreground probability (batch, size, size, 1); `size` is a multiple of 32."""
    keras.utils.set_random_seed(seed)
    encoder = keras.applications.MobileNetV2((size, size, 3), alpha=alpha, include_top=False, weights=None)
    skips = [encoder.get_layer(name).output for name in SKIPS]
    x = encoder.get_layer("out_relu").output
    for number, skip in enumerate([*reversed(skips), None], 1):
        x = layers.UpSampling2D(name=f"up_{number}")(x)
        if skip is not None:
            x = layers.Concatenate(name=f"skip_{number}")([x, skip])
        x = layers.Conv2D(filters, 3, padding="same", use_bias=False, name=f"decode_{number}_conv")(x)
        x = layers.BatchNormalization(momentum=MOMENTUM, name=f"decode_{number}_bn")(x)
        x = layers.ReLU(name=f"decode_{number}_relu")(x)
    for layer in encoder.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = MOMENTUM
    return keras.Model(encoder.input, layers.Conv2D(1, 1, activation="sigmoid", name="mask")(x), name="mobilenet_unet")


def main() -> None:
    """Write the network."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--size", type=int, default=64, help="side of the images, a multiple of 32")
    arguments = parser.parse_args()
    network = mobilenet_unet(arguments.size)
    network.save(arguments.out)
    print(f"{arguments.out}: {network.count_params():,} parameters, input {network.input_shape[1:]}")


if __name__ == "__main__":
    main()

"""Kinds of cases made of `.keras` files: their archive, the description of the network, its weights."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator

from tests.fuzz.homes import archive_changed
from tests.fuzz.judging import Kind, Reading, Trial
from tests.fuzz.mutating import bytes_changed, pick

SIDE = 32


@cache
def network_bytes() -> bytes:
    """A network of three convolutions and two resolutions."""
    import tempfile

    import keras

    keras.utils.set_random_seed(3)
    x = picture = keras.Input((SIDE, SIDE, 1), name="picture")
    x = keras.layers.Conv2D(2, 3, padding="same", activation="relu", name="conv1")(x)
    x = keras.layers.Conv2D(2, 3, strides=2, padding="same", activation="relu", name="conv2")(x)
    x = keras.layers.UpSampling2D(name="up")(x)
    x = keras.layers.Conv2D(1, 3, padding="same", activation="sigmoid", name="mask")(x)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.keras"
        keras.Model(picture, x, name="own").save(path)
        return path.read_bytes()


def draw_network(rng: Generator, folder: Path) -> Trial:
    """A `.keras` file mangled: its probabilities are those that Keras computes from it, or it is refused."""
    data = network_bytes()
    data, what = archive_changed(rng, data) if rng.random() < 0.75 else bytes_changed(rng, data)
    path = folder / pick(rng, ("own.keras", "own.keras", "own.h5", "own"))
    path.write_bytes(data)
    image = np.random.default_rng(1).random((1, SIDE, SIDE, 1), np.float32)

    def read() -> Reading:
        import keras

        from trainer.config import ModelConfig
        from trainer.network.user_model import found_out, network_of, opened

        config = ModelConfig(size=SIDE, path=str(path))
        found, _ = found_out(opened(config), config)
        logits = np.asarray(keras.ops.convert_to_numpy(network_of(found)(image, training=False)))
        return {"probability": 1 / (1 + np.exp(-np.clip(logits, -60, 60)))}

    def right() -> Reading:
        return {"probability": by_keras(network_bytes(), folder.parent / "right.keras", image)}

    def other() -> Reading | None:
        try:
            output = by_keras(data, folder.parent / "other.keras", image)
        except Exception:  # Keras raises anything; what thaw reads then is counted as FAILED or unanswered
            return None
        if output is None or not np.isfinite(output).all():
            return None
        squashed = output.min() >= 0 and output.max() <= 1
        return {"probability": output if squashed else 1 / (1 + np.exp(-np.clip(output, -60, 60)))}

    # Keras's answer has no name for what it is: an output that lies in 0 to 1 by chance may be logits.
    return Trial(f"{path.suffix} {what}", read, right, other, free=not is_described_as_before(data))


def by_keras(data: bytes, path: Path, image: Any) -> Any:
    """What Keras makes of the file."""
    import keras

    path.write_bytes(data)
    return np.asarray(keras.ops.convert_to_numpy(keras.saving.load_model(path, compile=False)(image, training=False)))


def is_described_as_before(data: bytes) -> bool:
    """Whether the description is what it was, so that the output is known to be a probability."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as one, zipfile.ZipFile(io.BytesIO(network_bytes())) as other:
            return bool(json.loads(one.read("config.json")) == json.loads(other.read("config.json")))
    except (zipfile.BadZipFile, zlib.error, KeyError, ValueError, NotImplementedError, RuntimeError, EOFError):
        return False  # of a mangled archive


KINDS = (Kind("network", 5, draw_network, fast=False),)

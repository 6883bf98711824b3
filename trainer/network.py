"""A network from a `.keras` file, and how long one of its training steps takes here."""

from __future__ import annotations

import time
from pathlib import Path

import keras
import numpy as np

from trainer.config import TrainConfig, UserError
from trainer.losses import loss_named

STEPS_TIMED = 3


def load_network(path: Path) -> keras.Model:
    """Read a model saved by Keras 3 as `.keras`; nothing is unpickled (safe mode).

    Raises `UserError` for a missing file and for one that is not such a model.
    """
    if not path.is_file():
        raise UserError(f"There is no model file {path}. Give a .keras file saved by Keras 3.")
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except (ValueError, OSError, TypeError, KeyError) as error:
        first = str(error).splitlines()[0][:300]
        raise UserError(f"{path} must be a Keras model saved as .keras, but it cannot be read: {first}") from error


def seconds_per_step(network: keras.Model, config: TrainConfig) -> float:
    """Seconds of one training step with all blocks thawed, the fastest of three after the one that traces."""
    network.trainable = True
    network.compile(optimizer=keras.optimizers.Adam(), loss=loss_named(config.loss))
    batch = np.zeros((config.batch, *network.input_shape[1:]), np.float32)
    times = []
    for _ in range(STEPS_TIMED + 1):
        started = time.perf_counter()
        network.train_on_batch(batch, batch)
        times.append(time.perf_counter() - started)
    return min(times[1:])

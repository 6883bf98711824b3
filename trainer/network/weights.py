"""Weights and networks from files, by content; nothing is ever unpickled."""

from __future__ import annotations

import hashlib
import warnings
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from trainer.errors import UserError
from trainer.files import write_atomically
from trainer.network.keras_settings import check_settings


def load_weights(network: keras.Model, path: Path) -> None:
    """Put the weights of a `.weights.h5`, `.h5` or `.keras` file into a network; nothing is unpickled.

    Raises `UserError` for a missing or unreadable file and for weights of another network.
    """
    if not path.is_file():
        raise UserError(
            f"Starting weights {path} do not exist. Give a .weights.h5 or .keras file, or a folder to train on."
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # Keras only warns about layers whose weights are missing in the file
            if path.suffix == ".keras":
                loaded = keras.saving.load_model(path, compile=False, safe_mode=True)
                network.set_weights(loaded.get_weights())
            else:
                network.load_weights(path)
    except (ValueError, OSError, KeyError, TypeError, UserWarning) as error:
        raise UserError(
            f"The weights in {path} do not fit this network ({network.count_params():,} parameters, input "
            f"{network.input_shape[1:]}). Weights must come from the same architecture: set model.filters and "
            f"model.size as they were trained, or let thaw pre-train. Keras says: {str(error).splitlines()[0][:200]}"
        ) from error


def weights_digest(network: keras.Model) -> str:
    """SHA-256 of all weights in order, independent of the file format they were read from."""
    return arrays_digest(network.get_weights())


def write_weights(network: keras.Model, path: Path) -> None:
    """Save as `.weights.h5`, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".part-{path.name}")
    network.save_weights(temporary)
    data = temporary.read_bytes()
    temporary.unlink()
    write_atomically(path, lambda file: file.write(data))


def load_network(path: Path) -> keras.Model:
    """Read a model saved by Keras 3 as `.keras`; nothing is unpickled (safe mode).

    Raises `UserError` for a missing file, for one that is not such a model, and where Keras is set to other numbers or
    another layout than thaw's.
    """
    check_settings()
    try:
        return keras.saving.load_model(checked_file(path), compile=False, safe_mode=True)
    except (ValueError, OSError, TypeError, KeyError) as error:
        reason = str(error).splitlines()[0][:300]
        raise UserError(f"{path} must be a Keras model saved as .keras, but it cannot be read: {reason}") from error


def checked_file(path: Path) -> Path:
    """Return `path` if it is a file. Raises `UserError` otherwise."""
    if not path.is_file():
        raise UserError(f"There is no model file {path}. Give a .keras file saved by Keras 3.")
    return path


def arrays_digest(arrays: list[NDArray[np.generic]]) -> str:
    """SHA-256 over shapes, types and bytes of arrays, in order."""
    sha = hashlib.sha256()
    for array in arrays:
        sha.update(f"{array.shape}{array.dtype}".encode())
        sha.update(np.ascontiguousarray(array).tobytes())
    return sha.hexdigest()

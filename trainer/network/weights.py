"""Weights and networks from files, by content; nothing is ever unpickled."""

from __future__ import annotations

import hashlib
import warnings
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from trainer.errors import UserError, first_line
from trainer.files import write_atomically
from trainer.network.blocks import leaf_layers
from trainer.network.network_file import holds_network, load_network


def load_weights(network: keras.Model, path: Path) -> None:
    """Put the weights of a `.weights.h5`, `.h5` or `.keras` file into a live network; nothing is unpickled.

    Raises `UserError` for a missing or unreadable file and for weights of another network.
    """
    if not path.is_file():
        raise UserError(
            f"Starting weights {path} do not exist. Give a .weights.h5 or .keras file, or a folder to train on."
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # Keras only warns about layers whose weights are missing in the file
            if holds_network(path):
                _take_weights(network, load_network(path))
            else:
                network.load_weights(path)
    except (ValueError, OSError, KeyError, TypeError, UserWarning) as error:
        raise UserError(
            f"The weights in {path} do not fit this network ({network.count_params():,} parameters, input "
            f"{network.input_shape[1:]}). Weights must come from the same architecture: set model.filters and "
            f"model.size as they were trained, or let thaw pre-train. Keras says: {first_line(error)}"
        ) from error


def _take_weights(network: keras.Model, other: keras.Model) -> None:
    """Layer by layer where every layer of the network has its like, by path and shapes, in the other; else in order."""
    theirs = leaf_layers(other)
    mine = {path: layer for path, layer in leaf_layers(network).items() if layer.weights}

    def shapes(layer: keras.Layer | None) -> list[tuple[int, ...]] | None:
        return layer and [tuple(weight.shape) for weight in layer.weights]

    if any(shapes(layer) != shapes(theirs.get(path)) for path, layer in mine.items()):
        network.set_weights(other.get_weights())
        return
    for path, layer in mine.items():
        layer.set_weights(theirs[path].get_weights())


def weights_digest(network: keras.Model) -> str:
    """SHA-256 of all weights in order, independent of the file format they were read from."""
    return arrays_digest(network.get_weights())


def write_weights(network: keras.Model, path: Path) -> None:
    """Save as `.weights.h5`, whole or not at all; without what an optimizer knows, which is twice as much again."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".part-{path.name}")
    optimizer, network.optimizer = getattr(network, "optimizer", None), None
    try:
        network.save_weights(temporary)
    finally:
        network.optimizer = optimizer
    data = temporary.read_bytes()
    temporary.unlink()
    write_atomically(path, lambda file: file.write(data))


def arrays_digest(arrays: list[NDArray[np.generic]]) -> str:
    """SHA-256 over shapes, types and bytes of arrays, in order."""
    sha = hashlib.sha256()
    for array in arrays:
        sha.update(f"{array.shape}{array.dtype}".encode())
        sha.update(np.ascontiguousarray(array).tobytes())
    return sha.hexdigest()

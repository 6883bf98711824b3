"""Delta checkpoints: only the thawed blocks, on a base named by its hash; the whole network comes back bit for bit.

A fold of `shallow-1` changes a thousandth of the network, so only that is saved. The file is a plain `.npz`: one array
per trained variable, named `layer path/number`, and `base`, the digest of the weights that training started from.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from trainer.errors import UserError
from trainer.foreign_arrays import UNREADABLE, load_arrays
from trainer.network.blocks import leaf_layers
from trainer.network.weights import load_weights, weights_digest

BASE = "base"  # cannot be a variable's name: those hold a slash
SHOWN = 12  # digits of a digest in a message


@dataclass(frozen=True)
class Delta:
    """What a training changed: `weights` by `layer path/number` (`FoldResult.weights`), on the base of this digest."""

    base: str
    weights: Mapping[str, NDArray[Any]]


def packed(delta: Delta) -> bytes:
    """The delta as the bytes of an `.npz` file; nothing in it is ever unpickled."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **{BASE: np.array(delta.base)}, **delta.weights)
    return buffer.getvalue()


def read_delta(path: Path) -> Delta:
    """Read a delta checkpoint. Raises `UserError` for a missing or damaged file and for one without a base."""
    if not path.is_file():
        raise UserError(f"There is no checkpoint {path}. Give a fold_K.npz of a trial's `checkpoints`.")
    try:
        with path.open("rb") as file:
            arrays = load_arrays(file)
    except UNREADABLE as error:
        raise UserError(f"A checkpoint must be a whole .npz file, but {path} cannot be read ({error}).") from error
    if BASE not in arrays:
        raise UserError(f"A delta checkpoint names the base it rests on, but {path} names none. Is it one of thaw's?")
    return Delta(str(arrays.pop(BASE)), arrays)


def restore(network: keras.Model, base: Path, delta: Path) -> None:
    """Give `network` the weights of the file `base` and put the checkpoint `delta` on top: bit for bit as trained.

    `base` is one of the sweep's `bases` in MLflow, or the file it was started from. Raises `UserError` for files that
    cannot be read, for weights of another network and for a base that is not the one the delta rests on.
    """
    load_weights(network, base)
    apply_delta(network, read_delta(delta))


def apply_delta(network: keras.Model, delta: Delta) -> None:
    """Put a delta on a network that holds its base. Raises `UserError`, changing nothing, if it holds anything else."""
    base = weights_digest(network)
    if base != delta.base:
        raise UserError(
            f"A delta fits only the base it was trained from: this one needs {delta.base[:SHOWN]}, but the network "
            f"holds {base[:SHOWN]}. Load bases/{delta.base[:SHOWN]}….weights.h5 of the same sweep first; blocks on "
            "top of other weights would predict something that was never measured."
        )
    layers = leaf_layers(network)
    variables = {
        f"{path}/{number}": variable for path, layer in layers.items() for number, variable in enumerate(layer.weights)
    }
    shapes = {name: tuple(variable.shape) for name, variable in variables.items()}
    if misfits := [name for name, value in delta.weights.items() if shapes.get(name) != value.shape]:
        raise UserError(
            "A checkpoint fits a network whose layers have the names and shapes of the trained one, but this network "
            f"has no such variables: {', '.join(misfits[:5])}. Build the network with the settings of its sweep."
        )
    for name, value in delta.weights.items():
        variables[name].assign(value)

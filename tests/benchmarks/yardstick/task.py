"""The task that all contenders have in common, as files: images, folds, masks, settings, starting weights."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

WEIGHTS, TABLE, ARRAYS = "start.weights.h5", "task.json", "images.npz"

Pair = tuple[NDArray[np.float32], NDArray[np.float32]]  # images in [0, 1] and masks of 0 and 1, (n, size, size, 1) each


@dataclass(frozen=True)
class Task:
    """`masks`: as thaw writes them -> the blocks that train; every mask is scored at each of `epochs`, in every fold.

    The network is thaw's U-Net of `size` pixels and `filters`, with `dropout`; `loss`, `rate` and `batch` are those of
    its training. `fold_of`: the fold, from 0, in which each image validates. `train_images`: augmented ones, by fold.
    """

    masks: dict[str, list[int]]
    epochs: list[int]
    rate: float
    batch: int
    size: int
    filters: int
    dropout: float
    loss: Literal["bce", "bce+dice"]
    fold_of: list[int]
    train_images: list[int]

    @property
    def folds(self) -> int:
        """How many."""
        return len(self.train_images)

    @property
    def steps(self) -> int:
        """Training steps of one mask: all its folds up to the largest epoch count."""
        return self.epochs[-1] * sum(-(-images // self.batch) for images in self.train_images)

    def __str__(self) -> str:
        epochs = " and ".join(map(str, self.epochs))
        return (
            f"{len(self.fold_of)} images of {self.size} x {self.size}, {self.filters} filters, {len(self.masks)} masks "
            f"x {epochs} epochs, {self.folds} folds, batch {self.batch}, {self.steps} steps a mask"
        )


def write_task(folder: Path, task: Task, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Keep a task. `arrays`, (n, size, size) each: `images` and `truths`; `train_x_K` and `train_y_K` of fold K."""
    (folder / TABLE).write_text(json.dumps(asdict(task)))
    np.savez(folder / ARRAYS, allow_pickle=False, **arrays)


def read_task(folder: Path) -> Task:
    """The task kept in a folder."""
    return Task(**json.loads((folder / TABLE).read_text()))


def read_originals(folder: Path) -> Pair:
    """All images, in the order of `Task.fold_of`."""
    return _read(folder, "images", "truths")


def read_training_part(folder: Path, fold: int) -> Pair:
    """The augmented training part of a fold, counted from 0."""
    return _read(folder, f"train_x_{fold}", f"train_y_{fold}")


def _read(folder: Path, images: str, masks: str) -> Pair:
    with np.load(folder / ARRAYS) as arrays:
        return arrays[images][..., None].astype(np.float32), arrays[masks][..., None].astype(np.float32)

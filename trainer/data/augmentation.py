"""Augmentation of a training part (docs/protocol.md): small random shift, turn, flip, shear and zoom as one warp."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import affine_transform

from trainer.config import AugmentConfig

# The border is filled with a mirror of the inside, in image and mask alike: black would be a structure of its own.
BORDER = "mirror"


def augmented(
    images: NDArray[np.float32],
    masks: NDArray[np.uint8],
    names: Sequence[str],
    train: NDArray[np.int64],
    config: AugmentConfig,
    seed: int,
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """The training part: its originals in `train` order, then copies, as x float32 and y uint8 (m, size, size).

    `images` and `masks` (n, size, size) are *all* cases (`images`, and then x, may have channels behind), so that m =
    round(config.total * n_train / n), never fewer than n_train. Copies are spread evenly. Copy c of a case depends on
    (seed, its name, c) only, so a case gets the same copies in every fold and whatever else is trained on.
    """
    copies = copies_of(names, train, config.total, len(images), seed)
    x = np.empty((len(train) + len(copies), *images.shape[1:]), np.float32)
    y = np.empty((len(train) + len(copies), *masks.shape[1:]), np.uint8)
    x[: len(train)], y[: len(train)] = images[train], masks[train]
    for row, (case, copy) in enumerate(copies, start=len(train)):
        rng = np.random.default_rng(seed_of(seed, names[case], copy))
        x[row], y[row] = warped(images[case], masks[case], random_affine(config, images.shape[1], rng))
    return x, y


def copies_of(names: Sequence[str], train: NDArray[np.int64], total: int, n: int, seed: int) -> list[tuple[int, int]]:
    """(case, copy number) of every copy: whole rounds over the training part, then a part of a last round.

    The cases of the last round are drawn by name: they are neither the first class of the folder nor a new draw per
    fold.
    """
    extra = max(0, round(total * len(train) / n) - len(train)) if len(train) else 0
    rounds, remainder = divmod(extra, max(len(train), 1))
    last_round = sorted((int(case) for case in train), key=lambda case: seed_of(seed, names[case], -1))[:remainder]
    whole_rounds = [(int(case), copy) for copy in range(rounds) for case in train]
    return whole_rounds + [(case, rounds) for case in last_round]


def random_affine(config: AugmentConfig, size: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """A random map of output pixels to input pixels about the centre: 3x3 over (row, column, 1), ranges of `config`."""
    angle, shear = np.deg2rad(rng.uniform(-1, 1, 2) * (config.rotation, config.shear))
    row, column = rng.uniform(-1, 1, 2) * config.shift * size
    zoom = 1 + rng.uniform(-1, 1) * config.zoom
    flip = -1.0 if config.flip and rng.random() < 0.5 else 1.0
    rotate = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    slant = np.array([[1, 0, 0], [np.tan(shear), 1, 0], [0, 0, 1]])
    scale = np.diag([zoom, flip * zoom, 1.0])  # the flip is left to right
    centre = (size - 1) / 2
    forward = moved(centre + row, centre + column) @ rotate @ slant @ scale @ moved(-centre, -centre)
    return np.linalg.inv(forward)


def warped(
    image: NDArray[np.float32], mask: NDArray[np.uint8], inverse: NDArray[np.float64]
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Image (linear, each channel) and mask (nearest) through the same map, so that they stay on top of each other."""
    x = warped_image(image, inverse)
    y = affine_transform(mask, inverse, order=0, mode=BORDER, output=np.uint8)
    return np.clip(np.asarray(x, np.float32), 0, 1), np.asarray(y, np.uint8)


def warped_image(image: NDArray[np.float32], inverse: NDArray[np.float64]) -> NDArray[np.float32]:
    """An image (H, W) or (H, W, channels) through a map."""
    if image.ndim == 3:
        return np.stack([warped_image(channel, inverse) for channel in np.moveaxis(image, 2, 0)], axis=2)
    return np.asarray(affine_transform(image, inverse, order=1, mode=BORDER, output=np.float32), np.float32)


def moved(row: float, column: float) -> NDArray[np.float64]:
    """The 3x3 matrix of a shift."""
    return np.array([[1, 0, row], [0, 1, column], [0, 0, 1]], float)


def seed_of(seed: int, name: str, copy: int) -> int:
    """A generator seed from all that a copy may depend on. It is a hash, because sums of small numbers would repeat."""
    return int.from_bytes(hashlib.sha256(f"{seed}\0{copy}\0{name}".encode()).digest()[:8], "big")

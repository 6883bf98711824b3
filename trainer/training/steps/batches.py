"""Which images stand in which batch, in training and in scoring: batches of one size, for one shape and one trace."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

# At most so many images and pixels are scored at once: images of 256 pixels 8 at a time, to save memory.
SCORING_BATCH, SCORING_PIXELS = 32, 32 * 128 * 128


def batches(n: int, batch: int, seed: tuple[int, ...], epoch: int) -> Iterator[NDArray[np.int64]]:
    """The batches of one epoch: all of one size, drawn from one endless shuffle of 0..n-1.

    An epoch is ceil(n / batch) steps; where `batch` does not divide n, the last step borrows from the next pass. Pass
    number p is a permutation from (seed, p), so that epoch 20 is the same whether reached in one run or two.
    """
    steps = math.ceil(n / batch)
    first = epoch * steps * batch
    passes = range(first // n, (first + steps * batch - 1) // n + 1)
    stream = np.concatenate([np.random.default_rng([*seed, number]).permutation(n) for number in passes])
    offset = first - passes[0] * n
    for step in range(steps):
        yield stream[offset + step * batch : offset + (step + 1) * batch]


def scoring_batch(pixels: int) -> int:
    """How many images of `pixels` pixels each are scored at once."""
    return max(1, min(SCORING_BATCH, SCORING_PIXELS // max(pixels, 1)))


def padded_batches(images: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    """The images (n, H, W, channels) to score, in batches of one size; the last is filled up with empty images."""
    batch = scoring_batch(images.shape[1] * images.shape[2])
    for start in range(0, len(images), batch):
        group = images[start : start + batch]
        padded = np.zeros((batch, *group.shape[1:]), np.float32)
        padded[: len(group)] = group
        yield padded

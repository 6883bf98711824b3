"""Many phantoms of one kind, each from a random stream of its own."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Phantom = tuple[NDArray[np.floating], NDArray[np.uint8], str]
Draw = Callable[[np.random.Generator, int], Phantom]


def series(draw: Draw, n: int, size: int, seed: int) -> tuple[NDArray[np.float32], NDArray[np.uint8], tuple[str, ...]]:
    """Images float32 (n, size, size), masks uint8 {0, 1} and labels of `n` phantoms.

    Phantom i depends on (seed, i, size) alone, so a larger `n` extends a smaller one.
    """
    images, masks = np.empty((n, size, size), np.float32), np.empty((n, size, size), np.uint8)
    labels = []
    for index in range(n):
        images[index], masks[index], label = draw(np.random.default_rng([seed, index]), size)
        labels.append(label)
    return images, masks, tuple(labels)

"""From a network's logits to the probability of every pixel."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import keras
import numpy as np
from numpy.typing import NDArray

from trainer.channels import with_channels
from trainer.training.steps.batches import padded_batches

FARTHEST = 60  # logits beyond it are 0 or 1 in float32


def predict(
    model: keras.Model, images: NDArray[np.float32], between: Callable[[], None] = lambda: None
) -> NDArray[np.float32]:
    """Foreground probability (n, H, W) of images (n, H, W) or (n, H, W, channels).

    In padded batches of one size: one shape, one trace. `between()` is called before each.
    """

    def logits() -> Iterable[NDArray[np.float32]]:
        for batch in padded_batches(with_channels(images)):
            between()
            yield np.asarray(model.predict_on_batch(batch))

    return probabilities(logits(), images.shape[:3])


def probabilities(logits: Iterable[NDArray[np.float32]], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """The probability of each pixel, (n, H, W) = `shape`, of the logits (batch, H, W, 1) of padded batches."""
    probability = np.empty(shape, np.float32)
    start = 0
    for answered in logits:
        kept = answered[: len(probability) - start, ..., 0]
        probability[start : start + len(kept)] = 1 / (1 + np.exp(-np.clip(kept, -FARTHEST, FARTHEST)))
        start += len(kept)
    return probability

"""Losses on logits (docs/protocol.md, "optimizer, rate, loss, batch")."""

from __future__ import annotations

from collections.abc import Callable

import keras
from keras import ops

from trainer.errors import UserError

Loss = Callable[[keras.KerasTensor, keras.KerasTensor], keras.KerasTensor]
LARGEST_JUDGED = 1.5  # a truth above it is "ignored" (255): the pixel takes no part


def bce(truth: keras.KerasTensor, logits: keras.KerasTensor) -> keras.KerasTensor:
    """Binary cross-entropy per image: (batch, H, W, 1) twice -> (batch,)."""
    return ops.mean(ops.binary_crossentropy(truth, logits, from_logits=True), axis=(1, 2, 3))


def bce_dice(truth: keras.KerasTensor, logits: keras.KerasTensor) -> keras.KerasTensor:
    """Binary cross-entropy plus 1 - soft Dice (smoothed by one pixel), per image: (batch,).

    The Dice term keeps the background from outweighing a small lesion: with cross-entropy alone the deepest block,
    tuned by itself for 12 epochs on 48 BUSI images, predicted nothing (docs/protocol.md).
    """
    probability = ops.sigmoid(logits)
    overlap = ops.sum(truth * probability, axis=(1, 2, 3))
    sizes = ops.sum(truth, axis=(1, 2, 3)) + ops.sum(probability, axis=(1, 2, 3))
    return bce(truth, logits) + 1.0 - (2.0 * overlap + 1.0) / (sizes + 1.0)


def bce_ignoring(truth: keras.KerasTensor, logits: keras.KerasTensor) -> keras.KerasTensor:
    """`bce` over the pixels that count; 0 for an image of which none does."""
    counts = ops.cast(truth < LARGEST_JUDGED, logits.dtype)
    losses = ops.binary_crossentropy(truth * counts, logits, from_logits=True) * counts
    return ops.sum(losses, axis=(1, 2, 3)) / ops.maximum(ops.sum(counts, axis=(1, 2, 3)), 1.0)


def bce_dice_ignoring(truth: keras.KerasTensor, logits: keras.KerasTensor) -> keras.KerasTensor:
    """`bce_dice` over the pixels that count."""
    counts = ops.cast(truth < LARGEST_JUDGED, logits.dtype)
    judged, probability = truth * counts, ops.sigmoid(logits) * counts
    overlap = ops.sum(judged * probability, axis=(1, 2, 3))
    sizes = ops.sum(judged, axis=(1, 2, 3)) + ops.sum(probability, axis=(1, 2, 3))
    return bce_ignoring(truth, logits) + 1.0 - (2.0 * overlap + 1.0) / (sizes + 1.0)


LOSSES: dict[str, Loss] = {"bce": bce, "bce+dice": bce_dice}
IGNORING: dict[str, Loss] = {"bce": bce_ignoring, "bce+dice": bce_dice_ignoring}


def loss_named(name: str, *, ignoring: bool = False) -> Loss:
    """Look a loss up; raises `UserError` with the known names. `ignoring`: some pixels of the truth are 255."""
    if name not in LOSSES:
        raise UserError(f"train.loss must be one of {', '.join(LOSSES)}, but got '{name}'.")
    return IGNORING[name] if ignoring else LOSSES[name]

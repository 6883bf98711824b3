"""Losses on logits (docs/protocol.md, "optimizer, rate, loss, batch")."""

from __future__ import annotations

from collections.abc import Callable

import keras
from keras import ops

from trainer.errors import UserError

Loss = Callable[[keras.KerasTensor, keras.KerasTensor], keras.KerasTensor]


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


LOSSES: dict[str, Loss] = {"bce": bce, "bce+dice": bce_dice}


def loss_named(name: str) -> Loss:
    """Look a loss up; raises `UserError` with the known names."""
    if name not in LOSSES:
        raise UserError(f"train.loss must be one of {', '.join(LOSSES)}, but got '{name}'.")
    return LOSSES[name]

"""What one backend makes of the same network, images and masks: `python -m tests.trainer.training.steps.one_backend F`.

Keras has one backend in a process, so each is asked in a process of its own, and answers by the file F (.npz): the loss
and the gradients of one step without dropout, the probabilities before it, and how often the step was traced for two
folds of different sizes.
"""

from __future__ import annotations

import sys
from contextlib import nullcontext
from typing import Any

import numpy as np


def main(path: str) -> None:
    """Compute and write."""
    from sweeps.environment.keras_backend import prepare_backend

    prepare_backend()
    import keras

    from trainer.config import ModelConfig
    from trainer.masks import parse
    from trainer.network.blocks import apply_mask, partition
    from trainer.network.unet import unet
    from trainer.training.losses import loss_named
    from trainer.training.steps.engine import steps_of

    rng = np.random.default_rng(0)
    network = unet(ModelConfig(size=32, filters=4, dropout=0.0))
    network.set_weights([rng.normal(0, 0.1, weight.shape).astype(np.float32) for weight in network.get_weights()])
    images = rng.random((12, 32, 32), np.float32)
    masks = (images > 0.6).astype(np.uint8)
    apply_mask(network, partition(network), parse("1-5", 9))
    model, steps = steps_of(network)
    # With this optimizer the gradients are what the weights lose.
    steps.compile(keras.optimizers.SGD(1.0), loss_named("bce+dice"))
    answers = steps.predict(images, lambda: None)
    before = network.get_weights()
    losses = _trained(steps, images, masks, [[0, 1, 2, 3]])
    gradients = [old - new for old, new in zip(before, network.get_weights(), strict=True)]
    _trained(steps, images[:11], masks[:11], [[4, 5, 6, 7], [8, 9, 10, 0]])
    named = {f"gradient {number}": gradient for number, gradient in enumerate(gradients)}
    np.savez(path, answers=answers, loss=losses, traces=steps.traces, names=len(model.layers), **named)


def _trained(steps: Any, images: Any, masks: Any, order: list[list[int]]) -> list[float]:
    """The losses of an epoch in which nothing may go from the host to the device or back."""
    epoch = steps.epoch(images, masks, np.array(order))
    epoch.step()  # compiled
    with _no_copies():
        for _ in order[1:]:
            epoch.step()
    losses: list[float] = epoch.losses()
    steps.settle()
    return losses


def _no_copies() -> Any:
    """On JAX any copy raises here, one that is asked for too."""
    jax = sys.modules.get("jax")
    return nullcontext() if jax is None else jax.transfer_guard("disallow_explicit")


if __name__ == "__main__":
    main(*sys.argv[1:])

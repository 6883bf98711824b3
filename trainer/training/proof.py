"""The proof of a phase: what it freezes is as it was, bit for bit, and what it trains has moved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from trainer.errors import FrozenBlockMoved, TrialFailed
from trainer.network.blocks import Fingerprint, fingerprints, thawed
from trainer.network.flat_memory import Adam
from trainer.network.tuning import held_weights
from trainer.training.changing import values
from trainer.training.phases import Phase


@dataclass(frozen=True)
class Before:
    """A network as a phase finds it: hashes of all blocks, and what is held still within the thawed ones."""

    blocks: Mapping[int, Fingerprint]
    held: Mapping[str, NDArray[Any]]


def before(model: keras.Model, phase: Phase, optimizer: Adam | None) -> Before:
    """What `prove` compares with; `optimizer` is that of the phase, None where nothing trains."""
    return Before(fingerprints(model, phase.blocks), values(_held(model, phase, optimizer)))


def prove(model: keras.Model, phase: Phase, optimizer: Adam | None, found: Before) -> None:
    """Raises `FrozenBlockMoved` for what is frozen and differs from `found`, `TrialFailed` for a block that trained and
    does not. Where batch normalisation adapts, only its statistics may differ in frozen blocks.
    """
    _prove_blocks(model, phase, found.blocks)
    for name, variable in _held(model, phase, optimizer).items():
        if not np.array_equal(keras.ops.convert_to_numpy(variable), found.held[name]):
            raise FrozenBlockMoved(
                f"Of the blocks of {phase} only {phase.config.tune!r} is tuned, but {variable.path} changed during "
                "training. This is a bug in thaw or in a custom layer; the sweep stops."
            )
    for path in optimizer.broken() if optimizer else ():
        raise FrozenBlockMoved(
            f"Under {phase} {path} must be its former self and the update of rank {phase.config.lora_rank}, but it is "
            "not. This is a bug in thaw or in a custom layer; the sweep stops."
        )


def _prove_blocks(model: keras.Model, phase: Phase, found: Mapping[int, Fingerprint]) -> None:
    after, mask = fingerprints(model, phase.blocks), phase.mask
    moved = [block for block in found if found[block].weights != after[block].weights]
    drifted = [block for block in found if found[block].statistics != after[block].statistics]
    changed = moved if phase.config.batch_norm == "adapt" and mask.blocks else sorted({*moved, *drifted})
    if wrong := [block for block in changed if not thawed(block, mask)]:
        raise FrozenBlockMoved(
            f"Blocks {wrong} are frozen by {phase}, but their weights changed during training. This is a bug "
            "in thaw or in a custom layer; no number of this trial can be trusted, so the sweep stops."
        )
    if dead := [block for block in mask.blocks if block not in moved]:
        raise TrialFailed(f"dead block: {phase.named(dead)} should have trained, but none of the weights moved.")


def _held(model: keras.Model, phase: Phase, optimizer: Adam | None) -> dict[str, Any]:
    """What must not move of the thawed blocks, and of what their update is added to."""
    kept = optimizer.held() if optimizer else {}
    return {**held_weights(model, phase.blocks, phase.mask, phase.config.tune), **kept}

"""The ledger's key: a digest of everything that the numbers of one fold depend on, the epoch count left out.

The code is not in it: a version of the arithmetic stands for it (`trainer.arithmetic`, docs/keys.md), so that moving a
module costs nobody a training. Nothing here imports Keras.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from trainer import arithmetic
from trainer.candidate import Candidate
from trainer.config import AugmentConfig, Settings, identity_of_model, train_config
from trainer.keys import digest, fields_in_key
from trainer.training.device import in_key
from trainer.training.versions import versions

# The ledger keeps one training's results at every epoch count side by side. The digest of the starting weights stands
# for `start`, and `train` changes the settings that stand in the key.
NOT_THE_CANDIDATE_S = ("epochs", "start", "start_seed", "train")
UNUSED_WITHOUT_TRAINING = ("seed", "learning_rate")


def training_key(
    settings: Settings,
    candidate: Candidate,
    fold: int,
    names: Sequence[str],
    data: str,
    start: str,
    trained: Sequence[str] = (),
) -> str:
    """The ledger's key of one fold, 64 hex digits.

    `fold` counts from 1; `names` are the images that it scores; `data` is the digest of all images, masks, names and
    labels, `start` that of the starting weights. `trained`: the images that it trains on, where these are but a part of
    the others.
    """
    train = train_config(settings.train, candidate)
    return digest(
        {
            "model": identity_of_model(asdict(settings.model)),
            "augmentation": ranges(settings.augmentation),
            "train": fields_in_key(asdict(train), type(train)),
            "partition": fields_in_key(asdict(settings.partition), type(settings.partition)),
            "candidate": _tried(candidate),
            "start": start,
            "data": data,
            "fold": fold,
            "test": _digest_of(names),
            "versions": versions(),
            "arithmetic": arithmetic.TRAINING,
        }
        | ({"trained": _digest_of(trained)} if trained else {})
        | in_key()
    )


def _digest_of(names: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(names).encode()).hexdigest()


def ranges(config: AugmentConfig) -> dict[str, Any]:
    """The augmentation that numbers depend on; in which order it is done belongs to the candidate (`split`)."""
    kept = fields_in_key(asdict(config), AugmentConfig)
    return {name: value for name, value in kept.items() if name != "order"}


def _tried(candidate: Candidate) -> dict[str, Any]:
    """What the candidate itself adds: mask, split, and how it is trained if it is trained at all."""
    ignored = (*NOT_THE_CANDIDATE_S, *(() if candidate.epochs else UNUSED_WITHOUT_TRAINING))
    kept = fields_in_key(asdict(candidate), Candidate)
    return {name: value for name, value in kept.items() if name not in ignored}

"""What can be asked for: the settings of a sweep as plain frozen data, no behaviour, nothing heavy to import."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Start = Literal["pretrained", "scratch"]


class UserError(Exception):
    """A mistake the user can mend: the message states the rule, what was given and what to do; no traceback follows."""


@dataclass(frozen=True)
class ModelConfig:
    """The U-Net of protocol.md: `size` x `size` pixels in, `filters` in the first block, doubling four times."""

    size: int = 64
    filters: int = 8
    dropout: float = 0.5


@dataclass(frozen=True)
class DataConfig:
    """Which cases. `path=None` is the embedded synthetic default; `images` draws at most that many, 0 uses all."""

    path: str | None = None
    modality: str = "ultrasound"
    images: int = 0
    seed: int = 0
    keep_empty: bool = False
    skip_unpaired: bool = False


@dataclass(frozen=True)
class AugmentConfig:
    """Augmentation of the training part. `total`: images after it, originals included, were all cases trained on.

    A training part of n_train of n cases becomes round(total * n_train / n) images; 0 or fewer than n adds none.
    Ranges are symmetric: degrees for `rotation` and `shear`, fractions of the side for `shift` and of 1 for `zoom`.
    """

    total: int = 0
    rotation: float = 10.0
    shear: float = 5.0
    shift: float = 0.05
    zoom: float = 0.10
    flip: bool = True


@dataclass(frozen=True)
class TrainConfig:
    """How every fold is trained; the epoch count and the learning rate belong to the candidate."""

    loss: Literal["bce", "bce+dice"] = "bce+dice"
    batch: int = 16
    deterministic: bool = True


@dataclass(frozen=True)
class PretrainConfig:
    """Pre-training on other images. `path`: a folder of images and masks, a weights file, or None for composites."""

    path: str | None = None
    images: int = 0
    epochs: int = 12
    batch: int = 16
    learning_rate: float = 1e-3
    validation: float = 0.1
    seed: int = 0


@dataclass(frozen=True)
class Settings:
    """Everything that a score depends on besides the candidate, the pictures and the starting weights."""

    model: ModelConfig = field(default_factory=ModelConfig)
    data: DataConfig = field(default_factory=DataConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    train: TrainConfig = field(default_factory=TrainConfig)
    pretrain: PretrainConfig = field(default_factory=PretrainConfig)
    folds: int = 5
    seed: int = 0


@dataclass(frozen=True)
class Candidate:
    """One point of the search: which blocks train, for how many epochs, how fast, from which weights.

    `mask` is the written form (`1-5`, `all`, `none`, see `trainer.masks`); `none` is the zero-shot baseline and has
    `epochs=0`. `start="scratch"` ignores the pre-trained weights.
    """

    mask: str
    epochs: int
    learning_rate: float
    start: Start = "pretrained"

    @property
    def name(self) -> str:
        """What a person calls it: `1-5 · 12 epochs · lr 0.001`."""
        if self.epochs == 0:
            return "zero-shot"
        scratch = "from scratch · " if self.start == "scratch" else ""
        return f"{scratch}{self.mask} · {self.epochs} epochs · lr {self.learning_rate:g}"

    @property
    def key(self) -> str:
        """Digest that identifies the candidate inside its sweep: 16 hex digits."""
        return digest(asdict(self))[:16]


def model_mistakes(config: ModelConfig) -> Iterator[str]:
    """What keeps a U-Net from being built, one sentence each."""
    if config.size < 32 or config.size % 16:
        yield f"'model.size' must be a multiple of 16 (four halvings) and at least 32, but got {config.size}."
    if config.filters < 1:
        yield f"'model.filters' must be at least 1, but got {config.filters}."
    if not 0 <= config.dropout < 1:
        yield f"'model.dropout' must be in [0, 1), but got {config.dropout}."


def digest(value: Any) -> str:
    """SHA-256 of a JSON-able value, independent of the order of dictionary keys.

    >>> digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    True
    """
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()

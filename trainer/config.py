"""What can be asked for: the settings of a sweep as plain frozen data, no behaviour, nothing heavy to import."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from trainer.keys import fields_in_key

Start = Literal["pretrained", "scratch"]
Split = Literal["grouped", "leaky"]
TrainValue = str | int | float | bool


@dataclass(frozen=True)
class ModelConfig:
    """The U-Net of protocol.md: `size` x `size` pixels in, `filters` in the first block, doubling four times.

    `path`: a network of your own instead, a `.keras` file or `models:/name@alias`; `filters` and `dropout` then have
    no say. `blocks` is a table of its own of what a mask's numbers count: for each block the patterns (`fnmatch`) of
    its layers' paths. `file` and `architecture` are found by thaw: its copy of the file, and the digest of the layers.
    """

    size: int = 64
    filters: int = 8
    dropout: float = 0.5
    path: str | None = None
    blocks: tuple[tuple[str, ...], ...] = ()
    file: str = ""
    architecture: str = ""

    @property
    def name(self) -> str:
        """What a person calls the network: the name of its file, or the U-Net by its width."""
        return f"U-Net of {self.filters} filters" if self.path is None else self.path.rsplit("/", 1)[-1]


@dataclass(frozen=True)
class DataConfig:
    """Which cases. `path=None` is the embedded synthetic default; `images` draws at most that many, 0 uses all.

    Folds keep patients whole where they are known: from `patient`, a regular expression whose first group is found in
    each case's name, or from `patients`, a CSV file with `image_column` and `patient_column` (`trainer.data.patients`).
    """

    path: str | None = None
    modality: str = "ultrasound"
    images: int = 0
    seed: int = 0
    keep_empty: bool = False
    skip_unpaired: bool = False
    patient: str = ""
    patients: str = ""
    image_column: str = "image"
    patient_column: str = "patient"


@dataclass(frozen=True)
class AugmentConfig:
    """Augmentation of the training part. `total`: images after it, originals included, were all cases trained on.

    A training part of n_train of n cases becomes round(total * n_train / n) images; 0 or fewer than n adds none.
    Ranges are symmetric: degrees for `rotation` and `shear`, fractions of the side for `shift` and of 1 for `zoom`.
    `order="leaky"` measures every trial a second time with all images augmented *before* they are split, so that copies
    of one image are trained on and scored; the report prints by how much that inflates the score, and decides nothing
    with it (protocol.md, "split and augmentation").
    """

    total: int = 0
    rotation: float = 10.0
    shear: float = 5.0
    shift: float = 0.05
    zoom: float = 0.10
    flip: bool = True
    order: Literal["split-first", "leaky"] = "split-first"


@dataclass(frozen=True)
class PartitionConfig:
    """What a mask's numbers count. `unit`: blocks between resolution changes (design.md, Words), or convolutions.

    `head`: the last layer with weights (the 1x1 head) trains with the `last` unit, `always` (whatever the mask), or is
    a unit of its `own` behind the others.
    """

    unit: Literal["block", "conv"] = "block"
    head: Literal["last", "always", "own"] = "last"


@dataclass(frozen=True)
class TrainConfig:
    """How every fold is trained; the epoch count and the learning rate belong to the candidate.

    `batch_norm` is what batch normalisation does in frozen blocks: `frozen` keeps its statistics, as Keras does with a
    frozen layer; `adapt` lets them follow the training pictures, while its scale and offset stay. In thawed blocks it
    trains like any other layer.
    """

    loss: Literal["bce", "bce+dice"] = "bce+dice"
    batch: int = 16
    batch_norm: Literal["frozen", "adapt"] = "frozen"
    deterministic: bool = True


@dataclass(frozen=True)
class PretrainConfig:
    """Pre-training on other images. `path`: a folder of images and masks, a weights file, or `composites`.

    None stands for composites, too, but not for a network of your own (`model.path`): that starts from its own weights.
    """

    path: str | None = None
    images: int = 0
    epochs: int = 12
    batch: int = 16
    learning_rate: float = 1e-3
    loss: Literal["bce", "bce+dice"] = "bce+dice"
    validation: float = 0.1
    seed: int = 0


@dataclass(frozen=True)
class Settings:
    """Everything that a score depends on besides the candidate, the pictures and the starting weights."""

    model: ModelConfig = field(default_factory=ModelConfig)
    data: DataConfig = field(default_factory=DataConfig)
    augmentation: AugmentConfig = field(default_factory=AugmentConfig)
    partition: PartitionConfig = field(default_factory=PartitionConfig)
    train: TrainConfig = field(default_factory=TrainConfig)
    pretrain: PretrainConfig = field(default_factory=PretrainConfig)
    folds: int = 5
    seed: int = 0


@dataclass(frozen=True)
class Candidate:
    """One point of the search: which blocks train, for how many epochs, how fast, from which weights.

    `mask` is the written form (`1-5`, `all`, `none`, see `trainer.masks`); `none` is the zero-shot baseline and has
    `epochs=0`. `start="scratch"` ignores the pre-trained weights. `seed` draws augmentation, batches, dropout and fresh
    weights; the folds are the sweep's. `split="leaky"` is scored on folds cut after augmentation. `train` holds the
    searched training settings that differ from the sweep's, by name in `TrainConfig`, sorted: `(("batch", 8),)`.
    """

    mask: str
    epochs: int
    learning_rate: float
    start: Start = "pretrained"
    seed: int = 0
    split: Split = "grouped"
    train: tuple[tuple[str, TrainValue], ...] = ()

    @property
    def name(self) -> str:
        """What a person calls it: `1-5 · 12 epochs · lr 0.001`; what differs from the sweep's own settings is said."""
        if self.epochs == 0:
            return "zero-shot"
        scratch = "from scratch · " if self.start == "scratch" else ""
        seed = f" · seed {self.seed}" if self.seed else ""
        leaky = " · leaky split" if self.split == "leaky" else ""
        train = "".join(f" · {name} {value}" for name, value in self.train)
        return f"{scratch}{self.mask} · {self.epochs} epochs · lr {self.learning_rate:g}{train}{seed}{leaky}"

    @property
    def training(self) -> str:
        """What candidates of one training have in common: it passes through the smaller epoch counts on its way."""
        return replace(self, epochs=1).key

    @property
    def recipe(self) -> tuple[str, float, Start, tuple[tuple[str, TrainValue], ...]]:
        """What is tried, apart from how long and with which luck: mask, learning rate, start, training settings."""
        return self.mask, self.learning_rate, self.start, self.train

    @property
    def origin(self) -> str:
        """The weights it starts from: `pretrained`, or `scratch-<seed>`, fresh ones of its own seed."""
        return self.start if self.start == "pretrained" else f"scratch-{self.seed}"

    @property
    def key(self) -> str:
        """Digest that identifies the candidate inside its sweep: 16 hex digits (`trainer.keys`)."""
        return digest(fields_in_key(asdict(self), Candidate))[:16]


def train_config(config: TrainConfig, candidate: Candidate) -> TrainConfig:
    """How a candidate is trained: the sweep's settings with the candidate's own in their place."""
    return replace(config, **dict(candidate.train))  # type: ignore[arg-type]  # checked by the spec


def identity_of_model(model: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of `[model]`, as a table, that numbers depend on: of a file its layers, never where it lies."""
    idle = {"path", "file", *(("filters", "dropout") if model.get("path") else ("architecture",))}
    kept = {name: value for name, value in fields_in_key(model, ModelConfig).items() if name not in idle}
    return kept | ({"blocks": [list(patterns) for patterns in kept["blocks"]]} if "blocks" in kept else {})


def own_weights(config: PretrainConfig, model: ModelConfig) -> bool:
    """Whether fine-tuning starts from the weights in the network's own file, and nothing is pre-trained."""
    return model.path is not None and config.path is None


def model_mistakes(config: ModelConfig) -> Iterator[str]:
    """What keeps a U-Net from being built, one sentence each; of a network of your own, what is known without it."""
    if config.path is not None:
        if not config.path.strip():
            yield "'model.path' must name a .keras file or models:/name@alias, but it is empty."
        if config.size < 1:
            yield f"'model.size' must be at least 1, but got {config.size}."
        return
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

"""What can be asked for: a sweep's settings as plain frozen data, below each section the rules that it must keep."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from trainer.candidate import Candidate
from trainer.keys import fields_in_key

LARGEST_SEED = 2**32 - 1  # what NumPy and Keras take
LARGEST_RATE = 1e3  # a learning rate beyond it is a slip of the pen

COMPOSITES, PHANTOMS = "composites", "phantoms"  # embedded images to pre-train on
OWN = "own"  # the weights in the network's file
WEIGHT_FILES = (".h5", ".keras")
Tune = Literal["all", "norm", "bias", "lora"]
Schedule = Literal["at-once", "head-first"]
SMALLEST_DECAY = 0.01
Precision = Literal["float32", "tf32", "bfloat16"]
DistanceUnit = Literal["mm", "px"]  # px: pixels of the working size
DEFAULT_TOLERANCE: Mapping[DistanceUnit, float] = {"mm": 2.0, "px": 1.0}


def at_least(key: str, number: float, low: int) -> Iterator[str]:
    """The mistake of a number that is too small, if it is one.

    >>> list(at_least("folds", 1, 2)), list(at_least("folds", 2, 2))
    (["'folds' must be at least 2, but got 1."], [])
    """
    if number < low:
        yield f"'{key}' must be at least {low}, but got {number}."


def within(key: str, number: float, low: float, high: float, unit: str = "") -> Iterator[str]:
    """The mistake of a number outside [low, high], if it is one; `unit` is said behind the limits.

    >>> list(within("augmentation.shear", 50, 0, 45, " degrees"))
    ["'augmentation.shear' must be from 0 to 45 degrees, but got 50."]
    """
    if not low <= number <= high:
        yield f"'{key}' must be from {low} to {high}{unit}, but got {number}."


def is_seed(key: str, seed: int) -> Iterator[str]:
    """The mistake of a seed that NumPy or Keras would refuse, if it is one."""
    yield from within(key, seed, 0, LARGEST_SEED - 1)


def is_named(key: str, path: str | None) -> Iterator[str]:
    """The mistake of an empty path, if it is one; None is none."""
    if path is not None and not path.strip():
        yield f"'{key}' must name a folder or file, but it is empty. Leave it out for the synthetic images."


@dataclass(frozen=True)
class ModelConfig:
    """The U-Net of docs/protocol.md: `size` x `size` pixels in, `filters` in the first block, doubling four times.

    `path`: a network of your own instead, a `.keras` or `.h5` file or `models:/name@alias`; `filters` and `dropout` are
    then ignored. `blocks` is a table of its own of what a mask's numbers count: for each block the patterns (`fnmatch`)
    of its layers' paths.

    Of a network of your own: `range`, the values of the images that it reads (`auto` asks its first layers); `output`,
    the name of the one to use; `channel`, the foreground's; `gives`, what comes out, where thaw cannot know; `custom`,
    modules that register its layers.

    The rest is found by thaw: `file`, its copy of the file; `architecture`, the digest of the layers; `reads`, lowest
    and highest value where they are not 0 and 1; `float32`, whether that is put in the place of other policies;
    `still`, random layers that would move images without their masks; `custom_code`, the digest of `custom`; `colour`,
    whether the images that it is given have colours (`DataConfig.colour`).
    """

    size: int = 64
    filters: int = 8
    dropout: float = 0.5
    path: str | None = None
    blocks: tuple[tuple[str, ...], ...] = ()
    file: str = ""
    architecture: str = ""
    range: Literal["auto", "0-1", "0-255", "-1-1"] = "auto"
    output: str = ""
    channel: int | None = None
    gives: Literal["auto", "logits", "probabilities"] = "auto"
    custom: tuple[str, ...] = ()
    reads: tuple[float, ...] = ()
    float32: bool = False
    still: tuple[str, ...] = ()
    custom_code: str = ""
    colour: bool = False

    @property
    def channels(self) -> int:
        """Of the images that the network is given: 1 for grey, 3 for colours."""
        return 3 if self.colour else 1

    @property
    def name(self) -> str:
        """What a person calls the network: the name of its file, or the U-Net by its width."""
        return f"U-Net of {self.filters} filters" if self.path is None else self.path.rsplit("/", 1)[-1]


# Of `ModelConfig`: what only a network of one's own has, and what thaw finds out about it.
OF_OWN_NETWORKS = ("range", "output", "channel", "gives", "custom")
FOUND_OUT = ("file", "architecture", "reads", "float32", "still", "custom_code", "colour")


def model_mistakes(config: ModelConfig) -> Iterator[str]:
    """What keeps a network from being built, one sentence each; of one of your own, what is known without it."""
    yield from (_unet_mistakes if config.path is None else _own_network_mistakes)(config)
    if any(not patterns for patterns in config.blocks):
        yield '\'model.blocks\' must hold lists of patterns, such as [["conv1_*"], ["*"]], but one of them is empty.'
    for key in FOUND_OUT:
        if getattr(config, key):
            source = "data.colour" if key == "colour" else "model.path"
            yield f"'model.{key}' is found out by thaw, from {source}: leave it out."


def _unet_mistakes(config: ModelConfig) -> Iterator[str]:
    for key in OF_OWN_NETWORKS:
        if getattr(config, key) != getattr(ModelConfig, key):
            yield f"'model.{key}' is for a network of your own (model.path), but there is none: leave it out."
    if config.size < 32 or config.size % 16:
        yield f"'model.size' must be a multiple of 16 (four halvings) and at least 32, but got {config.size}."
    yield from at_least("model.filters", config.filters, 1)
    if not 0 <= config.dropout < 1:
        yield f"'model.dropout' must be in [0, 1), but got {config.dropout}."


def _own_network_mistakes(config: ModelConfig) -> Iterator[str]:
    if not str(config.path).strip():
        yield "'model.path' must name a .keras or .h5 file or models:/name@alias, but it is empty."
    yield from at_least("model.size", config.size, 1)
    if config.channel is not None:
        yield from at_least("model.channel", config.channel, 0)


@dataclass(frozen=True)
class DataConfig:
    """Which cases. `path=None` is the embedded synthetic default; `images` draws at most that many, 0 uses all.

    `foreground`: the values of the masks that are the object (numbers, colours, names of `dataset.json`, or `nonzero`),
    where the masks themselves do not say; `ignore`: the values whose pixels take no part. `invert`: the masks mark the
    background. `fill`: they are outlines, and what these enclose is the object (`trainer.data.masks.rule`).

    Folds keep patients whole where they are known: from `patient`, a regular expression whose first group is found in
    each case's name, or from `patients`, a CSV file with `image_column` and `patient_column` (`trainer.data.patients`).

    `intensity`: which values are black and white, where files do not say it: decided from all images together (`set`),
    by the type of each `file`, or each `image` stretched by itself; `range` says the values (`trainer.data.intensity`).

    `colour`: images keep red, green and blue, for a network of one's own that reads them; else they become grey.

    `axis`: along which volumes are cut into slices, 0 (sagittal), 1 (coronal) or 2 (axial); -1 is that of the widest
    spacing (`trainer.data.pairing.volumes`). `names="hide"` numbers cases and classes, so that no name is recorded.

    `path` may also be a table of images and masks (`trainer.data.pairing.case_table`), with `mask_column` and
    `class_column` too, or a pattern with wildcards; `masks` is then the pattern of the masks, or beside a folder their
    folder. `part` takes one part of a set that is divided, such as `train`; `layout` names the layout where two fit.
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
    intensity: Literal["set", "file", "image"] = "set"
    range: tuple[float, ...] = ()
    axis: int = -1
    names: Literal["keep", "hide"] = "keep"
    mask_column: str = "mask"
    class_column: str = "class"
    masks: str = ""
    part: str = ""
    layout: str = ""
    foreground: tuple[int | str, ...] = ()
    ignore: tuple[int | str, ...] = ()
    invert: bool = False
    fill: bool = False
    colour: bool = False


# Of `DataConfig`: what says how files are read, and nothing of the embedded images.
OF_OWN_IMAGES = ("masks", "part", "layout", "foreground", "ignore", "invert", "fill", "range", "colour")


def data_mistakes(config: DataConfig) -> Iterator[str]:
    """What is wrong with `[data]`, one sentence each."""
    yield from is_named("data.path", config.path)
    for key in OF_OWN_IMAGES if config.path is None else ():
        if getattr(config, key) != getattr(DataConfig, key):
            yield f"'data.{key}' is for images of your own (data.path), but none are given. Give them, or leave it out."
    yield from at_least("data.images", config.images, 0)
    yield from is_seed("data.seed", config.seed)
    yield from _range_mistakes(config)
    if both := sorted({*map(str, config.foreground)} & {*map(str, config.ignore)}):
        yield f"'data.foreground' and 'data.ignore' must not share a value, but both hold {', '.join(both)}."
    if "nonzero" in config.foreground and len(config.foreground) > 1:
        yield "'data.foreground' must be 'nonzero' or a list of values, but got both."
    if config.axis not in (-1, 0, 1, 2):
        yield f"'data.axis' must be 0, 1 or 2, or -1 for the axis of the widest spacing, but got {config.axis}."


def _range_mistakes(config: DataConfig) -> Iterator[str]:
    given = list(config.range)
    if given and (len(given) != 2 or not given[0] < given[1]):
        yield f"'data.range' must be the values that are black and white, such as [0, 4095], but got {given}."
    elif given and config.intensity != "set":
        yield (
            f"'data.range' says which values are black and white, so 'data.intensity' must be 'set', but got "
            f"{config.intensity!r}. Leave one out."
        )


@dataclass(frozen=True)
class AugmentConfig:
    """Augmentation of the training part. `total`: images after it, originals included, were all cases trained on.

    A training part of n_train of n cases becomes round(total * n_train / n) images; 0 or fewer than n adds none.
    Ranges are symmetric: degrees for `rotation` and `shear`, fractions of the side for `shift` and of 1 for `zoom`.
    `order="leaky"` measures every trial a second time with all images augmented *before* they are split, so that copies
    of one image are trained on and scored; the report prints by how much that inflates the score, and decides nothing
    with it (docs/protocol.md, "split and augmentation").
    """

    total: int = 0
    rotation: float = 10.0
    shear: float = 5.0
    shift: float = 0.05
    zoom: float = 0.10
    flip: bool = True
    order: Literal["split-first", "leaky"] = "split-first"


def augmentation_mistakes(config: AugmentConfig) -> Iterator[str]:
    """What is wrong with `[augmentation]`, one sentence each."""
    yield from at_least("augmentation.total", config.total, 0)
    yield from within("augmentation.rotation", config.rotation, 0, 180, " degrees")
    yield from within("augmentation.shear", config.shear, 0, 45, " degrees")
    yield from within("augmentation.shift", config.shift, 0, 0.5)
    yield from within("augmentation.zoom", config.zoom, 0, 0.5)
    if config.order == "leaky" and config.total < 1:
        yield "'augmentation.order' is 'leaky', but nothing is augmented: set 'augmentation.total'."


@dataclass(frozen=True)
class PartitionConfig:
    """What a mask's numbers count. `unit`: blocks between resolution changes (docs/design.md, Words), or convolutions.

    `head`: the last layer with weights (the 1x1 head) trains with the `last` unit, `always` (whatever the mask), or is
    a unit of its `own` behind the others.
    """

    unit: Literal["block", "conv"] = "block"
    head: Literal["last", "always", "own"] = "last"


def partition_mistakes(config: PartitionConfig) -> Iterator[str]:
    """What is wrong with `[partition]`, one sentence each."""
    if config.unit == "conv" and config.head == "own":
        yield (
            "'partition.head' must be 'last' or 'always' where 'partition.unit' is 'conv', but got 'own': as a 19th "
            "unit the head would move the middle of the network, and contracting would no longer be 1-9."
        )


@dataclass(frozen=True)
class TrainConfig:
    """How every fold is trained; the epoch count and the learning rate belong to the candidate.

    `batch_norm` is what batch normalisation does in frozen blocks: `frozen` keeps its statistics, as Keras does with a
    frozen layer; `adapt` lets them follow the training images, while its scale and offset stay. In thawed blocks it
    trains like any other layer.

    `tune`: what of a thawed block trains: `all` of it, the scales and offsets of its normalisations (`norm`), its
    offsets alone (`bias`, those of normalisations among them), or an update of its kernels that has at most the rank
    `lora_rank` (`lora`). `rate_decay`: by what the rate of each block is multiplied for every block that lies behind
    it, towards the output; 1 is one rate for all (Howard and Ruder 2018, discriminative fine-tuning).

    `schedule`: the mask trains `at-once`, or `head-first`: the last layer with weights alone for `head_epochs` epochs,
    then the mask for the rest of the budget (Kumar et al. 2022). The default rank is that of Zhang and Liu 2023, who
    adapt a network to medical images.

    `precision`: how the network computes, in pre-training and scoring too; weights, loss and optimizer are float32 in
    any. `tf32` rounds the factors of products to 10 bits, on NVIDIA's cards alone; `bfloat16` keeps activations in half
    the memory, with 7 bits.
    """

    loss: Literal["bce", "bce+dice"] = "bce+dice"
    batch: int = 16
    batch_norm: Literal["frozen", "adapt"] = "frozen"
    deterministic: bool = True
    precision: Precision = "float32"
    tune: Tune = "all"
    rate_decay: float = 1.0
    lora_rank: int = 4
    schedule: Schedule = "at-once"
    head_epochs: int = 3


def train_mistakes(config: TrainConfig) -> Iterator[str]:
    """What is wrong with `[train]`, one sentence each."""
    yield from at_least("train.batch", config.batch, 1)
    yield from at_least("train.lora_rank", config.lora_rank, 1)
    yield from at_least("train.head_epochs", config.head_epochs, 1)
    if not SMALLEST_DECAY <= config.rate_decay <= 1:
        yield decay_rule("train.rate_decay", config.rate_decay)


def decay_rule(key: str, given: object) -> str:
    """What to say of a decay that is none."""
    return f"'{key}' must be from {SMALLEST_DECAY:g} to 1 (one rate for all blocks), but got {given}."


@dataclass(frozen=True)
class ScoreConfig:
    """How distances between boundaries are scored; they decide nothing.

    `tolerance`: how far a boundary may lie from the other and still count as found (normalised surface Dice), in the
    unit of the sweep's distances: mm where the spacing of all images is known, else pixels of the working size. None:
    2 mm, or 1 pixel.
    """

    tolerance: float | None = None

    def tolerance_in(self, unit: DistanceUnit) -> float:
        """The tolerance of a sweep whose distances are in `unit`."""
        return DEFAULT_TOLERANCE[unit] if self.tolerance is None else self.tolerance


def score_mistakes(config: ScoreConfig) -> Iterator[str]:
    """What is wrong with `[score]`, one sentence each."""
    if config.tolerance is not None:
        yield from at_least("score.tolerance", config.tolerance, 0)


@dataclass(frozen=True)
class PretrainConfig:
    """Pre-training on other images. `path`, `masks`: images as `DataConfig` takes them; a weights file; `composites`
    (photographs on textures) or `phantoms` (simulated breast ultrasound), drawn here.

    None stands for composites, too, but not for a network of your own (`model.path`): that starts from its own weights.
    `names`: as `DataConfig` has it.
    """

    path: str | None = None
    images: int = 0
    epochs: int = 12
    batch: int = 16
    learning_rate: float = 1e-3
    loss: Literal["bce", "bce+dice"] = "bce+dice"
    validation: float = 0.1
    seed: int = 0
    masks: str = ""
    names: Literal["keep", "hide"] = "keep"


def pretrain_mistakes(config: PretrainConfig) -> Iterator[str]:
    """What is wrong with `[pretrain]`, one sentence each."""
    yield from is_named("pretrain.path", config.path)
    if config.images < 0 or config.images == 1:
        yield f"'pretrain.images' must be 0 (all) or at least 2, but got {config.images}."
    yield from at_least("pretrain.epochs", config.epochs, 1)
    yield from at_least("pretrain.batch", config.batch, 1)
    if not 0 < config.learning_rate <= LARGEST_RATE:
        yield f"'pretrain.learning_rate' must be positive, but got {config.learning_rate}."
    if not 0 < config.validation < 1:
        yield f"'pretrain.validation' must be between 0 and 1, but got {config.validation}."
    yield from is_seed("pretrain.seed", config.seed)


@dataclass(frozen=True)
class Settings:
    """Everything that a score depends on besides the candidate, the images and the starting weights."""

    model: ModelConfig = field(default_factory=ModelConfig)
    data: DataConfig = field(default_factory=DataConfig)
    augmentation: AugmentConfig = field(default_factory=AugmentConfig)
    partition: PartitionConfig = field(default_factory=PartitionConfig)
    train: TrainConfig = field(default_factory=TrainConfig)
    pretrain: PretrainConfig = field(default_factory=PretrainConfig)
    folds: int = 5
    seed: int = 0
    score: ScoreConfig = field(default_factory=ScoreConfig)


def settings_mistakes(settings: Settings) -> Iterator[str]:
    """What is wrong with any section, one sentence each: the key, the rule, what was given."""
    yield from model_mistakes(settings.model)
    yield from data_mistakes(settings.data)
    yield from augmentation_mistakes(settings.augmentation)
    yield from partition_mistakes(settings.partition)
    yield from train_mistakes(settings.train)
    yield from pretrain_mistakes(settings.pretrain)
    yield from score_mistakes(settings.score)
    yield from at_least("folds", settings.folds, 2)
    yield from is_seed("seed", settings.seed)
    if settings.data.colour and settings.model.path is None:
        yield (
            "'data.colour' must be false for the built-in U-Net, which reads grey images, but got true. Give a network "
            "of your own that reads three channels (model.path), or leave it out."
        )
    if settings.model.blocks and settings.partition.unit == "conv":
        yield "'partition.unit' must be 'block' where 'model.blocks' says which layers each block has, but got 'conv'."


def train_config(config: TrainConfig, candidate: Candidate) -> TrainConfig:
    """How a candidate is trained: the sweep's settings with the candidate's own in their place."""
    return replace(config, **dict(candidate.train))  # type: ignore[arg-type]  # checked by the spec


def identity_of_model(model: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of `[model]`, as a table, that numbers depend on: of a file its layers, never where it lies."""
    # `reads` is what became of `range`; a module's code counts, not its name
    idle = {"path", "file", "range", "custom", *(("filters", "dropout") if model.get("path") else ("architecture",))}
    kept = {name: value for name, value in fields_in_key(model, ModelConfig).items() if name not in idle}
    return kept | ({"blocks": [list(patterns) for patterns in kept["blocks"]]} if "blocks" in kept else {})


def own_weights(config: PretrainConfig, model: ModelConfig) -> bool:
    """Whether fine-tuning starts from the weights in the network's own file, and nothing is pre-trained."""
    return model.path is not None and config.path is None

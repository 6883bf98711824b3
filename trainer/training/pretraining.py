"""The weights that fine-tuning starts from: trained on other images once, or read from a file, and kept by content."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from trainer import arithmetic
from trainer.channels import in_channels
from trainer.config import (
    COMPOSITES,
    PHANTOMS,
    WEIGHT_FILES,
    DataConfig,
    ModelConfig,
    Precision,
    PretrainConfig,
    identity_of_model,
    own_weights,
)
from trainer.data.cases import Cases, load_cases
from trainer.errors import UserError
from trainer.files import write_atomically
from trainer.keys import digest, fields_in_key
from trainer.network.precision import compute_in
from trainer.network.user_model import load_start, network_of
from trainer.network.weights import arrays_digest, weights_digest, write_weights
from trainer.phantoms.composites import TRAINING_PHOTOS, VALIDATION_PHOTOS, composites
from trainer.results import IGNORED
from trainer.training.device import in_key
from trainer.training.losses import loss_named
from trainer.training.metrics import score
from trainer.training.steps.batches import batches
from trainer.training.steps.contract import Steps
from trainer.training.steps.engine import steps_of
from trainer.training.versions import versions

EMBEDDED_IMAGES = 1600
EXAMPLES = 6  # images pre-trained on that a report shows
PHANTOM_SEED = 1_000_000  # far from those of the phantoms that people fine-tune on
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Images:
    """Images (n, size, size[, 3]) in [0, 1] and masks {0, 1} to pre-train on; those held out choose the epoch."""

    train_x: NDArray[np.float32]
    train_y: NDArray[np.uint8]
    held_x: NDArray[np.float32]
    held_y: NDArray[np.uint8]
    source: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class StartingWeights:
    """Weights that fine-tuning starts from: the file, the digest of the numbers in it, where they come from.

    `curve` holds one row per epoch of pre-training, empty for weights that somebody else trained; `examples` are a few
    of the images pre-trained on with their masks, (k, size, size) each, to look at; colours lie behind.
    """

    path: Path
    digest: str
    source: str
    curve: tuple[dict[str, float], ...] = ()
    best_epoch: int = 0
    notes: tuple[str, ...] = ()
    examples: tuple[NDArray[np.float32], NDArray[np.uint8]] | None = field(default=None, compare=False)


def starting_weights(
    config: PretrainConfig,
    model: ModelConfig,
    cache: Path,
    data_cache: Path,
    progress: Progress,
    precision: Precision = "float32",
) -> StartingWeights:
    """Find the weights for a sweep: a given file, or pre-training, done once and kept under `cache` by content.

    A network of your own starts from the weights in its file, unless pre-training is asked for; that starts from them.
    `progress(done, total, words)` is called once an epoch. `precision` as in `TrainConfig`.
    Raises `UserError` for weights of another network.
    """
    if config.path is not None and config.path.endswith(WEIGHT_FILES):
        return _from_file(Path(config.path), model)
    network = network_of(model, config.seed)
    if own_weights(config, model):
        path = cache / f"{model.architecture}-{weights_digest(network)[:16]}.weights.h5"
        if not path.exists():
            write_weights(network, path)
        return StartingWeights(path, weights_digest(network), f"weights of {model.name}")
    images = _images(config, model, data_cache)
    key = pretraining_key(config, model, network, images, precision)
    path, record = cache / f"{key}.weights.h5", cache / f"{key}.json"
    if not (path.exists() and record.exists()):
        curve, best = _train(config, network, images, precision, progress)
        write_weights(network, path)
        found = StartingWeights(path, weights_digest(network), images.source, curve, best, images.notes)
        plain = asdict(found) | {"path": path.name}
        write_atomically(record, lambda file: file.write(json.dumps(plain, indent=1).encode()))
    stored = json.loads(record.read_text())
    return StartingWeights(
        path,
        stored["digest"],
        stored["source"],
        tuple(stored["curve"]),
        stored["best_epoch"],
        tuple(stored["notes"]),
        (images.train_x[:EXAMPLES], images.train_y[:EXAMPLES]),
    )


def pretraining_key(
    config: PretrainConfig,
    model: ModelConfig,
    network: keras.Model,
    images: Images,
    precision: Precision = "float32",
) -> str:
    """Digest of everything that pre-trained weights depend on, 16 hex digits; the images by content."""
    identity = identity_of_model(asdict(replace(model, blocks=())))
    if model.path is not None:
        identity["weights"] = weights_digest(network)
    settings = fields_in_key(asdict(config), PretrainConfig)
    return digest(
        {
            "model": identity,
            "pretrain": {name: value for name, value in settings.items() if name not in ("path", "masks")},
            "images": arrays_digest([images.train_x, images.train_y, images.held_x, images.held_y]),
            "versions": versions(),
            "arithmetic": arithmetic.PRETRAINING,
        }
        | ({} if precision == "float32" else {"computed in": precision})
        | in_key()
    )[:16]


def _from_file(path: Path, model: ModelConfig) -> StartingWeights:
    network = network_of(model)
    load_start(network, model, path)
    return StartingWeights(path, weights_digest(network), f"weights file {path.name}")


def _images(config: PretrainConfig, model: ModelConfig, data_cache: Path) -> Images:
    """The images to pre-train on; the held-out tenth shares no photograph with the rest.

    Composites are grey: a network that is given colours gets three equal channels.
    """
    size = model.size
    if config.path in (None, COMPOSITES):
        n = config.images or EMBEDDED_IMAGES
        kept = max(1, round(n * config.validation))
        train_x, train_y, _ = composites(n - kept, size, config.seed, photos=TRAINING_PHOTOS)
        held_x, held_y, _ = composites(kept, size, config.seed + 1, photos=VALIDATION_PHOTOS)
        source = f"{n} synthetic composites of {len(TRAINING_PHOTOS) + len(VALIDATION_PHOTOS)} photographs"
        if model.colour:
            train_x, held_x = in_channels(train_x, model.channels), in_channels(held_x, model.channels)
        return Images(train_x, train_y, held_x, held_y, source)
    cases = pretraining_cases(config, model, data_cache)
    shuffled = np.random.default_rng(config.seed).permutation(len(cases.names))
    held, train = np.split(shuffled, [max(1, round(len(shuffled) * config.validation))])
    if not len(train):
        raise UserError(f"Pre-training needs at least two images, but {config.path} holds {len(cases.names)}.")
    parts = cases.images[train], cases.masks[train], cases.images[held], cases.masks[held]
    return Images(*parts, f"{len(shuffled)} images of {cases.source}", (*cases.readings, *cases.notes))


def pretraining_cases(config: PretrainConfig, model: ModelConfig, data_cache: Path) -> Cases:
    """The images of a folder, or phantoms, to pre-train on. Settings of `[data]` are about other files, and do not
    reach them. Raises `UserError` where they cannot be read.
    """
    if config.path == PHANTOMS:
        if Path(PHANTOMS).is_dir():
            raise UserError(
                f"'{PHANTOMS}' stands for simulated images, but there is a folder of that name here, too: write "
                f"./{PHANTOMS} for the folder, or start thaw from another one."
            )
        return phantoms(config, model, data_cache)
    data = DataConfig(
        path=config.path,
        masks=config.masks,
        images=config.images,
        seed=config.seed,
        names=config.names,
        colour=model.colour,
    )
    try:
        return load_cases(data, model.size, data_cache, grouped=False)
    except UserError as error:
        raise UserError(
            f"{error} This is about the images to pre-train on ({config.path}): settings under 'data.' are of the "
            "others, so these must be readable without, as files of 8 bits are."
        ) from error


def phantoms(config: PretrainConfig, model: ModelConfig, data_cache: Path) -> Cases:
    """Simulated breast ultrasound, none of which is ever fine-tuned on: drawn from seeds of its own. They are grey: a
    network that is given colours gets three equal channels.
    """
    data = DataConfig(images=config.images or EMBEDDED_IMAGES, seed=PHANTOM_SEED + config.seed)
    cases = load_cases(data, model.size, data_cache)
    return replace(cases, images=in_channels(cases.images, model.channels)) if model.colour else cases


def _train(
    config: PretrainConfig, network: keras.Model, images: Images, precision: Precision, progress: Progress
) -> tuple[tuple[dict[str, float], ...], int]:
    """Train all blocks; keep the epoch with the best held-out Dice (the first of equals)."""
    ignoring = bool((images.train_y == IGNORED).any())
    compute_in(network, precision)
    _, steps = steps_of(network)
    steps.compile(keras.optimizers.Adam(config.learning_rate), loss_named(config.loss, ignoring=ignoring))
    curve: list[dict[str, float]] = []
    best = network.get_weights()
    progress(0, config.epochs, "pre-training")
    for epoch in range(config.epochs):
        order = np.stack(list(batches(len(images.train_x), config.batch, (config.seed,), epoch)))
        run = steps.epoch(images.train_x, images.train_y, order)
        for _ in order:
            run.step()
        mean_loss = sum(run.losses()) / len(order)
        steps.settle()
        if not math.isfinite(mean_loss):
            raise UserError(
                f"Pre-training diverged: the loss became {mean_loss} in epoch {epoch + 1}. "
                f"pretrain.learning_rate must be smaller than {config.learning_rate:g}."
            )
        held = _mean_dice(steps, images)
        curve.append({"epoch": epoch + 1, "loss": mean_loss, "held_out_dice": held})
        if held > max((row["held_out_dice"] for row in curve[:-1]), default=-1.0):
            best = network.get_weights()
        progress(epoch + 1, config.epochs, f"pre-training, held-out Dice {held:.3f}")
    network.set_weights(best)
    return tuple(curve), int(np.argmax([row["held_out_dice"] for row in curve])) + 1 if curve else 0


def _mean_dice(steps: Steps, images: Images) -> float:
    predicted = steps.predict(images.held_x, lambda: None)
    dices = [score("", "", truth, p).dice for truth, p in zip(images.held_y, predicted, strict=True)]
    return float(np.nanmean(dices))

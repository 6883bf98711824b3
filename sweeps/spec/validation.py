"""What a spec may say: the rules over all of its sections that types cannot express."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import get_args, get_type_hints

from sweeps.spec.search_section import (
    LARGEST_RATE,
    LARGEST_SEED,
    Search,
    neuron_mistakes,
    norm_rules,
    search_mistakes,
    unit_rules,
)
from trainer.config import PartitionConfig, Settings, model_mistakes
from trainer.errors import UserError

N_BLOCKS, N_CONVOLUTIONS = 9, 18  # of the built-in U-Net, its head not counted


def rules(search: Search, settings: Settings) -> Iterator[str]:
    """Every broken rule as one sentence: the key, the rule, what was given.

    What depends on the number of blocks waits for `unit_rules` where a network must be looked at first.
    """
    yield from search_mistakes(search)
    units = units_of(settings)
    if units is not None:
        yield from unit_rules(search, units)
    if settings.model.path is None:
        yield from norm_rules(search, has_norm=False)
    yield from neuron_mistakes(search, None if units is None else N_BLOCKS)
    yield from model_mistakes(settings.model)
    yield from _table_mistakes(settings)
    for key, number, low in (
        ("folds", settings.folds, 2),
        ("train.batch", settings.train.batch, 1),
        ("pretrain.batch", settings.pretrain.batch, 1),
        ("pretrain.epochs", settings.pretrain.epochs, 1),
        ("data.images", settings.data.images, 0),
        ("augmentation.total", settings.augmentation.total, 0),
    ):
        if number < low:
            yield f"'{key}' must be at least {low}, but got {number}."
    yield from _partition_mistakes(settings.partition)
    if settings.augmentation.order == "leaky" and settings.augmentation.total < 1:
        yield "'augmentation.order' is 'leaky', but nothing is augmented: set 'augmentation.total'."
    if settings.augmentation.order == "leaky" and search.proposes:
        yield f"'augmentation.order' = 'leaky' repeats the trials of a grid, but the strategy is '{search.strategy}'."
    if settings.pretrain.images < 0 or settings.pretrain.images == 1:
        yield f"'pretrain.images' must be 0 (all) or at least 2, but got {settings.pretrain.images}."
    for key, seed in (
        ("seed", settings.seed),
        ("data.seed", settings.data.seed),
        ("pretrain.seed", settings.pretrain.seed),
    ):
        if not 0 <= seed < LARGEST_SEED:
            yield f"'{key}' must be from 0 to {LARGEST_SEED - 1}, but got {seed}."
    for key, share in (
        ("augmentation.shift", settings.augmentation.shift),
        ("augmentation.zoom", settings.augmentation.zoom),
    ):
        if not 0 <= share <= 0.5:
            yield f"'{key}' must be from 0 to 0.5, but got {share}."
    for key, degrees, most in (
        ("augmentation.rotation", settings.augmentation.rotation, 180),
        ("augmentation.shear", settings.augmentation.shear, 45),
    ):
        if not 0 <= degrees <= most:
            yield f"'{key}' must be from 0 to {most} degrees, but got {degrees}."
    if not 0 < settings.pretrain.validation < 1:
        yield f"'pretrain.validation' must be between 0 and 1, but got {settings.pretrain.validation}."
    if not 0 < settings.pretrain.learning_rate <= LARGEST_RATE:
        yield f"'pretrain.learning_rate' must be positive, but got {settings.pretrain.learning_rate}."
    for key, path in (("data.path", settings.data.path), ("pretrain.path", settings.pretrain.path)):
        if path is not None and not path.strip():
            yield f"'{key}' must name a folder or file, but it is empty. Leave it out for the synthetic pictures."


def refuse(name: str, mistakes: Iterable[str]) -> None:
    """Raise one `UserError` that lists all mistakes of a spec, if there are any."""
    if listed := "\n".join(f"  - {mistake}" for mistake in mistakes):
        raise UserError(f"The spec '{name}' cannot be used:\n{listed}")


def partition_of(unit: str, head: str) -> PartitionConfig:
    """What a mask's numbers count, from two words; raises `UserError` for a word that is none or a bad pair."""
    config = PartitionConfig(unit, head)  # type: ignore[arg-type]  # checked next
    for name, word in asdict(config).items():
        known = get_args(get_type_hints(PartitionConfig)[name])
        if word not in known:
            raise UserError(f"--{name} must be one of {', '.join(known)}, but got '{word}'.")
    for mistake in _partition_mistakes(config):
        raise UserError(mistake)
    return config


def _partition_mistakes(config: PartitionConfig) -> Iterator[str]:
    if config.unit == "conv" and config.head == "own":
        yield (
            "'partition.head' must be 'last' or 'always' where 'partition.unit' is 'conv', but got 'own': as a 19th "
            "unit the head would move the middle of the network, and contracting would no longer be 1-9."
        )


def _table_mistakes(settings: Settings) -> Iterator[str]:
    model = settings.model
    if model.blocks and settings.partition.unit == "conv":
        yield "'partition.unit' must be 'block' where 'model.blocks' says which layers each block has, but got 'conv'."
    if any(not patterns for patterns in model.blocks):
        yield '\'model.blocks\' must hold lists of patterns, such as [["conv1_*"], ["*"]], but one of them is empty.'
    for key, value in (("file", model.file), ("architecture", model.architecture)):
        if value:
            yield f"'model.{key}' is found out by thaw, from model.path: leave it out."


def units_of(settings: Settings) -> int | None:
    """How many units a mask chooses among; None for what only a look at the network tells."""
    if settings.model.path is not None or settings.model.blocks:
        return None
    config = settings.partition
    return {"block": N_BLOCKS, "conv": N_CONVOLUTIONS}[config.unit] + (config.head == "own")

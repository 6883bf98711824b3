"""What a spec may say: the rules over all of its sections that types cannot express."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import get_args, get_type_hints

from sweeps.spec.search_section import Search, neuron_mistakes, norm_rules, search_mistakes, unit_rules
from sweeps.spec.starts import start_mistakes
from sweeps.spec.strategy_names import ENDING
from sweeps.spec.tuning_rules import tuning_mistakes
from trainer.config import PartitionConfig, Settings, partition_mistakes, settings_mistakes
from trainer.errors import UserError

N_BLOCKS, N_CONVOLUTIONS = 9, 18  # of the built-in U-Net, its head not counted


def rules(search: Search, settings: Settings) -> Iterator[str]:
    """Every broken rule as one sentence: the key, the rule, what was given.

    The rules of a section stand below its dataclass; here are those between sections. What depends on the number of
    blocks waits for `unit_rules` where a network must be looked at first.
    """
    yield from search_mistakes(search)
    units = units_of(settings)
    if units is not None:
        yield from unit_rules(search, units)
    yield from neuron_mistakes(search, None if units is None else N_BLOCKS)
    if settings.model.path is None:
        yield from norm_rules(search, settings.train, has_norm=False)
    yield from settings_mistakes(settings)
    yield from start_mistakes(search, settings)
    yield from tuning_mistakes(search, settings.train)
    if settings.augmentation.order == "leaky" and search.proposes:
        yield f"'augmentation.order' = 'leaky' repeats the trials of a grid, but the strategy is '{search.strategy}'."
    if settings.augmentation.order == "leaky" and search.images:
        yield (
            "'augmentation.order' = 'leaky' scores copies of what was trained on, where a smaller labelled set means "
            f"nothing, but 'search.images' is {list(search.images)}: leave one out."
        )


def outer_mistakes(outer: object, search: Search) -> Iterator[str]:
    """What is wrong with `outer`, the parts of a nested cross-validation, one sentence each."""
    if type(outer) is not int or outer < 0 or outer == 1:
        yield f"'outer' must be 2 or more parts, each held out once, or 0 for none, but got {outer!r}."
    elif outer and search.proposes and search.strategy not in ENDING and not (search.trials or search.trainings):
        yield (
            "'outer' repeats the search without each part of the images, so its budget must be 'search.trials' or "
            "'search.trainings': hours (--max-hours) are no measure that every search can keep to."
        )


def refuse(name: str, mistakes: Iterable[str]) -> None:
    """Raise one `UserError` that lists all mistakes of a spec, if there are any."""
    if lines := "\n".join(f"  - {mistake}" for mistake in mistakes):
        raise UserError(f"The spec '{name}' cannot be used:\n{lines}")


def partition_of(unit: str, head: str) -> PartitionConfig:
    """What a mask's numbers count, from two words; raises `UserError` for a word that is none or a bad pair."""
    config = PartitionConfig(unit, head)  # type: ignore[arg-type]  # checked next
    for name, word in asdict(config).items():
        allowed = get_args(get_type_hints(PartitionConfig)[name])
        if word not in allowed:
            raise UserError(f"--{name} must be one of {', '.join(allowed)}, but got '{word}'.")
    for mistake in partition_mistakes(config):
        raise UserError(mistake)
    return config


def units_of(settings: Settings) -> int | None:
    """How many units a mask chooses among; None for what only a look at the network tells."""
    if settings.model.path is not None or settings.model.blocks:
        return None
    config = settings.partition
    return {"block": N_BLOCKS, "conv": N_CONVOLUTIONS}[config.unit] + (config.head == "own")

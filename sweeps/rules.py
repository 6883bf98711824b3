"""What a spec may say: the search settings, and the rules that types cannot express."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from typing import Literal, get_args, get_type_hints

from trainer.config import PartitionConfig, Settings, UserError, model_mistakes
from trainer.masks import ORDERS, parse

N_BLOCKS, N_CONVOLUTIONS = 9, 18  # of the built-in U-Net, its head not counted
LARGEST_SEED = 2**32 - 1  # what NumPy and Keras take
LARGEST_EPOCHS = 100_000
SMALLEST_RATE, LARGEST_RATE = 1e-9, 1e3


@dataclass(frozen=True)
class Search:
    """What to try. `space="orders"`: every depth of `orders`; `"masks"`: the listed `masks`; next to ordinal `epochs`
    and `learning_rate`. `strategy="grid"` works the whole list off; `tpe` and `random` propose `trials` candidates.
    `neurons` are blocks of which one neuron each is drawn before and after every trial. `seeds` repeats every trial
    once per training seed, on the same folds; empty: once, with the spec's `seed`.
    """

    space: Literal["orders", "masks"] = "orders"
    orders: tuple[str, ...] = ("shallow-first", "deep-first")
    masks: tuple[str, ...] = ()
    epochs: tuple[int, ...] = (12,)
    learning_rate: tuple[float, ...] = (1e-3,)
    strategy: Literal["grid", "tpe", "random"] = "grid"
    trials: int = 0
    neurons: tuple[int, ...] = ()
    seeds: tuple[int, ...] = ()


def rules(search: Search, settings: Settings) -> Iterator[str]:
    """Every broken rule as one sentence: the key, the rule, what was given."""
    yield from _search_mistakes(search, units_of(settings.partition))
    yield from model_mistakes(settings.model)
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
    if settings.augmentation.order == "leaky" and search.strategy != "grid":
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


def units_of(config: PartitionConfig) -> int:
    """How many units a mask of the built-in U-Net chooses among."""
    return {"block": N_BLOCKS, "conv": N_CONVOLUTIONS}[config.unit] + (config.head == "own")


def _search_mistakes(search: Search, units: int) -> Iterator[str]:
    epochs = list(search.epochs)
    if not epochs or epochs[0] < 1 or epochs != sorted(set(epochs)) or epochs[-1] > LARGEST_EPOCHS:
        yield f"'search.epochs' must be rising whole numbers from 1 on, but got {epochs}."
    rates = list(search.learning_rate)
    if not rates or not all(SMALLEST_RATE <= rate <= LARGEST_RATE for rate in rates) or len(set(rates)) < len(rates):
        limits = f"{SMALLEST_RATE:g} to {LARGEST_RATE:g}"
        yield f"'search.learning_rate' must be distinct positive numbers, {limits}, but got {rates}."
    if search.space == "orders":
        yield from _order_mistakes(search)
    else:
        yield from _mask_mistakes(search, units)
    if not set(search.neurons) <= set(range(1, N_BLOCKS + 1)) or len(set(search.neurons)) < len(search.neurons):
        yield f"'search.neurons' must be distinct block numbers from 1 to {N_BLOCKS}, but got {list(search.neurons)}."
    if len(set(search.seeds)) < len(search.seeds) or not all(0 <= seed < LARGEST_SEED for seed in search.seeds):
        yield f"'search.seeds' must be distinct numbers from 0 to {LARGEST_SEED - 1}, but got {list(search.seeds)}."
    if search.strategy != "grid" and len(search.seeds) > 1:
        yield f"'search.seeds' repeats the trials of a grid; '{search.strategy}' takes one seed: leave it out."
    if search.strategy != "grid" and search.trials < 1:
        yield f"'search.trials' must say how many candidates '{search.strategy}' may propose, but got {search.trials}."


def _order_mistakes(search: Search) -> Iterator[str]:
    for order in search.orders:
        if order not in ORDERS:
            near = get_close_matches(order, ORDERS, n=1)
            hint = f"; did you mean '{near[0]}'?" if near else "."
            yield f"'search.orders': unknown order '{order}'{hint} Known: {', '.join(ORDERS)}."
    if not search.orders:
        yield "'search.orders' is empty: name at least one order."


def _mask_mistakes(search: Search, units: int) -> Iterator[str]:
    if not search.masks:
        yield '\'search.masks\' is empty: list at least one mask, for instance masks = ["1-5", "6-9"].'
    seen: dict[str, str] = {}
    for text in search.masks:
        try:
            written = str(parse(text, units))
        except UserError as error:
            yield f"'search.masks': {error}"
            continue
        if written in seen:
            yield f"'search.masks' lists the same mask twice: '{seen[written]}' and '{text}' are both {written}."
        seen[written] = text

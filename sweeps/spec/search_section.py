"""What to try: the section `[search]` of a spec, and the rules that its types cannot express."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from difflib import get_close_matches
from typing import Literal, get_args, get_type_hints

from sweeps.spec.factorial_designs import design_mistakes
from sweeps.spec.strategy_names import ENDING, KERAS_TUNER, LISTS, PROPOSING
from trainer.candidate import TrainValue
from trainer.config import LARGEST_RATE, LARGEST_SEED, SMALLEST_DECAY, TrainConfig, decay_rule
from trainer.errors import UserError
from trainer.masks import ORDERS, parse

LARGEST_EPOCHS = 100_000
SMALLEST_RATE = 1e-9
FEWEST_IMAGES = 2  # labelled ones that a fold can be held out of
FEWEST_UNITS = 2  # with one there is nothing to choose: the only mask is all of it
Starts = tuple[tuple[str, str], ...]  # name -> what it is
SEARCHABLE = tuple(item.name for item in fields(TrainConfig) if item.name not in ("deterministic", "precision"))


@dataclass(frozen=True)
class Search:
    """What to try. `space="orders"`: every depth of `orders`; `"masks"`: the listed `masks`; `"subsets"`: every set of
    blocks; `"single"`: each block alone; next to ordinal `epochs` and `learning_rate` and the training settings in
    `train` (name in `[train]` -> values). Constraints: at most `max_blocks` blocks and `max_parameters` trainable
    parameters (0: any number), blocks that `must_train` or `must_freeze`.

    `strategy` (`sweeps.spec.strategy_names`): `grid` works the whole list off, `factorial` a designed part of it
    (`cells`), the others propose one candidate after the other within the budget: `trials` in all, `trainings` of a
    fold, `hours`; 0 sets no limit. `stop_early` drops a proposed candidate between two folds where it is clearly worse.
    `cost` is what `nsga2` weighs Dice against. `engine="keras-tuner"` lets KerasTuner search, with one worker.

    `starts`: what fine-tuning may start from, beside the mask (name -> `composites`, `phantoms`, a folder to pre-train
    on, a weights file, `own`, `scratch` or `random-frozen`); empty: what `[pretrain]` says. `start_seeds` repeats the
    pre-training, and every trial with it, once per seed (`sweeps.spec.starts`).

    `neurons` are blocks of which one neuron each is drawn before and after every trial. `seeds` repeats every trial
    once per training seed, on the same folds; empty: once, with the spec's `seed`. `images` repeats every trial as if
    so many images were labelled, scored on all of them; all are always measured, too.
    """

    space: Literal["orders", "masks", "subsets", "single"] = "orders"
    orders: tuple[str, ...] = ("shallow-first", "deep-first")
    masks: tuple[str, ...] = ()
    epochs: tuple[int, ...] = (12,)
    learning_rate: tuple[float, ...] = (1e-3,)
    train: tuple[tuple[str, tuple[TrainValue, ...]], ...] = ()
    max_blocks: int = 0
    max_parameters: int = 0
    must_train: tuple[int, ...] = ()
    must_freeze: tuple[int, ...] = ()
    engine: Literal["optuna", "keras-tuner"] = "optuna"
    strategy: Literal[
        "grid", "exhaustive", "factorial", "guided", "greedy", "tpe", "nsga2", "random", "qmc", "bayesian"
    ] = "grid"
    cells: int = 64
    cost: Literal["parameters", "seconds"] = "parameters"
    trials: int = 0
    trainings: int = 0
    hours: float = 0.0
    stop_early: bool = True
    neurons: tuple[int, ...] = ()
    seeds: tuple[int, ...] = ()
    starts: Starts = ()
    start_seeds: tuple[int, ...] = ()
    images: tuple[int, ...] = ()

    @property
    def proposes(self) -> bool:
        """Whether candidates are chosen as the search goes on, rather than listed beforehand."""
        return self.engine == "keras-tuner" or self.strategy not in LISTS

    @property
    def constrained(self) -> bool:
        """Whether some masks of the space are not allowed."""
        return bool(self.max_blocks or self.max_parameters or self.must_train or self.must_freeze)


def search_mistakes(search: Search) -> Iterator[str]:
    """The rules that hold for any network."""
    epochs = list(search.epochs)
    if not epochs or epochs[0] < 1 or epochs != sorted(set(epochs)) or epochs[-1] > LARGEST_EPOCHS:
        yield f"'search.epochs' must be rising whole numbers from 1 on, but got {epochs}."
    rates = list(search.learning_rate)
    if not rates or not all(SMALLEST_RATE <= rate <= LARGEST_RATE for rate in rates) or len(set(rates)) < len(rates):
        limits = f"{SMALLEST_RATE:g} to {LARGEST_RATE:g}"
        yield f"'search.learning_rate' must be distinct positive numbers, {limits}, but got {rates}."
    if search.space == "orders":
        yield from _order_mistakes(search)
    yield from _train_mistakes(search)
    if len(set(search.seeds)) < len(search.seeds) or not all(0 <= seed < LARGEST_SEED for seed in search.seeds):
        yield f"'search.seeds' must be distinct numbers from 0 to {LARGEST_SEED - 1}, but got {list(search.seeds)}."
    if search.proposes and search.seeds:
        yield f"'search.seeds' repeats the trials of a list; '{search.strategy}' takes one seed: leave it out."
    yield from _images_mistakes(search)
    yield from _strategy_mistakes(search)


def unit_rules(search: Search, units: int) -> Iterator[str]:
    """The rules that need to know how many units a mask of the network chooses among."""
    if units < FEWEST_UNITS:
        yield too_few_units(units)
        return
    if search.space == "masks":
        yield from _mask_mistakes(search, units)
    yield from _constraint_mistakes(search, units)
    if search.strategy == "factorial":
        yield from design_mistakes(units, search.cells)


def too_few_units(units: int) -> str:
    """Why a network cannot be searched, and what to do about it."""
    number = "none" if not units else "one"
    return (
        f"A mask must choose among at least two blocks, but this network has {number}: there is nothing to compare. "
        "A block ends where the resolution changes (pooling, strides, up-sampling). Say which layers each block has "
        "(model.blocks), or count every convolution (partition.unit=conv)."
    )


def norm_rules(search: Search, train: TrainConfig, *, has_norm: bool) -> Iterator[str]:
    """A policy that changes nothing is not searched: every trial would be paid twice."""
    if "batch_norm" in dict(search.train) and not has_norm:
        yield "'search.train.batch_norm' searches what this network does not have: batch normalisation. Leave it out."
    tuned = {"train.tune": (train.tune,), "search.train.tune": dict(search.train).get("tune", ())}
    for key, values in tuned.items():
        if "norm" in values and not has_norm:
            yield f"'{key}' = 'norm' tunes what this network does not have: normalisation. Leave it out."


def neuron_mistakes(search: Search, last: int | None) -> Iterator[str]:
    """`last`: the deepest block there is, None if it is not known yet; then what does not exist is left out later."""
    wrong = [block for block in search.neurons if block < 1 or (last is not None and block > last)]
    if wrong or len(set(search.neurons)) < len(search.neurons):
        known = f"from 1 to {last}" if last is not None else "from 1 on"
        yield f"'search.neurons' must be distinct block numbers {known}, but got {list(search.neurons)}."


def _images_mistakes(search: Search) -> Iterator[str]:
    """The rules of `search.images` that hold for any set; the others need the images (`sweeps.planning`)."""
    images = list(search.images)
    if images != sorted(set(images)) or any(size < FEWEST_IMAGES for size in images):
        yield f"'search.images' must be rising whole numbers from {FEWEST_IMAGES} on, but got {images}."
    if search.proposes and images:
        yield f"'search.images' repeats the trials of a list; '{search.strategy}' takes all images: leave it out."


def _strategy_mistakes(search: Search) -> Iterator[str]:
    strategies = KERAS_TUNER if search.engine == "keras-tuner" else (*LISTS, *PROPOSING)
    if search.strategy not in strategies:
        yield (
            f"'search.strategy' must be one of {', '.join(strategies)} where 'search.engine' is '{search.engine}', but "
            f"got '{search.strategy}'."
        )
    for key, number in (("trials", search.trials), ("trainings", search.trainings), ("hours", search.hours)):
        if number < 0:
            yield f"'search.{key}' must be at least 0 (no limit), but got {number}."
    if (search.trials or search.trainings) and not search.proposes:
        yield (
            f"'search.trials' and 'search.trainings' limit a search, but '{search.strategy}' works a list off to its "
            f"end: set them to 0, or choose one of {', '.join(PROPOSING)}. 'search.hours' (--max-hours) stops any."
        )
    has_limit = search.trials or search.trainings or search.hours
    if search.proposes and search.strategy not in ENDING and not has_limit:
        yield (
            f"'search.trials', 'search.trainings' or 'search.hours' must say how far '{search.strategy}' may go; "
            "without a limit it would measure the whole space."
        )
    if search.strategy == "factorial" and (search.constrained or search.space != "subsets"):
        yield (
            "'search.strategy' = 'factorial' measures a designed part of all sets of blocks: set search.space to "
            "subsets and leave max_blocks, max_parameters, must_train and must_freeze out."
        )


def _train_mistakes(search: Search) -> Iterator[str]:
    """The rules of `[search.train]`: it varies settings of `[train]`, each with distinct values of its own type."""
    kinds = get_type_hints(TrainConfig)
    for name, values in search.train:
        if name not in SEARCHABLE:
            yield f"'search.train.{name}' is no training setting that can be searched. Known: {', '.join(SEARCHABLE)}."
            continue
        if kinds[name] is float:
            yield from _decay_mistakes(name, values)
            continue
        allowed = get_args(kinds[name])
        right = [value in allowed if allowed else type(value) is kinds[name] for value in values]
        if not values or not all(right) or len(set(values)) < len(values):
            what = f"distinct values out of {', '.join(map(str, allowed))}" if allowed else "distinct whole numbers"
            yield f"'search.train.{name}' must be {what}, but got {list(values)}."
        elif kinds[name] is int and min(int(value) for value in values) < 1:
            yield f"'search.train.{name}' must be at least 1, but got {list(values)}."


def _decay_mistakes(name: str, values: tuple[TrainValue, ...]) -> Iterator[str]:
    """The rules of the one setting that is a fraction."""
    right = [isinstance(value, int | float) and SMALLEST_DECAY <= value <= 1 for value in values]
    if not values or not all(right) or len(set(values)) < len(values):
        yield decay_rule(f"search.train.{name}", list(values))


def _constraint_mistakes(search: Search, units: int) -> Iterator[str]:
    for key, number in (("max_blocks", search.max_blocks), ("max_parameters", search.max_parameters)):
        if number < 0:
            yield f"'search.{key}' must be at least 1, or 0 for no limit, but got {number}."
    for key, blocks in (("must_train", search.must_train), ("must_freeze", search.must_freeze)):
        if wrong := [block for block in blocks if not 1 <= block <= units]:
            yield f"'search.{key}' names blocks {wrong}, which do not exist. Blocks: 1-{units}."
    if in_both := sorted(set(search.must_train) & set(search.must_freeze)):
        yield f"Blocks {in_both} are in 'search.must_train' and in 'search.must_freeze': take them out of one."
    if 0 < search.max_blocks < len(set(search.must_train)):
        yield (
            f"'search.must_train' names {len(set(search.must_train))} blocks, but 'search.max_blocks' allows "
            f"{search.max_blocks}."
        )


def _order_mistakes(search: Search) -> Iterator[str]:
    for order in search.orders:
        if order not in ORDERS:
            near = get_close_matches(order, ORDERS, n=1)
            hint = f"; did you mean '{near[0]}'?" if near else "."
            yield f"'search.orders': unknown order '{order}'{hint} Known: {', '.join(ORDERS)}."
    if twice := sorted({order for order in search.orders if search.orders.count(order) > 1}):
        yield f"'search.orders' must name each order once, but got {', '.join(twice)} more often."
    if not search.orders:
        yield "'search.orders' is empty: name at least one order."


def _mask_mistakes(search: Search, units: int) -> Iterator[str]:
    if not search.masks:
        yield '\'search.masks\' is empty: list at least one mask, for instance masks = ["1-5", "6-9"].'
    texts: dict[str, str] = {}  # mask as it is printed -> as it was written
    for text in search.masks:
        try:
            mask = parse(text, units)
        except UserError as error:
            yield f"'search.masks': {error}"
            continue
        written = str(mask)
        if not mask.blocks:
            yield f"'search.masks' lists '{text}', the zero-shot score: it is always measured, so leave it out."
        if written in texts:
            yield f"'search.masks' lists the same mask twice: '{texts[written]}' and '{text}' are both {written}."
        texts[written] = text

"""The space: every candidate that a spec allows, and the list of those that are known before anything is trained."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from sweeps.spec.factorial_designs import factorial_masks
from sweeps.spec.search_section import Search
from sweeps.spec.starts import random_start_mistake, recorded, start_seeds_of
from sweeps.spec.strategy_names import LISTS
from trainer.candidate import PRETRAINED, RANDOM_STARTS, SCRATCH, Candidate, Split, TrainValue
from trainer.config import Settings
from trainer.errors import UserError
from trainer.masks import Mask, at_depth, parse

START = "start"  # its name among the searched settings
Setting = tuple[tuple[str, TrainValue], ...]  # searched settings by name, those at which a candidate differs
Bare = tuple[tuple[str, tuple[int, ...]], ...]  # `train.tune` -> the blocks that have nothing of that kind
LARGEST_SUBSETS = 18  # blocks: 262,143 sets, listed in about a second; more is a search of another kind


@dataclass(frozen=True)
class Space:
    """Every candidate that a spec allows: all of masks x epochs x learning rate x searched settings.

    `masks`: distinct, never the empty one, all constraints kept; `parameters` that each of them thaws; `epochs` and
    `learning_rate` as in the spec; `searched`: training settings and the start, name -> values; `own` the sweep's own
    values of these, which a candidate does not repeat; `orders` of the kind "orders"; `seed` every candidate's. `cost`
    is what a search of two objectives weighs Dice against. Of fresh weights there is no product: `scratch` trains all
    blocks, and `random-frozen` with all of them would be the same again. Nor is there one where a block has nothing to
    tune: `bare`, `train.tune` -> these blocks; `tune` is the sweep's own.
    """

    kind: Literal["orders", "masks", "subsets", "single"]
    n_blocks: int
    masks: tuple[Mask, ...]
    parameters: tuple[int, ...]
    epochs: tuple[int, ...]
    learning_rate: tuple[float, ...]
    searched: tuple[tuple[str, tuple[TrainValue, ...]], ...] = ()
    own: Setting = ()
    orders: tuple[str, ...] = ()
    seed: int = 0
    cost: Literal["parameters", "seconds"] = "parameters"
    bare: Bare = ()
    tune: str = "all"

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        """Once for all: what is kept by space (`strategies.axes`) is looked up for every trial of a history."""
        return hash((self.kind, self.n_blocks, self.masks, self.epochs, self.learning_rate, self.searched, self.seed))

    def __len__(self) -> int:
        return self._length

    @cached_property
    def _length(self) -> int:
        pairs = len(self.masks) * len(list(self.settings()))
        if self.bare or any(start in RANDOM_STARTS for start in self.starts):
            pairs = sum(self.allows(str(mask), setting) for mask in self.masks for setting in self.settings())
        return pairs * len(self.epochs) * len(self.learning_rate)

    def __contains__(self, candidate: object) -> bool:
        return (
            isinstance(candidate, Candidate)
            and candidate.mask in self.written
            and candidate.epochs in self.epochs
            and candidate.learning_rate in self.learning_rate
            and self.setting_of(candidate) in self._settings
            and self.allows(candidate.mask, self.setting_of(candidate))
            and candidate.luck == (self.seed, None)
            and candidate.plain
        )

    @property
    def varied(self) -> tuple[int, ...]:
        """The blocks that some of its masks train and some freeze."""
        blocks = range(1, self.n_blocks + 1)
        return tuple(block for block in blocks if len({block in mask for mask in self.masks}) > 1)

    @property
    def starts(self) -> tuple[TrainValue, ...]:
        """What is started from, the sweep's own first."""
        return dict(self.searched).get(START, (PRETRAINED,))

    def allows(self, mask: str, setting: Setting) -> bool:
        """Whether a mask goes with a setting: with its start, and with how blocks are tuned."""
        return not self.why_not(mask, setting)

    def why_not(self, mask: str, setting: Setting) -> str:
        """Why a mask does not go with a setting; empty where it does."""
        start, tune = dict(setting).get(START, PRETRAINED), dict(setting).get("tune", self.tune)
        if start in RANDOM_STARTS and (mask == "all") != (start == SCRATCH):
            return f"mask {mask} does not go with the start {start} (scratch trains all blocks)"
        if nothing := self._bare_blocks(mask, str(tune)):
            return f"mask {mask} does not go with tune={tune}: of its blocks {nothing} have nothing of that kind"
        return ""

    def can_train(self, candidate: Candidate) -> bool:
        """Whether each block of a candidate, which may be a baseline outside of the space, has something to tune."""
        return not self._bare_blocks(candidate.mask, str(dict(candidate.train).get("tune", self.tune)))

    def _bare_blocks(self, mask: str, tune: str) -> list[int]:
        """The blocks of a mask that have nothing of a kind."""
        bare = dict(self.bare).get(tune)
        return sorted({*bare} & {*parse(mask, self.n_blocks).blocks}) if bare else []

    def candidate(self, mask: Mask, epochs: int, rate: float, setting: Setting = ()) -> Candidate:
        """One candidate; of `setting` (name, value) only what differs from the sweep's own settings is kept."""
        differing = {name: value for name, value in setting if (name, value) not in self.own}
        start = str(differing.pop(START, PRETRAINED))
        return Candidate(str(mask), epochs, rate, start, self.seed, train=tuple(sorted(differing.items())))

    def setting_of(self, candidate: Candidate) -> Setting:
        """The searched settings at which a candidate differs from the sweep's own, its start among them."""
        start = () if candidate.start == PRETRAINED else ((START, candidate.start),)
        return tuple(sorted((*candidate.train, *start)))

    def first(self, mask: Mask) -> Candidate:
        """A mask at what a search starts from: the largest epoch count, the rate and the settings named first."""
        return self.candidate(mask, self.epochs[-1], self.learning_rate[0], next(iter(self.settings())))

    def candidates(self) -> Iterator[Candidate]:
        """All of them. Largest epoch count first: its training passes through all smaller ones, which the ledger then
        gives for nothing. Those that share a mask stand together, so that a worker compiles it once.
        """
        for epochs in sorted(self.epochs, reverse=True):
            for mask, setting, rate in itertools.product(self.masks, self.settings(), self.learning_rate):
                if self.allows(str(mask), setting):
                    yield self.candidate(mask, epochs, rate, setting)

    def settings(self) -> Iterator[Setting]:
        """Every combination of the searched settings, without what the sweep has anyway; `()` if none is."""
        for values in itertools.product(*(values for _, values in self.searched)):
            pairs = zip((name for name, _ in self.searched), values, strict=True)
            yield tuple(sorted(pair for pair in pairs if pair not in self.own))

    @cached_property
    def _settings(self) -> frozenset[Setting]:
        return frozenset(self.settings())

    @cached_property
    def written(self) -> frozenset[str]:
        """The masks as text."""
        return frozenset(str(mask) for mask in self.masks)


def space_of(
    search: Search, block_parameters: Sequence[int], settings: Settings, always: int = 0, bare: Bare = ()
) -> Space:
    """The space of a spec on a network whose blocks 1..n have so many parameters (`always`: what trains anyway; `bare`:
    the blocks that a kind of tuning finds nothing in).

    Raises `UserError` where no mask keeps all constraints, or goes with a kind of tuning, and for subsets of more
    blocks than can be listed.
    """
    n_blocks = len(block_parameters)
    masks = [mask for mask in masks_of(search, n_blocks) if mask.blocks]
    thawed = {mask: always + sum(block_parameters[block - 1] for block in mask.blocks) for mask in masks}
    allowed = {mask: count for mask, count in thawed.items() if _allowed(search, mask, count)}
    if not allowed:
        smallest = min(thawed.values(), default=0)
        raise UserError(
            f"No mask keeps the constraints ({_constraints(search)}): of {len(thawed)} masks the smallest thaws "
            f"{smallest:,} parameters. Loosen one of them."
        )
    for mistake in random_start_mistake(search, has_all=any(str(mask) == "all" for mask in allowed)):
        raise UserError(mistake)
    for tune, blocks in bare:
        if all(not set(blocks).isdisjoint(mask.blocks) for mask in allowed):
            raise UserError(
                f"tune={tune} trains what each block of a mask has of that kind, but blocks {list(blocks)} of this "
                "network have nothing, and each mask holds one of them. Add masks without these blocks (search.masks), "
                "or leave it out."
            )
    train = tuple(sorted(search.train))
    own = tuple((name, getattr(settings.train, name)) for name, _ in train)
    starts = recorded(search)
    if len(starts) > 1:
        train, own = (*train, (START, starts)), (*own, (START, PRETRAINED))
    return Space(
        kind=search.space,
        n_blocks=n_blocks,
        masks=tuple(allowed),
        parameters=tuple(allowed.values()),
        epochs=search.epochs,
        learning_rate=search.learning_rate,
        searched=train,
        own=own,
        orders=search.orders if search.space == "orders" else (),
        seed=settings.seed,
        cost=search.cost,
        bare=tuple(bare),
        tune=settings.train.tune,
    )


def masks_of(search: Search, n_blocks: int) -> tuple[Mask, ...]:
    """The distinct masks of a space before any constraint, in the order in which they are written.

    Raises `UserError` for subsets of more blocks than can be listed.
    """
    if search.space == "subsets" and n_blocks > LARGEST_SUBSETS:
        raise UserError(
            f"Every set of blocks can be searched up to {LARGEST_SUBSETS} blocks, but this network has {n_blocks} "
            f"({2**n_blocks - 1:,} sets). Join blocks with model.blocks, or set search.space to orders, masks or "
            "single."
        )
    return tuple(dict.fromkeys(_list_masks(search, range(1, n_blocks + 1))))


def _list_masks(search: Search, blocks: range) -> Iterator[Mask]:
    """The masks of a space one by one; a mask that lies on two orders comes twice."""
    n_blocks = len(blocks)
    if search.space == "masks":
        yield from (parse(text, n_blocks) for text in search.masks)
    elif search.space == "single":
        yield from (Mask((block,), n_blocks) for block in blocks)
    elif search.space == "subsets":
        for bits in range(1, 2**n_blocks):
            yield Mask(tuple(block for block in blocks if bits >> (block - 1) & 1), n_blocks)
    else:
        yield from (at_depth(order, depth, n_blocks) for order in search.orders for depth in blocks)


def _allowed(search: Search, mask: Mask, parameters: int) -> bool:
    blocks = set(mask.blocks)
    return (
        (not search.max_blocks or len(blocks) <= search.max_blocks)
        and (not search.max_parameters or parameters <= search.max_parameters)
        and blocks.issuperset(search.must_train)
        and blocks.isdisjoint(search.must_freeze)
    )


def _constraints(search: Search) -> str:
    constraints = [
        (search.max_blocks, f"at most {search.max_blocks} blocks"),
        (search.max_parameters, f"at most {search.max_parameters:,} parameters"),
        (search.must_train, f"blocks {list(search.must_train)} train"),
        (search.must_freeze, f"blocks {list(search.must_freeze)} stay frozen"),
    ]
    return ", ".join(text for limit, text in constraints if limit) or "none"


def longest_epochs(candidates: Iterable[Candidate]) -> dict[str, int]:
    """`Candidate.training` -> the most epochs that one of its candidates takes: the others lie on the way."""
    longest: dict[str, int] = {}
    for candidate in candidates:
        longest[candidate.training] = max(longest.get(candidate.training, 0), candidate.epochs)
    return longest


def listed(search: Search, space: Space, settings: Settings | None = None) -> tuple[Candidate, ...]:
    """The candidates that are known beforehand, once each, in the order in which to train them: the baselines, and the
    whole list of a strategy that lists, or what a search starts from (`warm_start`). Largest epoch count first.
    KerasTuner's grid is proposed, so its list holds the baselines only, the same as the other grid's.
    """
    settings = settings or Settings()
    if search.strategy not in LISTS:
        return warm_start(search, space, settings)
    if search.proposes:
        return tuple(sorted(dict.fromkeys(baselines(search, settings)), key=lambda candidate: -candidate.epochs))
    trials = list(space.candidates())
    if search.strategy == "factorial":
        cells = {str(mask) for mask in factorial_masks(space.n_blocks, search.cells)}
        trials = [candidate for candidate in trials if candidate.mask in cells]
    # Behind those on all images, which are the answer.
    own = [candidate for candidate in trials if candidate.start == PRETRAINED]  # whose curves are drawn
    parts = [replace(candidate, images=images) for candidate in own for images in search.images]
    candidates = dict.fromkeys([*baselines(search, settings), *_repeat([*trials, *parts], search, settings)])
    return tuple(sorted(filter(space.can_train, candidates), key=lambda candidate: -candidate.epochs))


def baselines(search: Search, settings: Settings) -> tuple[Candidate, ...]:
    """From scratch, all blocks and zero-shot: always measured, for no curve can be read without them
    (docs/protocol.md).
    """
    references = [
        Candidate("all", epochs, rate, start, settings.seed)
        for start in (SCRATCH, PRETRAINED)
        for rate in search.learning_rate
        for epochs in search.epochs
    ]
    return (*_repeat(references, search, settings), *_untrained(search, settings))


def warm_start(search: Search, space: Space, settings: Settings) -> tuple[Candidate, ...]:
    """What every search measures first: the baselines, contracting, expanding and deep-1, where the space has them.

    At the largest epoch count, the rate and the training settings named first only: they are where a search starts,
    not what it searches.
    """
    epochs, rate = search.epochs[-1], search.learning_rate[0]
    named = [space.first(parse(word, space.n_blocks)) for word in _starters(space.n_blocks)]
    space_masks = {str(mask) for mask in space.masks}
    references = [Candidate("all", epochs, rate, start, settings.seed) for start in (PRETRAINED, SCRATCH)]
    references += [Candidate("all", epochs, rate, start, settings.seed) for start in _further_starts(search)]
    allowed = [candidate for candidate in named if candidate.mask in space_masks]
    return tuple(filter(space.can_train, dict.fromkeys([*references, *allowed, *_untrained(search, settings)])))


def _starters(n_blocks: int) -> tuple[str, ...]:
    return ("contracting", "expanding", "deep-1") if n_blocks > 1 else ()


def _repeat(candidates: Sequence[Candidate], search: Search, settings: Settings) -> list[Candidate]:
    """Candidates once per seed and repeated pre-training, and again on the leaky split if that is asked."""
    splits: tuple[Split, ...] = ("grouped", "leaky") if settings.augmentation.order == "leaky" else ("grouped",)
    return [
        replace(candidate, seed=seed, start_seed=start_seed, split=split)
        for candidate in candidates
        for split in splits
        for start_seed in start_seeds_of(search, settings)
        for seed in search.seeds or (settings.seed,)
    ]


def _untrained(search: Search, settings: Settings) -> list[Candidate]:
    """No training at all, from the sweep's own start and from each further one."""
    own = zero_shot(search, settings)
    return [own, *(replace(own, start=start) for start in _further_starts(search))]


def _further_starts(search: Search) -> list[str]:
    """The starts with weights beside the sweep's own, as candidates name them."""
    return [start for start in recorded(search)[1:] if start not in RANDOM_STARTS]


def zero_shot(search: Search, settings: Settings) -> Candidate:
    """No training at all: the pre-trained network as it is. It ignores the seed."""
    return Candidate("none", 0, search.learning_rate[0], seed=settings.seed)

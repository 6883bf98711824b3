"""The space: which candidates a spec asks for, as a list to work off or as distributions to propose from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

from sweeps.rules import Search
from trainer.config import Candidate, Settings, Split, Start
from trainer.masks import Mask, at_depth, parse

if TYPE_CHECKING:
    from sweeps.spec import Spec


class Proposer(Protocol):
    """What a search engine offers to ask for values with; Optuna's `Trial` is one."""

    def suggest_int(self, name: str, low: int, high: int) -> int:
        """A whole number in [low, high]."""
        ...

    def suggest_categorical(self, name: str, choices: list[str]) -> str:
        """One of the choices."""
        ...


def masks_of(search: Search, n_blocks: int) -> tuple[Mask, ...]:
    """The distinct masks of a space, in the order in which they are written; both orders end in the same `all`."""
    if search.space == "masks":
        listed: Iterator[Mask] = (parse(text, n_blocks) for text in search.masks)
    else:
        depths = range(1, n_blocks + 1)
        listed = (at_depth(order, depth, n_blocks) for order in search.orders for depth in depths)
    return tuple(dict.fromkeys(listed))


def baselines(search: Search, settings: Settings) -> tuple[Candidate, ...]:
    """From scratch, all blocks and zero-shot: always measured, for no curve can be read without them (protocol.md)."""
    return (*_repeated([("all", "scratch"), ("all", "pretrained")], search, settings), zero_shot(search, settings))


def listed(search: Search, n_blocks: int, settings: Settings | None = None) -> tuple[Candidate, ...]:
    """Every candidate of the grid and the baselines, once each, in the order in which to work them off.

    Largest epoch count first: its training passes through all smaller ones, which the ledger then gives for nothing.
    Candidates that share a mask stand together, so that a worker compiles it once.
    """
    settings = settings or Settings()
    grid = [str(mask) for mask in masks_of(search, n_blocks) if mask.blocks] if search.strategy == "grid" else []
    trials = _repeated([(mask, "pretrained") for mask in grid], search, settings)
    wanted = dict.fromkeys([*baselines(search, settings), *trials])
    return tuple(sorted(wanted, key=lambda candidate: -candidate.epochs))


def _repeated(wanted: Sequence[tuple[str, Start]], search: Search, settings: Settings) -> list[Candidate]:
    """Masks and starts at every rate and epoch count: once per seed, and again on the leaky split if that is asked."""
    splits: tuple[Split, ...] = ("grouped", "leaky") if settings.augmentation.order == "leaky" else ("grouped",)
    return [
        Candidate(mask, epochs, rate, start, seed, split)
        for mask, start in wanted
        for split in splits
        for seed in search.seeds or (settings.seed,)
        for rate in search.learning_rate
        for epochs in search.epochs
    ]


def zero_shot(search: Search, settings: Settings) -> Candidate:
    """No training at all: the pre-trained network as it is. No seed has a say in it."""
    return Candidate("none", 0, search.learning_rate[0], seed=settings.seed)


def seeds_of(spec: Spec) -> tuple[int, ...]:
    """Every training seed that the spec's trials use."""
    return spec.search.seeds or (spec.settings.seed,)


def proposer_of(search: Search, n_blocks: int, seed: int = 0) -> Callable[[Proposer], Candidate]:
    """How an engine that proposes draws a candidate: order and depth (ordinal), or a listed mask (categorical);
    epochs and learning rate by their place in the spec's list (ordinal).
    """

    def propose(trial: Proposer) -> Candidate:
        if search.space == "orders":
            order = trial.suggest_categorical("order", list(search.orders))
            mask = at_depth(order, trial.suggest_int("depth", 1, n_blocks), n_blocks)
        else:
            mask = parse(trial.suggest_categorical("mask", list(search.masks)), n_blocks)
        epochs = search.epochs[trial.suggest_int("epochs_place", 0, len(search.epochs) - 1)]
        rate = search.learning_rate[trial.suggest_int("learning_rate_place", 0, len(search.learning_rate) - 1)]
        return Candidate(str(mask), epochs, rate, seed=seed)

    return propose

"""The space: which candidates a spec asks for, as a list to work off or as distributions to propose from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from sweeps.rules import Search
from trainer.config import Candidate, Start
from trainer.masks import Mask, at_depth, parse


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


def baselines(search: Search, n_blocks: int) -> tuple[Candidate, ...]:
    """Zero-shot, from scratch and all blocks: always measured, for no curve can be read without them (protocol.md)."""
    runs: tuple[Start, ...] = ("scratch", "pretrained")
    trained = tuple(
        Candidate("all", epochs, rate, start)
        for start in runs
        for rate in search.learning_rate
        for epochs in search.epochs
    )
    return (zero_shot(search), *trained)


def zero_shot(search: Search) -> Candidate:
    """No training at all: the pre-trained network as it is."""
    return Candidate("none", 0, search.learning_rate[0])


def listed(search: Search, n_blocks: int) -> tuple[Candidate, ...]:
    """Every candidate of the grid and the baselines, once each, in the order in which to work them off.

    Largest epoch count first: its training passes through all smaller ones, which the ledger then gives for nothing.
    Candidates that share a mask stand together, so that a worker compiles it once.
    """
    grid = [
        Candidate(str(mask), epochs, rate)
        for mask in masks_of(search, n_blocks)
        if mask.blocks
        for rate in search.learning_rate
        for epochs in search.epochs
    ]
    wanted = dict.fromkeys([*baselines(search, n_blocks), *(grid if search.strategy == "grid" else [])])
    return tuple(sorted(wanted, key=lambda candidate: -candidate.epochs))


def proposer_of(search: Search, n_blocks: int) -> Callable[[Proposer], Candidate]:
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
        return Candidate(str(mask), epochs, rate)

    return propose

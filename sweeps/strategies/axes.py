"""A space as coordinates: the choices that make up a candidate, each with its values, for engines that need axes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sweeps.spec.space import Space
from trainer.candidate import Candidate
from trainer.masks import Mask, at_depth, orders_and_depths, parse

RATE = "learning_rate"
Point = Mapping[str, int]  # name of an axis -> index of the chosen value in it


@dataclass(frozen=True)
class Axis:
    """One choice. `ordinal`: its values stand in an order that means something, so that neighbours are alike."""

    name: str
    values: tuple[Any, ...]
    ordinal: bool


@lru_cache(maxsize=2)
def axes(space: Space) -> tuple[Axis, ...]:
    """The choices of a space, the slowest to vary first: its masks' by its kind, searched settings, rate, epochs.

    Epochs begin at the largest, whose training passes through all smaller ones.
    """
    settings = [Axis(name, tuple(values), not isinstance(values[0], str | bool)) for name, values in space.searched]
    rates = Axis(RATE, tuple(sorted(space.learning_rate)), True)
    return (*_mask_axes(space), *settings, rates, Axis("epochs", tuple(sorted(space.epochs, reverse=True)), True))


def _mask_axes(space: Space) -> tuple[Axis, ...]:
    """A boolean per block for subsets, never one packed number, which would make neighbours of unlike masks."""
    blocks = range(1, space.n_blocks + 1)
    if space.kind == "subsets":
        return tuple(Axis(f"block_{block}", _states(space, block), False) for block in blocks)
    if space.kind == "orders":
        return Axis("order", space.orders, False), Axis("depth", tuple(blocks), True)
    return (Axis("mask", tuple(map(str, space.masks)), False),)


def _states(space: Space, block: int) -> tuple[bool, ...]:
    """Whether a block is frozen, trained, or either, in the allowed masks."""
    frozen, trained = any(block not in mask for mask in space.masks), any(block in mask for mask in space.masks)
    return tuple(state for state, occurs in ((False, frozen), (True, trained)) if occurs)


def point_of(space: Space, candidate: Candidate) -> dict[str, int]:
    """The coordinates of a candidate of the space."""
    values = {"epochs": candidate.epochs, RATE: candidate.learning_rate, "mask": candidate.mask}
    values |= (
        dict(space.own) | dict(space.setting_of(candidate)) | _mask_values(space, parse(candidate.mask, space.n_blocks))
    )
    return {axis.name: axis.values.index(values[axis.name]) for axis in axes(space)}


def _mask_values(space: Space, mask: Mask) -> dict[str, Any]:
    if space.kind == "orders":  # `all` lies on every order: the first one stands for it
        order, depth = next(pair for pair in orders_and_depths(mask) if pair[0] in space.orders)
        return {"order": order, "depth": depth}
    return {f"block_{block}": block in mask for block in range(1, space.n_blocks + 1)}


def candidate_at(space: Space, point: Point) -> Candidate | None:
    """The candidate at a point, with the first value of every axis that the point does not name; None where a
    constraint does not allow it.
    """
    values = {axis.name: axis.values[int(point.get(axis.name, 0))] for axis in axes(space)}
    setting = tuple((name, values[name]) for name, _ in space.searched)
    candidate = space.candidate(_mask(space, values), values["epochs"], values[RATE], setting)
    return candidate if candidate in space else None


def _mask(space: Space, values: Mapping[str, Any]) -> Mask:
    if space.kind == "subsets":
        blocks = range(1, space.n_blocks + 1)
        return Mask(tuple(block for block in blocks if values[f"block_{block}"]), space.n_blocks)
    if space.kind == "orders":
        return at_depth(values["order"], values["depth"], space.n_blocks)
    return parse(values["mask"], space.n_blocks)

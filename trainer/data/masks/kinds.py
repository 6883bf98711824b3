"""The values of all masks of a set as values of one kind: greys, labels or colours, with their totals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.data.masks.values import Kind, MaskValues
from trainer.errors import UserError

STRAY, STRAY_LOSSY, STRAYS = 24, 80, 0.002  # JPEG keeps colour at half the resolution: edges stray far, areas do not

Value = int | float
Names = Mapping[str, tuple[int, ...]]  # what a data set calls its labels


def common_kind(masks: Sequence[MaskValues]) -> Kind:
    """What the values of a set are: colours if any file holds some, else labels by a palette, else greys."""
    kinds: dict[Kind, MaskValues] = {}
    for mask in masks:
        if mask.values[-1] > 0:  # black is black in every kind
            kinds.setdefault(mask.kind, mask)
    if "labels" in kinds and "colours" in kinds:
        raise UserError(
            f"The masks of a set must be of one kind, but {kinds['labels'].path} holds labels by a palette and "
            f"{kinds['colours'].path} colours. Save all in one way."
        )
    deep = next((mask for mask in masks if mask.kind == "grey" and mask.values[-1] > 255), None)
    if "colours" in kinds and deep:
        raise UserError(
            f"The masks of a set must be of one kind, but {deep.path} holds values up to {deep.values[-1]:g} and "
            f"{kinds['colours'].path} colours. Save all in one way."
        )
    check_bits([mask for mask in masks if mask.values[-1] > 0])
    return "colours" if "colours" in kinds else "labels" if "labels" in kinds else "grey"


def check_bits(masks: Sequence[MaskValues]) -> None:
    """Raise `UserError` where greys of 2 or 4 bits stand beside others: the same value is another shade there."""
    short = next((mask for mask in masks if mask.short), None)
    other = next((mask for mask in masks if short and mask.short != short.short), None)
    if short and other:
        bits = f"{other.short} bits" if other.short else "another depth"
        raise UserError(
            f"Masks of fewer than 8 bits must all be of one depth, but {short.path} has {short.short} bits and "
            f"{other.path} {bits}: the same value may be a label in one and a shade in the other. Save all as 8 bits."
        )


def with_kind(mask: MaskValues, kind: Kind) -> MaskValues:
    """The mask with its values as those of another kind."""
    return replace(mask, values=as_kind(mask.values, mask.kind, kind), kind=kind)


def as_kind(values: NDArray[Any], kind: Kind, wanted: Kind) -> NDArray[Any]:
    """Values of one kind as those of another: a grey as the colour that it is; labels and greys are numbers alike."""
    if wanted == "colours" and kind != "colours":
        grey = values.astype(np.int64)
        return grey << 16 | grey << 8 | grey
    return values


def without(mask: MaskValues, ignored: Sequence[float]) -> MaskValues:
    """The mask without the values that take no part; nothing may be left of it but black."""
    kept = ~np.isin(mask.values, ignored)
    if not kept.any():
        nothing = np.zeros(1, np.int64)
        return replace(mask, values=nothing, counts=nothing, flat=nothing, sloped=nothing)
    parts = {name: getattr(mask, name)[kept] for name in ("values", "counts", "flat", "sloped")}
    return replace(mask, **parts)


@dataclass(frozen=True)
class Totals:
    """Of one value over the set: its pixels, how many of them are flat, and in how many masks it occurs."""

    pixels: int
    flat: int
    masks: int


def total(masks: Iterable[MaskValues]) -> dict[Value, Totals]:
    """Every value of the set, rising, with its totals."""
    sums: dict[Value, list[int]] = {}
    for mask in masks:
        for value, pixels, flat in zip(mask.values.tolist(), mask.counts.tolist(), mask.flat.tolist(), strict=True):
            entry = sums.setdefault(value, [0, 0, 0])
            entry[0] += pixels
            entry[1] += flat
            entry[2] += 1
    return {value: Totals(*sums[value]) for value in sorted(sums)}


def pixels_of(mask: MaskValues, value: Value) -> int:
    """How many pixels of a mask hold a value."""
    return int(mask.counts[mask.values == value].sum())


def along(colours: NDArray[Any], towards: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """How far each colour is on the way from black to `towards`, 0 to 255, and its largest distance from that way."""
    bands = np.stack([colours >> 16 & 255, colours >> 8 & 255, colours & 255], axis=-1).astype(float)
    aim = np.array(bands_of(towards), float)
    shares = bands @ aim / (aim @ aim)
    off = np.abs(bands - shares[..., None] * aim).max(axis=-1)
    return np.rint(np.clip(255 * shares, 0, 255)).astype(np.int64), off


def on_the_way(mask: MaskValues, towards: int) -> MaskValues | None:
    """A mask of colours as greys, by how far each is from black to `towards`; None where some lie elsewhere."""
    shares, off = along(mask.values, towards)
    strangers = off > (STRAY_LOSSY if mask.lossy else STRAY)
    if mask.counts[strangers].sum() > STRAYS * mask.counts.sum():
        return None
    values, position = np.unique(shares, return_inverse=True)
    counts, flat, sloped = (
        np.bincount(position, weights=each).astype(np.int64) for each in (mask.counts, mask.flat, mask.sloped)
    )
    return replace(mask, kind="grey", values=values, counts=counts, flat=flat, sloped=sloped)


def bands_of(colour: int) -> tuple[int, int, int]:
    """Red, green and blue of 0xRRGGBB."""
    return colour >> 16 & 255, colour >> 8 & 255, colour & 255

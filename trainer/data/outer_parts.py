"""The outer parts of a nested cross-validation: each is held out once, from the choice as well as from training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from trainer.config import DataConfig
from trainer.data.cases import Cases, duplicates
from trainer.data.folds import make_folds
from trainer.data.intensity import PLAIN, Extremes, IntensityRule, extremes_of, rule_from
from trainer.data.near_duplicates import near_duplicate_groups
from trainer.data.pairing.sources import find_whole
from trainer.data.pairing.volumes import sliced
from trainer.errors import UserError
from trainer.keys import digest
from trainer.results import OBJECT


def make_parts(cases: Cases, parts: int, folds: int, seed: int) -> NDArray[np.int64]:
    """int64 (n,): the part 0..parts-1 in which each case is held out: groups whole, classes even, by the rule of folds.

    Each part must hold something to score, and leave enough for `folds` inner folds. Raises `UserError` where one does
    not.
    """
    groups = cases.group_count
    if parts > groups:
        raise UserError(
            "Every outer part needs a group of its own (near-duplicates, the images of a patient, or a single image), "
            f"but got outer={parts} for {groups} groups of {len(cases)} images. Set outer to fewer, or add images."
        )
    try:
        part_of = make_folds(cases.groups, cases.labels, parts, seed)
    except UserError as error:
        raise UserError(
            f"Every outer part needs a case to score, but with outer={parts} one would be empty, because some of the "
            f"{groups} groups are large. Set outer to fewer."
        ) from error
    marked = (np.asarray(cases.masks) == OBJECT).any(axis=(1, 2))
    for part in range(parts):
        _check_part(cases, part_of == part, marked, folds, seed, f"part {part + 1} of outer={parts}")
    return part_of


def _check_part(
    cases: Cases, held_out: NDArray[np.bool_], marked: NDArray[np.bool_], folds: int, seed: int, name: str
) -> None:
    """Raise `UserError` unless there is an object on both sides, and the folds that a search on the rest needs."""
    for side, what in ((held_out, "holds none"), (~held_out, "leaves none to train on")):
        if not marked[side].any():
            raise UserError(
                f"Every outer part needs an image with something marked, held out and left, but {name} {what}. Set "
                "outer to fewer, or data.keep_empty to false."
            )
    rest = np.flatnonzero(~held_out)
    try:
        make_folds(cases.groups[rest], [cases.labels[case] for case in rest], folds, seed)
    except UserError as error:
        raise UserError(f"A search without {name} has {len(rest)} of {len(cases)} images. {error}") from error


def some_cases(cases: Cases, indices: NDArray[np.int64]) -> Cases:
    """The cases at `indices`, as they were read with the whole; their digest names the whole and them."""
    names = tuple(cases.names[index] for index in indices)
    images = np.asarray(cases.images[indices])
    return replace(
        cases,
        images=images,
        masks=np.asarray(cases.masks[indices]),
        names=names,
        labels=tuple(cases.labels[index] for index in indices),
        groups=cases.groups[indices],
        digest=digest({"cases": list(names), "of": cases.digest}),
        duplicates=duplicates(near_duplicate_groups(images)) if cases.duplicates else 0,
        patients=0,
        spacing=None if cases.spacing is None else cases.spacing[indices],
    )


def check_intensity(cases: Cases, part_of: NDArray[np.int64], config: DataConfig) -> None:
    """Raise `UserError` where a part decides which values are black and white for the others.

    They are decided from all images of a set together (`trainer.data.intensity`). What a search would have decided
    without the part that is held out must be the same, or the part had a say in it.
    """
    rule = cases.intensity
    if rule.mode != "set" or rule.asked or not any(map(rule.limits_given, PLAIN)):
        return
    pairs, _ = sliced(find_whole(config).pairs, config.axis)
    found = {pair.name: extremes_of(pair.image, pair.slice) for pair in pairs}
    for part in sorted(set(part_of.tolist())):
        rest = [name for name, own in zip(cases.names, part_of, strict=True) if own != part]
        if not _reads_alike(rest, found, rule, config):
            limits = rule.integers or rule.floats
            assert limits is not None, "asked above"
            raise UserError(
                "What is held out must have no say in how the others are read, but which values are black and white is "
                f"decided from all images, and without part {part + 1} it would be decided otherwise, or cannot be "
                f"told. Say it: --set 'data.range=[{limits.black:g}, {limits.white:g}]' is what all of them give."
            )


def _reads_alike(
    names: Sequence[str], found: dict[str, Extremes | None], rule: IntensityRule, config: DataConfig
) -> bool:
    if any(name not in found for name in names):  # names are hidden
        return False
    try:
        alone = rule_from([one for name in names if (one := found[name]) is not None], config)
    except UserError:
        return False
    return all(alone.limits_given(kind) in (None, rule.limits_given(kind)) for kind in PLAIN)

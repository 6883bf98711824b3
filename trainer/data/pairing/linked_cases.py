"""Cases that a link reaches a second time: read once, and never in two classes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from trainer.data.listing.folder import count, few
from trainer.data.pairing.pairs import Match, Pair
from trainer.errors import UserError


def without_repeats(found: Match) -> Match:
    """What was found, each case once."""
    pairs, notes = once(found.pairs)
    return replace(found, pairs=pairs, notes=(*found.notes, *notes)) if notes else found


def once(pairs: Sequence[Pair]) -> tuple[tuple[Pair, ...], tuple[str, ...]]:
    """The pairs without those whose files are those of an earlier one, and a note on them.

    Raises `UserError` where links put one image into two classes.
    """
    first: dict[tuple[str, ...], Pair] = {}
    twice: list[Pair] = []
    folder = cache(os.path.realpath)  # a set has many files in few folders

    def real(path: Path) -> str:
        return os.path.realpath(path) if path.is_symlink() else os.path.join(folder(path.parent), path.name)

    for pair in pairs:
        files = tuple(real(path) for path in (pair.image, *sorted(pair.masks)))
        earlier = first.setdefault(files, pair)
        if earlier is not pair:
            twice.append(pair)
            if earlier.label != pair.label:
                raise UserError(
                    f"An image has one class, but by a link {pair.image} is {earlier.image}, and their classes are "
                    f"'{pair.label}' and '{earlier.label}'. Remove the link."
                )
    images = tuple(pair.image for pair in twice)
    note = f"{count(images, 'image')} reached a second time by a link, read once ({few(images)})"
    return tuple(first.values()), (note,) if twice else ()

"""A table that says which layers each block has, by patterns of their paths, where blocks are not resolutions."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase

from trainer.errors import UserError

Table = Sequence[Sequence[str]]
SHOWN = 8  # layers named in a message


def by_table(table: Table, by_depth: list[str], name: str) -> list[list[str]]:
    """The layers of each row of a table; the first pattern (`fnmatch`) that matches a layer's path decides.

    `by_depth`: the paths of all layers with weights of the network called `name`. Raises `UserError` for a layer that
    no pattern matches, a pattern that matches none, and a row that ends up without a layer.
    """
    units: list[list[str]] = [[] for _ in table]
    used: set[tuple[int, str]] = set()
    uncovered = []
    for path in by_depth:
        hits = [(row, glob) for row, globs in enumerate(table) for glob in globs if fnmatchcase(path, glob)]
        used |= set(hits)
        if hits:
            units[hits[0][0]].append(path)
        else:
            uncovered.append(path)
    if uncovered:
        more = f" and {len(uncovered) - SHOWN} more" if len(uncovered) > SHOWN else ""
        raise UserError(
            f"'model.blocks' must cover every layer with weights, but of '{name}' it leaves out: "
            f'{", ".join(uncovered[:SHOWN])}{more}. Add a pattern to one of the blocks, such as "{uncovered[0]}", or '
            '"*" to the last.'
        )
    if unused := [glob for row, globs in enumerate(table) for glob in globs if (row, glob) not in used]:
        near = get_close_matches(unused[0], by_depth, n=1)
        hint = f"did you mean '{near[0]}'? " if near else ""
        raise UserError(
            f"Each pattern of 'model.blocks' must match a layer with weights, but {', '.join(map(repr, unused))} match "
            f"none of '{name}'; {hint}`thaw masks` prints their paths."
        )
    if empty := [number for number, unit in enumerate(units, 1) if not unit]:
        raise UserError(
            f"Each block of 'model.blocks' needs a layer of its own, but blocks {empty} are left with none: the first "
            "pattern that matches a layer wins, so put the narrow patterns first."
        )
    return units

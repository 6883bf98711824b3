"""A table that says which layers each block has: patterns of their paths, for where resolution is not what is meant."""

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
    no pattern matches, a pattern that matches none, and a row that is left with nothing.
    """
    units: list[list[str]] = [[] for _ in table]
    used: set[tuple[int, str]] = set()
    left = []
    for path in by_depth:
        hits = [(row, one) for row, patterns in enumerate(table) for one in patterns if fnmatchcase(path, one)]
        used |= set(hits)
        if hits:
            units[hits[0][0]].append(path)
        else:
            left.append(path)
    if left:
        more = f" and {len(left) - SHOWN} more" if len(left) > SHOWN else ""
        raise UserError(
            f"'model.blocks' must cover every layer with weights, but of '{name}' it leaves out: "
            f'{", ".join(left[:SHOWN])}{more}. Add a pattern to one of the blocks, such as "{left[0]}", or "*" to '
            "the last."
        )
    if idle := [one for row, patterns in enumerate(table) for one in patterns if (row, one) not in used]:
        near = get_close_matches(idle[0], by_depth, n=1)
        hint = f"did you mean '{near[0]}'? " if near else ""
        raise UserError(
            f"Each pattern of 'model.blocks' must match a layer with weights, but {', '.join(map(repr, idle))} match "
            f"none of '{name}'; {hint}`thaw masks` prints their paths."
        )
    if empty := [number for number, unit in enumerate(units, 1) if not unit]:
        raise UserError(
            f"Each block of 'model.blocks' needs a layer of its own, but blocks {empty} are left with none: the first "
            "pattern that matches a layer wins, so put the narrow patterns first."
        )
    return units

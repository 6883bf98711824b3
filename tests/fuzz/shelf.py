"""All kinds of cases, and which kind a case is of, by its number."""

from __future__ import annotations

from tests.fuzz import homes, medical, networks, pictures, texts
from tests.fuzz.judging import Kind

KINDS: tuple[Kind, ...] = (*pictures.KINDS, *texts.KINDS, *homes.KINDS, *medical.KINDS, *networks.KINDS)


def schedule(kinds: tuple[Kind, ...] = KINDS) -> tuple[Kind, ...]:
    """The kinds in the order in which cases are drawn, each as often as its share, evenly spread."""
    turns = [((turn + 0.5) / kind.share, kind) for kind in kinds for turn in range(kind.share)]
    return tuple(kind for _, kind in sorted(turns, key=lambda turn: turn[0]))


def kind_of(number: int) -> Kind:
    """The kind of a case."""
    kinds = schedule()
    return kinds[number % len(kinds)]

"""Which effects a set of masks cannot tell apart, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from tracking.best_mask.block_effects import TINY, Matrix, Term, columns

SHOWN = 6


@dataclass(frozen=True)
class Confounded:
    """Effects that only show together. `signs` when the masks see all of `terms` as one and the same column, up to
    these signs, so that their signed sum is estimated; else empty: `known` combinations of them are.
    """

    terms: tuple[Term, ...]
    signs: tuple[int, ...]
    known: int

    @property
    def words(self) -> str:
        """`1×2 = −3×4`, or how many effects are lost in how few numbers."""
        if self.signs:
            pairs = zip(self.terms, self.signs, strict=True)
            return " = ".join(f"{'' if sign == self.signs[0] else '−'}{word(term)}" for term, sign in pairs)
        named = ", ".join(word(term) for term in self.terms[:SHOWN])
        more = f" and {len(self.terms) - SHOWN} more" if len(self.terms) > SHOWN else ""
        return f"{named}{more}: {len(self.terms)} effects, of which the masks know {self.known} combinations"


def confounded(masks: Sequence[Term], n_blocks: int, order: int = 2) -> list[Confounded]:
    """The finest groups of effects (the mean, blocks, and with `order` 2 pairs) that these masks cannot tell apart.

    Two effects belong together when a change of one can be compensated by a change of the other and of further ones:
    they meet in the null space of the design matrix.

    >>> [group.words for group in confounded([(), (1, 2), (1, 3), (2, 3)], 3)]
    ['1 = −2×3', '2 = −1×3', '3 = −1×2']
    """
    terms = list(_terms(n_blocks, order))
    matrix = columns(masks, terms)
    null_space = np.eye(len(terms)) - np.linalg.pinv(matrix) @ matrix
    groups = [group for group in _components(np.abs(null_space) > TINY) if len(group) > 1]
    return [_confounded([terms[index] for index in group], matrix[:, group]) for group in groups]


def word(term: Term) -> str:
    """`the mean`, `3`, `3×5`."""
    return "×".join(map(str, term)) or "the mean"


def _terms(n_blocks: int, order: int) -> Iterator[Term]:
    for size in range(order + 1):
        yield from combinations(range(1, n_blocks + 1), size)


def _components(linked: NDArray[np.bool_]) -> Iterator[list[int]]:
    """The connected components of a symmetric boolean matrix, each in rising order."""
    remaining = set(range(len(linked)))
    while remaining:
        reached, frontier = set(), {min(remaining)}
        while frontier:
            reached |= frontier
            frontier = {int(index) for row in frontier for index in np.flatnonzero(linked[row])} - reached
        remaining -= reached
        yield sorted(reached)


def _confounded(terms: Sequence[Term], matrix: Matrix) -> Confounded:
    known = int(np.linalg.matrix_rank(matrix))
    signs = tuple(int(sign) for sign in np.sign(matrix.T @ matrix[:, 0])) if known == 1 else ()
    return Confounded(tuple(terms), signs, known)

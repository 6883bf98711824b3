"""Two-level fractional factorial designs: which sets of blocks to measure, and what they then cannot tell apart.

Coded as usual: +1 a block that trains, -1 one that is frozen. A regular design of 2^p cells gives every block a number
(its column, p bits, distinct, not 0); cell x = 0 .. 2^p - 1 trains the blocks whose column shares an odd number of bits
with x. So cell 0 trains nothing: the zero-shot score is always a cell of the design. Blocks whose columns cancel are a
defining word: their signs multiply to the same in every cell, + for an even word and - for an odd one, and two effects
that a word joins are aliases. Resolution is the shortest word's length, aberration the count of the shortest words
(Box and Hunter 1961; Fries and Hunter 1980).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from trainer.errors import UserError
from trainer.masks import Mask

LARGEST_CELLS = 2**12  # more than anybody will train; the search takes seconds there
ROMAN = ("", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII", "XIII", "XIV")
Effect = tuple[int, ...]  # one block: its main effect; two: their interaction


@dataclass(frozen=True)
class Design:
    """`columns[b - 1]` is block b's column, in [1, cells). `shortest` is the length of the shortest defining word, 0
    for a full factorial, which has none.
    """

    n_blocks: int
    cells: int
    columns: tuple[int, ...]
    shortest: int

    @property
    def resolution(self) -> str:
        """The resolution as a Roman number; "full" where every set of blocks is a cell.

        >>> design(9, 64).resolution, design(9, 128).resolution, design(9, 512).resolution
        ('IV', 'VI', 'full')
        """
        return (ROMAN[self.shortest] if self.shortest < len(ROMAN) else str(self.shortest)) if self.shortest else "full"


@cache
def design(n_blocks: int, cells: int) -> Design:
    """The design of highest resolution and, of these, least aberration; the same one every time.

    Up to 20 blocks it has as few short words as any published one; beyond, the search is narrower and may miss a better
    one, but never resolution IV where there is one. Raises `UserError` for what `design_mistakes` names.
    """
    for mistake in design_mistakes(n_blocks, cells):
        raise UserError(mistake)

    columns, pattern = least_aberration(n_blocks, cells)
    shortest = next((length for length, count in enumerate(pattern) if count), 0)
    if not shortest and cells < 2**n_blocks:  # there are words, but only longer ones than were counted
        shortest = len(pattern)
    return Design(n_blocks, cells, columns, shortest)


def masks(plan: Design) -> tuple[Mask, ...]:
    """The cells of a design, the one without a block first, then by size."""
    cells = [
        tuple(block for block, column in enumerate(plan.columns, 1) if (column & x).bit_count() & 1)
        for x in range(plan.cells)
    ]
    return tuple(Mask(blocks, plan.n_blocks) for blocks in sorted(cells, key=lambda blocks: (len(blocks), blocks)))


def factorial_masks(n_blocks: int, cells: int) -> tuple[Mask, ...]:
    """The masks to train: every cell but the one without a block, which is the zero-shot score."""
    return masks(design(n_blocks, cells))[1:]


def words(plan: Design, longest: int) -> tuple[tuple[int, ...], ...]:
    """The defining words up to a length, shortest first, each as its blocks.

    >>> words(design(5, 8), 5)
    ((1, 2, 5), (3, 4, 5), (1, 2, 3, 4))
    """
    lengths = range(3, min(longest, plan.n_blocks) + 1)
    block_sets = (blocks for length in lengths for blocks in combinations(range(1, plan.n_blocks + 1), length))
    return tuple(blocks for blocks in block_sets if not _column(plan, blocks))


def chains(plan: Design) -> tuple[tuple[tuple[Effect, int], ...], ...]:
    """Every main effect and two-block interaction once, in chains of those that the design cannot tell apart.

    A chain holds (effect, sign): its contrast estimates the sum of sign x effect, where the first sign is +1. Main
    effects come first, alone as long as the resolution is IV or more. Interactions of more blocks are taken as nought.
    """
    blocks = range(1, plan.n_blocks + 1)
    effects: list[Effect] = [*((block,) for block in blocks), *combinations(blocks, 2)]
    chain_of_column: dict[int, list[Effect]] = {}
    for effect in effects:
        chain_of_column.setdefault(_column(plan, effect), []).append(effect)
    # The product of both effects' signs is that of a word (or nothing), whose sign is that of its length.
    return tuple(
        tuple((effect, (-1) ** (len(effect) + len(chain[0]))) for effect in chain) for chain in chain_of_column.values()
    )


def aliases(plan: Design, longest: int | None = None) -> tuple[str, ...]:
    """The chains that hold more than one effect, in words; of each chain at most `longest` effects.

    >>> aliases(design(5, 8))[:2]
    ('1 with -2×5', '2 with -1×5')
    """
    return tuple(_chain_text(chain, longest or len(chain)) for chain in chains(plan) if len(chain) > 1)


def _chain_text(chain: tuple[tuple[Effect, int], ...], longest: int) -> str:
    terms = [f"{'-' if sign < 0 else ''}{written(effect)}" for effect, sign in chain[:longest]]
    more = [f"{len(chain) - longest} more"] if len(chain) > longest else []
    return " with ".join([*terms, *more])


def summary(plan: Design, shown: int = 3) -> str:
    """Cells, resolution and what is aliased, in one sentence; of many aliases the first few.

    >>> summary(design(9, 128))
    '128 of 512 cells, resolution VI: no main effect or two-block interaction is aliased with another.'
    """
    if not plan.shortest:
        return f"{plan.cells} cells, every set of blocks: nothing is aliased."
    all_cells = f"{2**plan.n_blocks}" if plan.n_blocks <= 20 else f"2^{plan.n_blocks}"
    cells = f"{plan.cells} of {all_cells} cells, resolution {plan.resolution}"
    aliased = aliases(plan, shown)
    if not aliased:
        return f"{cells}: no main effect or two-block interaction is aliased with another."
    more = f", and {len(aliased) - shown} more" if len(aliased) > shown else ""
    main_effects = "every main effect stands alone; " if plan.shortest > 3 else ""
    return f"{cells}: {main_effects}cannot be told apart: {', '.join(aliased[:shown])}{more}."


def written(effect: Effect) -> str:
    """An effect as text: `4`, `1×7`."""
    return "×".join(map(str, effect))


def design_mistakes(n_blocks: int, cells: int) -> Iterator[str]:
    """Why there is no design of so many cells, as a sentence about the spec; nothing where there is one."""
    fewest = 1 << n_blocks.bit_length()  # the smallest power of two above n
    most = min(2**n_blocks, LARGEST_CELLS)
    allowed = f"a power of two from {fewest} (more than {n_blocks}, the number of blocks) to {most}"
    if cells & (cells - 1) or not fewest <= cells <= most:
        note = " (all sets of blocks)" if most == 2**n_blocks else ""
        yield f"'search.cells' must be {allowed}{note}, but got {cells}."


def _column(plan: Design, blocks: Sequence[int]) -> int:
    """What the columns of these blocks add up to, bit by bit without carry; 0 for a defining word."""
    total = 0
    for block in blocks:
        total ^= plan.columns[block - 1]
    return total


WIDTH, NARROW = 24, 4  # designs kept at every step of the search
LIGHT = 120_000  # columns tried x blocks up to which it keeps WIDTH: all of 12 blocks, 20 blocks in up to 512 cells
LONGEST = 8  # beyond LIGHT longer words are not counted
Pattern = tuple[int, ...]  # how many words have length 0, 1, 2 ...
Sums = NDArray[np.float64]  # counts, which outgrow int64


def least_aberration(n_blocks: int, cells: int) -> tuple[tuple[int, ...], Pattern]:
    """The columns of the best design found, in [1, cells), and how many words of each length it has.

    `cells` is a power of two above `n_blocks`. Words longer than `LONGEST` may be left uncounted. Columns with an odd
    number of bits alone are tried too: they close no odd words, so that as many blocks as half the cells have
    resolution IV.
    """
    base = cells.bit_length() - 1
    designs = [_search(n_blocks, base, odd) for odd in (False, True) if not odd or n_blocks <= cells // 2]
    pattern, columns = min(designs)
    return columns, pattern


def _search(n_blocks: int, base: int, odd: bool) -> tuple[Pattern, tuple[int, ...]]:
    """How many words of each length the best design found has, and its columns.

    The first `base` blocks have a bit each. Every further one tries all columns left (`odd`: those with an odd number
    of bits, which close even words only); what counts is how many words of each length it closes, which `sums` tells:
    sums[w, v] subsets of w of the columns so far add up to v.
    """
    cells = 2**base
    wide = (n_blocks - base) * n_blocks * cells <= LIGHT
    width, longest = (WIDTH, n_blocks) if wide else (NARROW, min(n_blocks, LONGEST))
    bits = np.array([value.bit_count() for value in range(cells)])
    sums = (bits == np.arange(longest + 1)[:, None]).astype(float)
    designs: list[tuple[Pattern, tuple[int, ...], Sums]] = [
        ((0,) * (longest + 1), tuple(1 << bit for bit in range(base)), sums)
    ]
    for _ in range(n_blocks - base):
        extensions: dict[Pattern, tuple[tuple[int, ...], int, Sums]] = {}
        for pattern, columns, sums in designs:
            free = np.setdiff1d(np.flatnonzero(bits % 2 if odd else bits), columns)
            closed = np.array(pattern)[1:, None] + sums[:-1, free]
            counts, first = np.unique(closed.T, axis=0, return_index=True)  # in rising order
            for count, index in zip(counts[:width].astype(int).tolist(), first[:width], strict=True):
                extensions.setdefault((0, *count), (columns, int(free[index]), sums))
        designs = [
            (pattern, (*columns, column), _with(sums, column))
            for pattern, (columns, column, sums) in sorted(extensions.items(), key=lambda item: item[0])[:width]
        ]
    return designs[0][:2]


def _with(sums: Sums, column: int) -> Sums:
    """The sums of subsets after a column was added: those without it and those with it."""
    joined = sums.copy()
    joined[1:] += sums[:-1, np.arange(sums.shape[1]) ^ column]
    return joined

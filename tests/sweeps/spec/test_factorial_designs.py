"""Fractional factorial designs: against the published tables, and against what an effect is."""

from __future__ import annotations

import time
from itertools import combinations

import numpy as np
import pytest

from sweeps.spec.factorial_designs import (
    LARGEST_CELLS,
    Design,
    Effect,
    aliases,
    chains,
    design,
    design_mistakes,
    factorial_masks,
    least_aberration,
    masks,
    summary,
    words,
    written,
)
from trainer.errors import UserError
from trainer.masks import Mask

# blocks, cells, resolution, words of length 3, 4, 5 ... Sources: Box, Hunter and Hunter, Statistics for Experimenters
# (1978), table 12.15, and NIST/SEMATECH e-Handbook 5.3.3.4.7 for the resolutions; Chen, Sun and Wu, A Catalogue of
# Two-Level and Three-Level Fractional Factorial Designs (1993), for the words in 16 to 64 runs.
PUBLISHED = [
    (3, 4, "III", (1,)),
    (4, 8, "IV", (0, 1)),
    (5, 8, "III", (2, 1)),
    (5, 16, "V", (0, 0, 1)),
    (6, 8, "III", (4, 3)),
    (6, 16, "IV", (0, 3)),
    (6, 32, "VI", (0, 0, 0, 1)),
    (7, 8, "III", (7, 7, 0, 0, 1)),
    (7, 16, "IV", (0, 7)),
    (7, 32, "IV", (0, 1, 2)),
    (7, 64, "VII", (0, 0, 0, 0, 1)),
    (8, 16, "IV", (0, 14, 0, 0, 0, 1)),
    (8, 32, "IV", (0, 3, 4)),
    (8, 64, "V", (0, 0, 2, 1)),
    (9, 16, "III", (4, 14, 8, 0, 4, 1)),
    (9, 32, "IV", (0, 6, 8, 0, 0, 1)),
    (9, 64, "IV", (0, 1, 4, 2)),
    (9, 128, "VI", (0, 0, 0, 3)),
    (9, 256, "IX", (0, 0, 0, 0, 0, 0, 1)),
    (10, 16, "III", (8, 18, 16, 8, 8, 5)),
    (10, 32, "IV", (0, 10, 16, 0, 0, 5)),
    (10, 64, "IV", (0, 2, 8, 4, 0, 1)),
    (10, 128, "V", (0, 0, 3, 3, 1)),
    (11, 16, "III", (12, 26, 28, 24, 20, 13, 4)),
    (11, 32, "IV", (0, 25, 0, 27, 0, 10, 0, 1)),
    (11, 64, "IV", (0, 4, 14, 8, 0, 3, 2)),
    (11, 128, "V", (0, 0, 6, 6, 2, 1)),
    (12, 32, "IV", (0, 38, 0, 52, 0, 33, 0, 4)),
    (12, 64, "IV", (0, 6, 24, 16, 0, 9, 8)),
]


def signs(cells: tuple[Mask, ...]) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """(cells, blocks): +1 where a block trains, -1 where it is frozen."""
    return np.array([[1.0 if block in mask else -1.0 for block in range(1, mask.of + 1)] for mask in cells])


@pytest.mark.parametrize(("n_blocks", "cells", "resolution", "pattern"), PUBLISHED)
def test_resolution_and_words_are_the_published_ones(
    n_blocks: int, cells: int, resolution: str, pattern: tuple[int, ...]
) -> None:
    found = design(n_blocks, cells)
    lengths = [len(word) for word in words(found, n_blocks)]
    counted = tuple(lengths.count(length) for length in range(3, n_blocks + 1))
    assert found.resolution == resolution
    assert counted == (*pattern, *(0,) * (n_blocks - 2 - len(pattern)))


@pytest.mark.parametrize(("n_blocks", "cells"), [(9, 16), (9, 64), (9, 128), (9, 512), (12, 64), (40, 64)])
def test_every_block_trains_in_half_of_the_cells_and_one_cell_trains_none(n_blocks: int, cells: int) -> None:
    found = masks(design(n_blocks, cells))
    assert len(set(found)) == cells and found[0] == Mask((), n_blocks)
    assert factorial_masks(n_blocks, cells) == found[1:]
    coded = signs(found)
    assert np.array_equal(coded.T @ coded, cells * np.eye(n_blocks))  # balanced, and any two blocks crossed


@pytest.mark.parametrize("cells", [16, 32, 64, 128, 512])
def test_chains_hold_every_effect_once_and_those_that_agree_in_every_cell(cells: int) -> None:
    found = design(9, cells)
    coded = signs(masks(found))
    column = {effect: coded[:, [block - 1 for block in effect]].prod(axis=1) for effect in effects(9)}
    listed = [effect for chain in chains(found) for effect, _ in chain]
    assert sorted(listed) == sorted(column)
    for chain in chains(found):
        for effect, sign in chain:
            assert np.array_equal(sign * column[effect], column[chain[0][0]])
    assert np.linalg.matrix_rank(np.array(list(column.values()))) == len(chains(found))


def effects(n_blocks: int) -> list[Effect]:
    blocks = range(1, n_blocks + 1)
    return [*((block,) for block in blocks), *combinations(blocks, 2)]


def test_what_is_aliased_is_said_in_words() -> None:
    assert aliases(design(9, 128)) == aliases(design(9, 512)) == ()
    assert aliases(design(3, 4)) == ("1 with -2×3", "2 with -1×3", "3 with -1×2")
    (word,) = words(design(9, 64), 4)
    (chain,) = [one for one in aliases(design(9, 64)) if one.startswith(written(word[:2]))]
    assert chain == f"{written(word[:2])} with {written(word[2:])}" and len(aliases(design(9, 64))) == 3


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (512, "512 cells, every set of blocks: nothing is aliased."),
        (128, "128 of 512 cells, resolution VI: no main effect or two-block interaction is aliased"),
        (64, "resolution IV: every main effect stands alone; cannot be told apart: 1×"),
        (16, "16 of 512 cells, resolution III: cannot be told apart: "),
    ],
)
def test_a_design_is_one_sentence(cells: int, said: str) -> None:
    assert said in summary(design(9, cells)) and summary(design(9, cells)).count(".") == 1
    assert len(summary(design(9, cells))) < 240


def test_long_chains_are_cut_short() -> None:
    assert "1×2 with 3×14 with 4×20 with 29 more, 1×3" in summary(design(64, 128))
    assert summary(design(64, 128)).startswith("128 of 2^64 cells, resolution IV")


@pytest.mark.parametrize(("n_blocks", "cells"), [(12, 2048), (12, 512), (12, 64), (60, 256)])
def test_the_search_takes_less_than_a_second(n_blocks: int, cells: int) -> None:
    started = time.process_time()
    found = design.__wrapped__(n_blocks, cells)
    assert time.process_time() - started < 1
    assert found == design(n_blocks, cells) and len(set(found.columns)) == n_blocks


@pytest.mark.parametrize(("n_blocks", "cells"), [(32, 64), (40, 128), (100, 256)])
def test_many_blocks_keep_main_effects_apart_while_half_as_many_as_cells(n_blocks: int, cells: int) -> None:
    assert design(n_blocks, cells).resolution == "IV"
    assert design(cells // 2 + 1, cells).resolution == "III"


@pytest.mark.parametrize(
    ("cells", "rule"),
    [
        (64, None),
        (16, None),
        (512, None),
        (48, "'search.cells' must be a power of two from 16 (more than 9, the number of blocks) to 512"),
        (1024, "to 512 (all sets of blocks), but got 1024"),
        (8, "but got 8"),
        (0, "but got 0"),
        (-4, "but got -4"),
    ],
)
def test_a_spec_that_asks_for_no_design_is_told_why(cells: int, rule: str | None) -> None:
    found = list(design_mistakes(9, cells))
    assert len(found) == (rule is not None) and (not rule or rule in found[0])


def test_no_such_design_is_an_error() -> None:
    with pytest.raises(UserError, match=r"power of two from 16 .* but got 100"):
        design(9, 100)
    with pytest.raises(UserError, match="to 4096, but got 8192"):
        design(15, 2**13)


@pytest.mark.parametrize(
    ("n_blocks", "cells", "rule"),
    [
        (9, 16, None),
        (8, 8, "from 16 (more than 8, the number of blocks) to 256 (all sets of blocks), but got 8"),
        (8, 16, None),
        (7, 8, None),
        (8, 256, None),
        (8, 512, "but got 512"),
        (13, 4096, None),
        (13, 8192, "to 4096, but got 8192"),
        (1, 2, None),
        (1, 1, "must be a power of two from 2 (more than 1, the number of blocks) to 2 (all sets of blocks)"),
    ],
)
def test_the_least_and_the_most_cells(n_blocks: int, cells: int, rule: str | None) -> None:
    found = list(design_mistakes(n_blocks, cells))
    assert (rule is None) == (found == []) and (rule is None or rule in found[0])
    assert LARGEST_CELLS == 4096 and ("all sets" in "".join(found)) == (found != [] and n_blocks < 13)


@pytest.mark.parametrize(("shortest", "said"), [(0, "full"), (3, "III"), (14, "XIV"), (15, "15")])
def test_resolutions_are_roman_as_far_as_the_table_goes(shortest: int, said: str) -> None:
    assert Design(20, 64, (), shortest).resolution == said


# Written down as they are: sweeps record their masks by the design, and must find the same one again.
@pytest.mark.parametrize(
    ("n_blocks", "cells", "columns"),
    [
        (3, 8, (1, 2, 4)),
        (5, 8, (1, 2, 4, 7, 3)),
        (9, 16, (1, 2, 4, 8, 7, 11, 13, 14, 3)),
        (9, 64, (1, 2, 4, 8, 16, 32, 31, 39, 41)),
        (12, 32, (1, 2, 4, 8, 16, 31, 7, 11, 21, 25, 13, 14)),
        (20, 64, (1, 2, 4, 8, 16, 32, 31, 39, 41, 51, 13, 21, 11, 52, 58, 22, 25, 28, 46, 61)),
        (
            30,
            64,
            (
                1,
                2,
                4,
                8,
                16,
                32,
                31,
                35,
                13,
                52,
                14,
                55,
                21,
                37,
                44,
                62,
                7,
                25,
                11,
                61,
                19,
                49,
                22,
                41,
                38,
                26,
                28,
                42,
                47,
                50,
            ),
        ),
    ],
)
def test_a_design_stays_what_it_was(n_blocks: int, cells: int, columns: tuple[int, ...]) -> None:
    assert design(n_blocks, cells).columns == columns


def test_the_cells_of_a_small_design_by_hand() -> None:
    """Columns 1, 2, 3 and cells 0 to 3: an odd number of bits in common trains the block."""
    found = Design(3, 4, (1, 2, 3), 3)
    assert [mask.blocks for mask in masks(found)] == [(), (1, 2), (1, 3), (2, 3)]
    assert words(found, 3) == ((1, 2, 3),) and words(found, 2) == () and words(found, 9) == ((1, 2, 3),)
    assert chains(found) == ((((1,), 1), ((2, 3), -1)), (((2,), 1), ((1, 3), -1)), (((3,), 1), ((1, 2), -1)))


@pytest.mark.parametrize(
    ("longest", "said"),
    [
        (None, "1×2 with 3×4 with 5×6"),
        (3, "1×2 with 3×4 with 5×6"),
        (2, "1×2 with 3×4 with 1 more"),
        (1, "1×2 with 2 more"),
    ],
)
def test_a_chain_says_how_many_it_leaves_out(longest: int | None, said: str) -> None:
    assert aliases(Design(6, 32, (1, 2, 4, 7, 8, 11), 4), longest)[0] == said


@pytest.mark.parametrize(
    ("shown", "said"),
    [(3, "1 with -2×3, 2 with -1×3, 3 with -1×2."), (2, "1 with -2×3, 2 with -1×3, and 1 more.")],
)
def test_a_summary_says_how_many_chains_it_leaves_out(shown: int, said: str) -> None:
    assert summary(design(3, 4), shown).endswith(f"cannot be told apart: {said}")


@pytest.mark.parametrize(("n_blocks", "of"), [(20, "1048576 cells"), (21, "2^21 cells")])
def test_more_sets_than_a_million_are_written_as_a_power(n_blocks: int, of: str) -> None:
    assert f" of {of}" in summary(Design(n_blocks, 32, tuple(1 + block for block in range(n_blocks)), 3))


@pytest.mark.parametrize(
    ("n_blocks", "cells", "pattern"),
    [
        (9, 64, (0, 0, 0, 0, 1, 4, 2, 0, 0, 0)),
        (12, 64, (0, 0, 0, 0, 6, 24, 16, 0, 9, 8, 0, 0, 0)),
        (13, 64, (0, 0, 0, 0, 14, 28, 24, 24, 17, 12, 8, 0, 0, 0)),
        (20, 512, (0, 0, 0, 0, 0, 16, 120, 240, 130, 160, 528, 480, 120, 80, 120, 48, 5, 0, 0, 0, 0)),
        (21, 512, (0, 0, 0, 0, 0, 37, 152, 280, 290)),
        (
            30,
            64,
            (
                0,
                0,
                0,
                0,
                945,
                0,
                18200,
                0,
                183885,
                0,
                936936,
                0,
                2705885,
                0,
                4541040,
                0,
                4547475,
                0,
                2700880,
                0,
                939939,
                0,
                182520,
                0,
                18655,
                0,
                840,
                0,
                15,
                0,
                0,
            ),
        ),
        (40, 128, (0, 0, 0, 0, 1486, 0, 59899, 0, 1201084)),
    ],
)
def test_words_are_counted_by_length_up_to_eight_in_large_designs(
    n_blocks: int, cells: int, pattern: tuple[int, ...]
) -> None:
    columns, found = least_aberration(n_blocks, cells)
    assert found == pattern and len(set(columns)) == n_blocks and 0 < min(columns) <= max(columns) < cells

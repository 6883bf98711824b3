from __future__ import annotations

import pytest

from tests.tracking.best_mask.made_up_answers import answer
from tests.tracking.best_mask.test_answer import SETS, level, sample
from tests.tracking.made_up import repeated, subset_record
from tracking.best_mask.answer import BestMask
from tracking.best_mask.tables import (
    LARGEST_PAIRS,
    effect_table,
    front_table,
    is_best,
    not_told_apart,
    pair_table,
    tie_table,
)
from tracking.record import SweepRecord


@pytest.fixture(scope="module")
def equal() -> BestMask:
    """Sixty masks without a difference: nearly all tie."""
    return answer(subset_record(sample(60), lambda _: 0.5))


@pytest.mark.parametrize("most", [1, 12, 1000])
def test_the_best_is_never_left_out(equal: BestMask, most: int) -> None:
    table = tie_table(equal, most)
    assert len(table.rows) == min(most, len(equal.tied)) and len(table.rows) + table.left == len(equal.tied)
    assert sum(row[0].startswith(equal.best.mask) and row[4] == "0.000" for row in table.rows) == 1
    assert sum(is_best(one, equal) for one in equal.compared) == 1


def test_tests_and_seeds_have_columns_of_their_own(record: SweepRecord) -> None:
    found = answer(repeated(record))
    plain, tested = tie_table(found, 20), tie_table(found, 20, tests=True)
    assert plain.heads[-1] == "chosen" and tested.heads == (*plain.heads, "p (all pairs)", "seed SD (SE)")
    assert all(row[: len(plain.heads)] == short for row, short in zip(tested.rows, plain.rows, strict=True))


def test_a_setting_has_a_column_where_it_was_searched() -> None:
    found = answer(subset_record([(1,), (2,)], level, settings=((6, 1e-3), (12, 1e-3))))
    for table in (tie_table(found, 9), front_table(found, "parameters", 9)):
        assert table.heads[1] == "setting" and table.rows[0][1].endswith(" epochs, lr 0.001")
        assert all(len(row) == len(table.heads) for row in table.rows)


def test_fronts_are_cut_from_the_dear_end(equal: BestMask) -> None:
    front = equal.pareto.parameters
    table = front_table(equal, "parameters", 1)
    assert table.rows[0][0].startswith(front[0].mask) and table.left == len(front) - 1


def test_effects_and_the_largest_interactions() -> None:
    effects = answer(subset_record(SETS, level)).effects
    assert effects is not None
    assert [row[0] for row in effect_table(effects).rows] == [str(block) for block in range(1, 10)]
    pairs = pair_table(effects)
    assert pairs is not None and len(pairs.rows) == LARGEST_PAIRS and pairs.rows[0][0] == "1×2"
    assert not_told_apart(effects) == ""


def test_a_sample_has_no_interactions_and_says_what_it_cannot_tell_apart(equal: BestMask) -> None:
    few = answer(subset_record(sample(20), level)).effects
    assert few is not None and pair_table(few) is None
    assert not_told_apart(few).startswith("Not told apart: ")

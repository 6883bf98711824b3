from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain, combinations

import numpy as np
import pytest

from tests.tracking.made_up import sweep_info
from tracking.best_mask.block_effects import Effects, Term, block_effects, columns, inflation, usable


def every(n_blocks: int) -> list[Term]:
    """All sets of blocks, the empty one first."""
    return list(chain.from_iterable(combinations(range(1, n_blocks + 1), size) for size in range(n_blocks + 1)))


def fraction() -> list[Term]:
    """The textbook's 2^(4-1), resolution IV: block 4 thawed where an odd number of blocks 1-3 is."""
    return [one if len(one) % 2 == 0 else (*one, 4) for one in every(3)]


def found(masks: Sequence[Term], folds: np.ndarray, n_blocks: int, **more: Sequence[object]) -> Effects:
    effects = block_effects(masks, folds, replace(sweep_info(), n_blocks=n_blocks), **more)
    assert effects is not None
    return effects


def means(folds: np.ndarray, masks: Sequence[Term], *blocks: int, **frozen: int) -> np.ndarray:
    """Mean over the masks that thaw `blocks`, and freeze what `frozen` names, fold by fold."""
    kept = [set(blocks) <= set(mask) and not set(frozen.values()) & set(mask) for mask in masks]
    return np.asarray(folds[kept].mean(axis=0))


def test_a_full_design_gives_the_textbook_contrasts() -> None:
    masks, folds = every(3), np.random.default_rng(0).random((8, 5))
    effects = found(masks, folds, 3)
    assert effects.design == "full" and effects.clear and not effects.inseparable
    for one in effects.mains:
        contrast = means(folds, masks, *one.blocks) - means(folds, masks, a=one.blocks[0])
        assert one.comparison.folds == pytest.approx(contrast)
    for one in effects.pairs:
        first, second = one.blocks
        with_it = means(folds, masks, first, second) - means(folds, masks, second, a=first)
        without = means(folds, masks, first, a=second) - means(folds, masks, a=first, b=second)
        assert one.comparison.folds == pytest.approx((with_it - without) / 2)
    assert [one.blocks for one in effects.pairs] == [(1, 2), (1, 3), (2, 3)]


def test_a_fraction_gives_main_effects_clear_of_pairs() -> None:
    masks, folds = fraction(), np.random.default_rng(1).random((8, 5))
    effects = found(masks, folds, 4)
    assert (effects.design, effects.clear, effects.pairs) == ("balanced", True, ())
    for one in effects.mains:
        contrast = means(folds, masks, *one.blocks) - means(folds, masks, a=one.blocks[0])
        assert one.comparison.folds == pytest.approx(contrast)


def test_a_sample_finds_what_was_put_in() -> None:
    rng = np.random.default_rng(2)
    masks = [every(9)[place] for place in rng.choice(np.arange(1, 512), 90, replace=False)]
    dice = [0.5 + 0.06 * (3 in mask) - 0.02 * (7 in mask) + 0.04 * (3 in mask and 5 in mask) for mask in masks]
    folds = np.array(dice)[:, None] + np.zeros(5)
    effects = found(masks, folds, 9)
    mains = {one.blocks: one.comparison.mean for one in effects.mains}
    pairs = {one.blocks: one.comparison.mean for one in effects.pairs}
    assert effects.design == "sample" and len(pairs) == 36
    assert (mains[3,], mains[7,], mains[5,], mains[1,]) == pytest.approx((0.08, -0.02, 0.02, 0), abs=1e-9)
    assert (pairs[3, 5], pairs[3, 7]) == pytest.approx((0.02, 0), abs=1e-9)


def test_too_few_masks_for_pairs_and_a_block_that_never_varies() -> None:
    masks = [(*one, 4) for one in every(3)]
    effects = found(masks, np.random.default_rng(3).random((8, 5)), 4)
    assert effects.inseparable == (4,) and [one.blocks for one in effects.mains] == [(1,), (2,), (3,)]
    assert effects.pairs == () and not effects.clear  # 1×4 passes for 1
    assert block_effects([(1,), (2,)], np.ones((2, 5)), sweep_info()) is None


def test_a_setting_does_not_pass_for_a_block() -> None:
    masks = [*every(3)[1:], *every(3)[4:]]
    settings = ["short"] * 7 + ["long"] * 4  # the longer training was given to the larger sets
    folds = np.array([0.5 + 0.05 * (1 in mask) for mask in masks])[:, None] + np.zeros(5)
    folds[7:] += 0.2
    effects = found(masks, folds, 3, settings=settings)
    assert [one.comparison.mean for one in effects.mains] == pytest.approx([0.05, 0, 0], abs=1e-9)


def test_a_fold_without_a_score_is_left_out() -> None:
    folds = np.random.default_rng(4).random((8, 5))
    folds[3, 2] = np.nan
    effects = found(every(3), folds, 3)
    assert all(np.isnan(one.comparison.folds[2]) and one.comparison.df == 3 for one in effects.mains)


def test_holm_runs_over_blocks_and_over_pairs() -> None:
    effects = found(every(3), np.random.default_rng(5).random((8, 5)), 3)
    for kind in (effects.mains, effects.pairs):
        smallest = min(kind, key=lambda one: one.comparison.p).comparison
        assert smallest.p_holm == pytest.approx(min(1, 3 * smallest.p))


@pytest.mark.parametrize(
    ("masks", "n_blocks", "kept"),
    [
        (every(3), 3, 8),  # every set
        (every(3)[1:], 3, 7),  # every set but the empty one
        ([*fraction(), (4,), (1, 2, 3)], 4, 8),  # a design, and two baselines beside it
        ([*fraction()[1:], (4,), ()], 4, 8),
        ([(1,), (1, 2), (2, 3), ()], 4, 3),  # a sample
    ],
)
def test_baselines_beside_a_design_and_the_empty_mask_of_a_sample_stay_out(
    masks: list[Term], n_blocks: int, kept: int
) -> None:
    assert len(usable(masks, n_blocks, {(), (4,), (1, 2, 3)})) == kept


@pytest.mark.parametrize(
    ("masks", "design"),
    [
        (every(3), "full"),
        (every(3)[1:], "full"),  # only the empty one, which zero-shot is, may be missing
        (fraction(), "balanced"),
        ([*fraction(), *fraction()], "balanced"),
        (every(4)[:-1], "sample"),
        ([*fraction()[1:], (1,)], "sample"),
    ],
)
def test_what_kind_of_design_it_is(masks: list[Term], design: str) -> None:
    n_blocks = max(block for mask in masks for block in mask)
    assert found(masks, np.random.default_rng(6).random((len(masks), 5)), n_blocks).design == design


def test_inflation_by_hand() -> None:
    assert inflation(columns(every(2), [(), (1,), (2,), (1, 2)])) == pytest.approx([1, 1, 1, 1])
    # Three of four cells: X'X has 3 on its diagonal and ±1 beside it, so (X'X)^-1 has 1/2 on its diagonal.
    assert inflation(columns(every(2)[1:], [(), (1,), (2,)])) == pytest.approx([1.5, 1.5, 1.5])
    twice = inflation(columns([(1, 2), ()], [(), (1,), (2,)]))
    assert twice[0] == pytest.approx(1) and np.isinf(twice[1:]).all()
    fewer_rows = inflation(columns([(1,)], [(), (1,), (2,)]))
    assert np.isinf(fewer_rows).all()


@pytest.mark.parametrize(("rows", "separable"), [(8, True), (80, False)])
def test_an_effect_that_varies_too_rarely_is_not_separable(rows: int, separable: bool) -> None:
    """Block 2 is frozen in a single of `rows` masks: variance inflated to about rows / 4."""
    masks: list[Term] = [*((1, 2) if place % 2 else (2,) for place in range(rows - 1)), (1,)]
    effects = found(masks, np.random.default_rng(7).random((rows, 5)), 2)
    assert (effects.inseparable == ()) is separable and effects.masks == rows
    assert [one.blocks for one in effects.mains] == ([(1,), (2,)] if separable else [(1,)])


def test_without_pairs_a_block_may_stand_for_one() -> None:
    """Of a half of all sets in which 3 is 1×2, every block passes for a pair; the fit gives their sum."""
    masks = [(), (1, 2), (1, 3), (2, 3)]
    effects = found(masks, np.random.default_rng(8).random((4, 5)), 3)
    assert effects.pairs == () and effects.inseparable == () and not effects.clear


def test_a_network_of_one_block_has_a_main_effect_and_no_pairs() -> None:
    folds = np.array([[0.5, 0.4, 0.3], [0.8, 0.6, 0.7]])
    effects = block_effects([(), (1,)], folds, replace(sweep_info(), n_blocks=1, folds=[["a"], ["b"], ["c"]]))
    assert effects is not None and effects.pairs == () and effects.clear
    assert effects.mains[0].comparison.folds == pytest.approx((0.3, 0.2, 0.4))


def test_spared_baselines_leave_in_the_fewest_that_make_a_design() -> None:
    masks = [*fraction(), (4,), (1, 2, 3)]
    assert usable(masks, 4, {(4,), (1, 2, 3)}) == list(range(8))
    assert usable(masks, 4, {(4,)}) == [place for place, mask in enumerate(masks) if mask]
    assert usable(fraction(), 4, {()}) == list(range(8))  # nothing has to go
    assert usable([(), (1,), (), (1, 2), (2,)], 2, set()) == [0, 1, 2, 3, 4]

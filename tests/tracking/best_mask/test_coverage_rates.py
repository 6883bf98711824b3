"""How often the printed intervals hold the truth: `-n 0 -s` shows the rates.

Made-up searches over sets of blocks whose true Dice is known, with errors as they were measured on real trainings, or
with none that all folds share (tests/tracking/equal_masks.py).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.tracking.best_mask.made_up_answers import answer
from tests.tracking.best_mask.test_answer import SETS
from tests.tracking.best_mask.test_block_effects import every
from tests.tracking.equal_masks import MEASURED
from tests.tracking.made_up import sweep_info
from tracking.analysis.seeds import read
from tracking.best_mask.block_effects import block_effects
from tracking.best_mask.candidates import candidates_of
from tracking.best_mask.references import judged

SWEEPS = 120
pytestmark = pytest.mark.slow  # hundreds of made-up searches each


ERRORS = {"independent": MEASURED.with_extra(0.0), "measured": MEASURED}


@pytest.mark.parametrize(("errors", "least"), [("independent", 0.95), ("measured", 0.93)])
def test_intervals_of_effects(errors: str, least: float) -> None:
    """All 32 sets of 5 blocks; true effects of 0.05, 0.02 and 0, and an interaction of -0.01."""
    rng, info, masks = np.random.default_rng(1), replace(sweep_info(), n_blocks=5), every(5)
    truth = {(1,): 0.04, (2,): 0.01, (3,): 0.0, (1, 2): -0.01, (4, 5): 0.0}
    true = np.array([0.05 * (1 in one) + 0.02 * (2 in one) - 0.02 * ({1, 2} <= set(one)) for one in masks])
    held: dict[tuple[int, ...], list[bool]] = {term: [] for term in truth}
    for _ in range(SWEEPS):
        drawn = ERRORS[errors].of_one().draw(rng, len(masks)).mean(axis=2)
        found = block_effects(masks, 0.6 + true[:, None] + drawn, info)
        assert found is not None
        for one in (*found.mains, *found.pairs):
            if one.blocks in truth:
                held[one.blocks].append(one.comparison.low <= truth[one.blocks] <= one.comparison.high)
    rates = {term: float(np.mean(one)) for term, one in held.items()}
    print(f"\neffects held, {errors} errors: {rates}")
    assert np.mean(list(rates.values())) > least


@pytest.mark.parametrize("differ", [0.0, 0.02], ids=["equal masks", "spread masks"])
def test_intervals_of_the_winner_over_a_reference(differ: float) -> None:
    """41 masks, chosen and judged on the same 30 images, so its lead looks larger than it is."""
    rng = np.random.default_rng(2)
    held, errors, naive = [], [], []
    for _ in range(SWEEPS):
        masks = [
            (6, 7, 8, 9),
            *(SETS[place] for place in rng.choice(500, 40, replace=False) if SETS[place] != (6, 7, 8, 9)),
        ]
        true = {mask: 0.6 + differ * rng.normal() for mask in masks}
        candidates = candidates_of(read(MEASURED.record(rng, masks, true.__getitem__)))
        for one in judged(candidates, draws=200).against:
            if one.name == "expanding":
                truth = true[candidates.winner.info.blocks] - true[6, 7, 8, 9]
                held.append(one.low <= truth <= one.high)
                errors.append(one.mean - truth)
                naive.append(one.apparent - truth)
    print(
        f"\nwinner - expanding held: {np.mean(held):.3f}; off by {np.mean(errors):+.4f}, before {np.mean(naive):+.4f}"
    )
    assert np.mean(held) > 0.92
    assert abs(np.mean(errors)) < 0.6 * np.mean(naive)


def test_what_ties_holds_the_truly_best_mask() -> None:
    """A mask ties where the 95 % interval of its distance from the best holds 0: at least 93.5 % of equal ones do."""
    rng = np.random.default_rng(3)
    kept, equal = [], []
    for _ in range(SWEEPS // 3):
        masks = [SETS[place] for place in rng.choice(511, 41, replace=False)]
        true = {mask: 0.6 + 0.03 * rng.normal() for mask in masks}
        tied = {one.blocks for one in answer(MEASURED.record(rng, masks, true.__getitem__)).tied}
        kept.append(max(masks, key=true.__getitem__) in tied)
        same = answer(MEASURED.record(rng, masks, lambda _: 0.6))
        equal.append(len(same.tied) / same.candidates)
    print(f"\nthe best mask ties: {np.mean(kept):.3f}; of equal masks tie: {np.mean(equal):.4f}")
    assert np.mean(kept) > 0.93 and np.mean(equal) > 0.935

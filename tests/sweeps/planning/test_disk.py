"""What a sweep takes on disk: the arithmetic against one real fold, and against itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sweeps.planning.disk import fold_disk, sweep_disk
from sweeps.planning.resolve import ResolvedSweep, resolve
from sweeps.spec.load import load_spec
from tests.benchmarks.disk import beside, measured

PAPER = [37_568, 221_440, 885_248, 3_539_968, 14_157_824, 9_438_208, 2_359_808, 590_080, 147_649]


def paper(*sets: str) -> ResolvedSweep:
    return resolve(load_spec("paper-ultrasound", sets=sets), PAPER)


@pytest.mark.slow
def test_a_real_fold_takes_what_is_computed(tmp_path: Path) -> None:
    found, parameters = measured(32, 4, "1-5", 3, tmp_path)
    for name, (computed, seen) in beside(fold_disk(parameters, 3, 32), found).items():
        slack = 40_000 if name != "scores" else 3_000  # names and shapes of the variables, which large ones drown
        assert computed - 2_000 <= seen <= computed + slack, name


def test_a_mask_at_the_papers_size_takes_gigabytes_and_without_its_weights_megabytes() -> None:
    fold = fold_disk(sum(PAPER), 33, 256)
    assert sum(PAPER) == 31_377_793
    assert 3.1e9 < 5 * fold.trained < 3.2e9 and 5 * fold.scores < 1.5e6
    assert fold_disk(0, 33, 256).trained == fold.scores


def test_keeping_the_best_takes_a_few_sets_and_keeping_all_takes_every_one() -> None:
    best, everything, none = (sweep_disk(paper(f"keep={keep}"), 0, 163) for keep in ("best", "all", "none"))
    assert none.after < best.after < everything.after == everything.everything == best.everything
    assert best.after < 3e9 < 40e9 < everything.after and everything.during == 0
    subsets = resolve(load_spec("paper-ultrasound", sets=["search.space=subsets"]), PAPER)
    all_sets = sweep_disk(subsets, 0, 163)
    assert all_sets.everything > 1e12 and all_sets.after + all_sets.during < 13e9


@pytest.mark.parametrize(
    ("more", "grows"), [("search.seeds=[0,1]", True), ("folds=10", True), ("search.neurons=[]", False)]
)
def test_seeds_and_folds_take_more(more: str, grows: bool) -> None:
    assert (sweep_disk(paper(more), 0, 163).after > sweep_disk(paper(), 0, 163).after) == grows
    further = sweep_disk(replace(paper()), 10, 163)
    assert further.after > sweep_disk(paper(), 0, 163).after

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.tracking.made_up import repeated, trial_info
from tracking.analysis.comparisons import DEEP, SHALLOW, at_setting, compare, compare_budget, curve, main_setting
from tracking.analysis.seeds import Repeats, read
from tracking.record import SweepRecord


def test_the_common_rate_is_the_one_with_most_masks(record: SweepRecord) -> None:
    folds = dict.fromkeys(("dice", "pixel_error", "ari"), (0.99,) * 5)
    info = trial_info("shallow-first", 5, rate=1e-2)
    lone = replace(record.trials[0], info=info, status="FINISHED", folds=folds)
    assert main_setting((*record.finished, lone)) == (12, 1e-3)


def test_depths_are_compared_pairwise_and_missing_masks_are_named(record: SweepRecord) -> None:
    main = at_setting(record.finished, 12, 1e-3)
    whole = compare(main, record.info)
    assert [one.depth for one in whole.by_depth] == list(range(1, 9)) and whole.missing == ()
    third = whole.by_depth[2]
    shallow, deep = (curve(main, order)[3].folds["dice"] for order in (SHALLOW, DEEP))
    assert third.folds == pytest.approx(np.subtract(shallow, deep)) and third.p_holm >= third.p
    less = compare([one for one in main if one.info.candidate.mask not in ("1-5", "9")], record.info)
    assert less.missing == ("contracting (1-5)", "shallow-5", "deep-1") and less.titled == ()
    assert [one.depth for one in less.by_depth] == [2, 3, 4, 6, 7, 8]


def test_noise_is_that_of_the_same_difference_seed_by_seed(record: SweepRecord) -> None:
    reading = read(repeated(record, (0, 1)))
    main = at_setting(reading.honest.finished, 12, 1e-3)
    found = compare(main, record.info, reading.repeats)
    by_seed = [compare(selection, record.info) for selection in reading.repeats.by_seed(main)]
    for key in ("contracting_vs_expanding", "area_between_curves"):
        assert getattr(found, key).noise.per_seed == tuple(getattr(one, key).mean for one in by_seed)
    assert compare(main, record.info).by_depth[0].noise is None


def test_one_budget_has_the_co_primary_comparisons_only(record: SweepRecord) -> None:
    short = compare_budget(record.finished, 6, 1e-3, record.info, Repeats())
    assert short.epochs == 6 and [title for title, _ in short.titled] == ["contracting − expanding"]


def test_a_network_of_one_block_has_nothing_to_compare(record: SweepRecord) -> None:
    info = replace(record.info, n_blocks=1, block_params=[640], named_masks={"contracting": "all", "expanding": "none"})
    found = compare([], info)
    assert found.titled == () and found.missing == ("contracting (all)", "expanding (none)")

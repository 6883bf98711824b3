from __future__ import annotations

import numpy as np
import pytest

from tests.tracking.made_up import fold_results, sweep_info, trial_info
from tracking.analysis.convergence import budget_steps
from tracking.record import SweepRecord
from tracking.statistics import corrected_t


def test_changes_are_paired_by_mask_and_fold(record: SweepRecord) -> None:
    (step,) = budget_steps(record.finished, 1e-3, record.info)
    assert (step.shorter, step.longer) == (6, 12)
    assert [one.mask for one in step.masks] == ["1-4", "6-9", "1-5", "5-9"]  # cheapest first
    results = [fold_results(trial_info("shallow-first", 5, epochs)) for epochs in (12, 6)]
    longer, shorter = ([result.mean("dice") for result in folds] for folds in results)
    expected = corrected_t(list(np.subtract(longer, shorter)), [24] * 5, [6] * 5)
    one = step.masks[2]
    assert (one.mean, one.p) == pytest.approx((expected.mean, expected.p))
    assert one.p_holm >= one.p


def test_one_budget_shows_no_convergence(record: SweepRecord) -> None:
    only = [one for one in record.finished if one.info.candidate.epochs == 12]
    assert budget_steps(only, 1e-3, sweep_info()) == ()
    assert budget_steps([], None, sweep_info()) == ()

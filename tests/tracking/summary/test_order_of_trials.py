"""Nothing in a summary depends on the order in which trials were trained, ties least of all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.tracking.made_up import scratch_info, subset_record, trial_record
from tracking import as_json
from tracking.record import SweepRecord, TrialRecord
from tracking.summary.sweep import summarise

MASKS = [(1,), (2,), (1, 2), (1, 2, 3, 4, 5), (6, 7, 8, 9), tuple(range(1, 10)), (2, 4, 9)]


def at_more_epochs(trial: TrialRecord) -> TrialRecord:
    candidate = replace(trial.info.candidate, epochs=trial.info.candidate.epochs + 1)
    return replace(trial, info=replace(trial.info, candidate=candidate), run_id=f"{trial.run_id}-later")


@pytest.fixture(scope="module")
def tied() -> SweepRecord:
    """Every mask, and training from scratch, at two budgets that score alike."""
    record = subset_record(MASKS, lambda blocks: 0.5, noise=0.0)
    trained = [*record.trials, trial_record(scratch_info())]
    return replace(record, trials=(*trained, *(at_more_epochs(trial) for trial in trained if trial.info.blocks)))


@pytest.mark.parametrize("seed", range(3))
def test_a_summary_is_that_of_any_order(tied: SweepRecord, seed: int) -> None:
    order = np.random.default_rng(seed).permutation(len(tied.trials))
    shuffled = replace(tied, trials=tuple(tied.trials[index] for index in order))
    assert as_json.to_json(summarise(shuffled)) == as_json.to_json(summarise(tied))

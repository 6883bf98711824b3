from __future__ import annotations

import time
from dataclasses import replace

import pytest

from tests.tracking.made_up import fold_results, record_trial, sweep_info, trial_info, trial_record
from tracking.store.writer import Tracker
from trainer.errors import UserError

CONTRACTING = trial_info("shallow-first", 5)


def test_reading_back_gives_the_same_bits(tracker: Tracker) -> None:
    run_id = record_trial(tracker, tracker.open_sweep(sweep_info()), CONTRACTING)
    (trial,) = tracker.read_sweep("demo").trials
    # repr: NaN is not equal to itself. The montage is read when a page shows it.
    assert repr(trial) == repr(replace(trial_record(CONTRACTING), run_id=run_id, montage=None))


def test_a_cut_off_trial_reads_back_with_the_folds_it_has(tracker: Tracker) -> None:
    run_id = tracker.open_trial(tracker.open_sweep(sweep_info()), CONTRACTING)
    for result in fold_results(CONTRACTING)[:2]:
        tracker.log_fold(run_id, result)
    (trial,) = tracker.read_sweep("demo").trials
    assert repr(trial) == repr(replace(trial_record(CONTRACTING, "RUNNING", folds=2), run_id=run_id))
    assert trial.folds_done == 2


def test_the_sweep_reads_back_as_it_was_opened(tracker: Tracker) -> None:
    tracker.open_sweep(sweep_info())
    assert tracker.read_sweep().info == sweep_info()


def test_unknown_and_missing_sweeps(tracker: Tracker) -> None:
    with pytest.raises(UserError, match=r"no sweep .* Run one first"):
        tracker.read_sweep()
    tracker.open_sweep(sweep_info("ultrasound"))
    with pytest.raises(UserError, match="Unknown sweep 'ultrasuond'; did you mean 'ultrasound'"):
        tracker.read_sweep("ultrasuond")


def test_the_newest_sweep_is_the_one_last_at_work(tracker: Tracker) -> None:
    first, second = (tracker.open_sweep(sweep_info(name)) for name in ("one", "two"))
    for run_id in (second, first):
        tracker.finish_sweep(run_id, "")
        time.sleep(0.01)
    assert tracker.read_sweep().info.name == "one"

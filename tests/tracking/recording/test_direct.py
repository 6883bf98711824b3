from __future__ import annotations

import pytest

from tests.tracking.made_up import fold_results, montage_png, sweep_info, trial_info
from tracking.attempt import ALONE, Attempt
from tracking.image_archive import PREDICTIONS
from tracking.recording.contract import Ending
from tracking.recording.direct import DirectRecorder
from tracking.store.writer import Tracker
from trainer.errors import LeaseLost

CONTRACTING = trial_info("shallow-first", 5)


def ending() -> Ending:
    neurons = {"am/1/0": montage_png()}
    return Ending(fold_results(CONTRACTING), montage_png(), neurons, b"packed", [("fold_1.npz", b"weights")])


def test_what_is_told_is_recorded_at_once_and_looked_up(tracker: Tracker) -> None:
    recorder = DirectRecorder(tracker, tracker.open_sweep(sweep_info()))
    assert recorder.look(CONTRACTING.candidate, ALONE) is None
    trial = recorder.open(CONTRACTING, ALONE)
    for result in fold_results(CONTRACTING):
        trial.fold(result, lambda: None)
    trial.finish(ending())
    state = recorder.look(CONTRACTING.candidate, ALONE)
    assert state is not None and (state.status, state.folds) == ("FINISHED", 5)
    assert trial.page == recorder.page(state.run_id) and list(trial.kept(1)) == []
    assert tracker.read_file(state.run_id, PREDICTIONS) == b"packed"


def test_who_lost_the_trial_records_nothing(tracker: Tracker) -> None:
    def lost() -> None:
        raise LeaseLost("another worker has it")

    recorder = DirectRecorder(tracker, tracker.open_sweep(sweep_info()))
    mine, gone = recorder.open(CONTRACTING, ALONE), Attempt(still_mine=lost)
    with pytest.raises(LeaseLost):
        recorder.open(trial_info("deep-first", 4), gone)
    mine.fail("diverged")
    assert [state.status for state in tracker.trials(recorder.sweep_run).values()] == ["FAILED"]

"""Of several runs of a candidate that of the latest attempt counts, wherever it is asked."""

from __future__ import annotations

import pytest

from tests.tracking.made_up import fold_results, sweep_info, trial_info
from tracking.store.attempts import ATTEMPT, folds_from_tags, folds_tag, kept_fold
from tracking.store.writer import Tracker

INFO = trial_info("shallow-first", 5)


@pytest.mark.parametrize("order", [(1, 12), (12, 1)])
def test_only_the_latest_attempt_is_read(tracker: Tracker, order: tuple[int, int]) -> None:
    sweep = tracker.open_sweep(sweep_info())
    for number in order:
        run = tracker.make_run(sweep, INFO, {ATTEMPT: str(number)})
        tracker.begin(run, INFO)
        if number == 1:
            tracker.finish_trial(run.info.run_id, fold_results(INFO), b"")
    state = tracker.trial(sweep, INFO.candidate)
    assert state is not None and state.status == "RUNNING"
    assert list(tracker.trials(sweep).values()) == [state]
    assert [trial.run_id for trial in tracker.read_sweep().trials] == [state.run_id]
    assert tracker.highest(sweep, INFO.candidate, {INFO.candidate}) is None


def test_the_folds_in_tags_come_back_and_damaged_ones_count_as_none() -> None:
    kept = [kept_fold(fold, epochs, "run", b"x" * fold) for fold in (1, 2) for epochs in (6, 12)]
    tags = folds_tag(kept, 6) | folds_tag(kept, 12)
    assert sorted(map(repr, folds_from_tags(tags))) == sorted(map(repr, kept)) and folds_tag(kept, 7) == {}
    assert kept[-1].is_whole(b"xx") and not kept[-1].is_whole(b"xy")
    damaged = ['{"1": []}', '{"a": ["run", 1, "d"]}', '{"1": ["run", -1, "d"]}', '{"1": ["run", "9", "d"]}']
    for text in ("{", "[]", *damaged):
        assert folds_from_tags({"thaw.folds.6": text}) == []

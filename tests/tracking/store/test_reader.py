from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.tracking.made_up import fold_results, leaky_record, record_trial, sweep_info, trial_info, trial_record
from tracking.image_scores import ImageScores
from tracking.record import Refit
from tracking.store import schema
from tracking.store.score_tags import TAG
from tracking.store.writer import Tracker
from tracking.sweep_names import HELD_OUT, outer_name
from trainer.errors import UserError

CONTRACTING = trial_info("shallow-first", 5)
EXPANDING = trial_info("deep-first", 4)


class Counting(Tracker):
    """A tracker that notes which artifacts are read through it."""

    def __init__(self, real: Tracker) -> None:
        super().__init__(real.client, real.uri, real.artifacts)
        self.read: list[str] = []

    def _artifact(self, run_id: str, path: str, where: str = "") -> bytes | None:
        self.read.append(path)
        return super()._artifact(run_id, path, where)


def scores_file(tracker: Tracker) -> Path:
    assert tracker.artifacts is not None
    (path,) = tracker.artifacts.rglob("scores.json")
    return path


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


def test_no_trial_costs_an_artifact(tracker: Tracker) -> None:
    sweep = tracker.open_sweep(sweep_info())
    for info in (CONTRACTING, EXPANDING):
        run_id = record_trial(tracker, sweep, info)
    counting = Counting(tracker)
    assert all(isinstance(trial.scores, ImageScores) for trial in counting.read_sweep("demo").trials)
    for _ in range(2):
        assert repr(counting.dice_by_image(run_id)) == repr(trial_record(EXPANDING).dice_by_image)
    assert counting.read == ["info.json"] * 2  # once for the sweep, once for all trials asked for one by one


def test_a_leaky_trial_reads_back_with_its_copies(tracker: Tracker) -> None:
    leaky = leaky_record(CONTRACTING)
    scores = [[score for at, score in leaky.scores if at == fold] for fold in range(1, 6)]
    results = [replace(one, scores=tuple(scores[one.fold - 1])) for one in fold_results(CONTRACTING)]
    run_id = tracker.open_trial(tracker.open_sweep(sweep_info()), leaky.info)
    tracker.finish_trial(run_id, results, b"")
    counting = Counting(tracker)
    (trial,) = counting.read_sweep("demo").trials
    assert repr(trial.scores) == repr(tuple((one.fold, score) for one in results for score in one.scores))
    assert counting.read == ["info.json"]


@pytest.mark.parametrize("harm", ["missing", "damaged"])
def test_without_whole_tags_the_artifact_is_read_and_without_both_the_error_says_what_to_do(
    tracker: Tracker, harm: str
) -> None:
    run_id = record_trial(tracker, tracker.open_sweep(sweep_info()), CONTRACTING)
    if harm == "missing":
        tracker.client.delete_tag(run_id, f"{TAG}0")
    else:
        tracker.client.set_tag(run_id, f"{TAG}0", "{")
    counting = Counting(tracker)
    (trial,) = counting.read_sweep("demo").trials
    assert repr(trial) == repr(replace(trial_record(CONTRACTING), run_id=run_id, montage=None))
    assert counting.read == ["info.json", "scores.json"]
    scores_file(tracker).write_text("[")
    with pytest.raises(UserError, match=rf"scores\.json of run {run_id} is missing or damaged; .* run the sweep again"):
        tracker.read_sweep("demo")


def test_whole_tags_need_no_artifact(tracker: Tracker) -> None:
    record_trial(tracker, tracker.open_sweep(sweep_info()), CONTRACTING)
    scores_file(tracker).unlink()
    assert len(tracker.read_sweep("demo").trials[0].scores) == 30


def test_a_sweep_of_before_reads_as_it_was(tracker: Tracker) -> None:
    before = replace(sweep_info(), labels=[])
    run_id = record_trial(tracker, tracker.open_sweep(before), CONTRACTING)
    for tag in (f"{TAG}0", schema.VERSION_TAG):
        tracker.client.delete_tag(run_id, tag)
    (trial,) = tracker.read_sweep("demo").trials
    assert repr(trial.scores) == repr(trial_record(CONTRACTING).scores)
    tracker.open_sweep(sweep_info())  # goes on with it: from now on it knows its labels
    new = record_trial(tracker, tracker.open_sweep(sweep_info()), EXPANDING)
    counting = Counting(tracker)
    read = {trial.run_id: trial for trial in counting.read_sweep("demo").trials}
    assert repr(read[new].scores) == repr(trial_record(EXPANDING).scores)
    assert counting.read == ["info.json", "scores.json"]  # the old trial's


def test_a_trial_of_a_later_version_is_refused_wherever_it_is_read(tracker: Tracker) -> None:
    sweep = tracker.open_sweep(sweep_info())
    run_id = record_trial(tracker, sweep, CONTRACTING)
    tracker.client.set_tag(run_id, schema.VERSION_TAG, "2")
    for read in (lambda: tracker.read_sweep("demo"), lambda: tracker.trials(sweep)):
        with pytest.raises(UserError, match=f"trial in run {run_id} has version 2, but this thaw reads"):
            read()


def test_a_trial_that_two_pages_show_is_one_trial(tracker: Tracker, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = tracker.open_sweep(sweep_info())
    runs = [record_trial(tracker, sweep, info) for info in (CONTRACTING, EXPANDING)]
    pages = tracker._pages

    def overlapping(*args: Any, **kwargs: Any) -> Iterator[Any]:
        for run in pages(*args, **kwargs):
            yield from (run, run)

    monkeypatch.setattr(tracker, "_pages", overlapping)
    assert sorted(trial.run_id for trial in tracker.read_sweep("demo").trials) == sorted(runs)


def test_the_sweeps_of_outer_parts_are_read_with_the_whole_and_never_taken_for_the_newest(tracker: Tracker) -> None:
    info = replace(sweep_info(), spec={**sweep_info().spec, "outer": 3})
    tracker.finish_sweep(tracker.open_sweep(info), "")
    part = replace(sweep_info(outer_name("demo", 2, 3)), spec={"held_out": {"part": 2, "parts": 3, "of": "demo"}})
    run_id = tracker.open_sweep(part)
    refit = Refit(CONTRACTING.candidate, {HELD_OUT: np.ones((1, 4, 6), np.int64)})
    tracker.record_refit(run_id, refit)
    record = tracker.read_sweep()
    assert record.info == info and [one is None for one in record.outer] == [True, False, True]
    assert record.outer[1] is not None and record.outer[1].info == part and record.outer[1].refit is not None
    assert record.outer[1].refit.candidate == CONTRACTING.candidate
    assert tracker.read_sweep(part.name).info == part and record.refit is None

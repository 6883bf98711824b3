"""A dropped trial is named with what it saved, and is nowhere taken for a trial."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.tracking.made_up import record_trial, rendered, summary_of, sweep_info, trial_info, trial_record
from tracking.analysis.early_stopped import early_stopped
from tracking.as_json import to_json
from tracking.record import SweepRecord
from tracking.report.text import to_text
from tracking.store.writer import Tracker


def with_dropped(record: SweepRecord) -> SweepRecord:
    """One dropped after a fold, one after three folds, and one whose longer training went on to the end."""
    infos = [trial_info("deep-first", 4, 30), trial_info("deep-first", 3, 30), trial_info("shallow-first", 2, 6)]
    dropped = [
        trial_record(info, "DROPPED", folds, "clearly worse") for info, folds in zip(infos, (1, 3, 1), strict=True)
    ]
    return replace(record, trials=(*record.trials, *dropped))


def test_what_was_saved_is_told_and_a_longer_training_saves_nothing(record: SweepRecord) -> None:
    found = early_stopped(with_dropped(record))
    assert found is not None
    assert [(one.name[:4], one.folds_done, one.reason) for one in found.trials] == [
        ("1-2 ", 1, "clearly worse"),
        ("6-9 ", 1, "clearly worse"),
        ("7-9 ", 3, "clearly worse"),
    ]
    # At 12 epochs 17 masks and one from scratch; at 30 two, of which 1 and 3 folds went through their 12 epochs.
    assert (found.saved, found.trainings) == (4 + 2, 5 * (17 + 1 + 2) - (1 + 3))
    assert found.sentence == (
        "3 trials were dropped early (2 after 1 fold, 1 after 3 folds): they have no score; 6 of 96 trainings saved."
    )


def test_the_rest_of_the_report_does_not_know_them(record: SweepRecord) -> None:
    def rest(one: SweepRecord) -> dict[str, Any]:
        fields: dict[str, Any] = json.loads(to_json(summary_of(one)))
        for name in ("dropped", "notes"):  # the answer counts them, and says so
            del fields["best_mask"][name]
        return {name: value for name, value in fields.items() if name != "dropped"}

    dropped = summary_of(with_dropped(record))
    assert rest(with_dropped(record)) == rest(record) and summary_of(record).dropped is None
    assert dropped.best_mask is not None and dropped.best_mask.dropped == 3


def test_a_planned_trial_that_was_dropped_is_still_to_be_done(record: SweepRecord) -> None:
    dropped = with_dropped(record)
    key = dropped.trials[-1].info.candidate.key
    planned = replace(dropped, info=replace(record.info, planned={key: "1-2 · 6 epochs"}))
    assert summary_of(planned).missing == ("1-2 · 6 epochs",)


def test_every_page_has_the_sentence(record: SweepRecord) -> None:
    dropped = with_dropped(record)
    summary = summary_of(dropped)
    assert summary.dropped is not None
    for text in (rendered(dropped), rendered(dropped, "markdown"), to_text(summary)):
        assert summary.dropped.sentence in text
    assert "dropped early" not in rendered(record)


def test_what_is_compared_with_is_the_highest_of_those_allowed(tmp_path: Path) -> None:
    tracker = Tracker.connect(f"sqlite:///{tmp_path / 'mlflow.db'}", tmp_path / "artifacts")
    sweep = tracker.open_sweep(sweep_info())
    for depth in (1, 3, 5):
        record_trial(tracker, sweep, trial_info("shallow-first", depth))
    ranked = sorted(tracker.trials(sweep).values(), key=lambda one: one.dice or 0.0)
    like = ranked[0].candidate
    for place in range(3):
        found = tracker.highest(sweep, like, {one.candidate for one in ranked[: place + 1]})
        assert found is not None and found.dice == ranked[place].dice
    assert tracker.highest(sweep, like, ()) is None
    assert {one.folds for one in ranked} == {5} and set(tracker.candidates("demo")) == {one.candidate for one in ranked}
    assert tracker.candidates("nobody") == ()

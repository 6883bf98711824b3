from __future__ import annotations

import math
from dataclasses import replace

import pytest

from tests.tracking.made_up import sweep_info, trial_info, trial_record
from tracking.record import SweepRecord, TrialState


@pytest.mark.parametrize(
    ("search", "searched"),
    [
        ({}, False),
        ({"strategy": "grid"}, False),
        ({"strategy": "exhaustive"}, False),
        ({"strategy": "factorial"}, False),
        ({"strategy": "guided"}, True),
        ({"strategy": "grid", "engine": "keras-tuner"}, True),
    ],
)
def test_a_sweep_is_searched_unless_its_strategy_lists_every_candidate(search: dict[str, str], searched: bool) -> None:
    assert replace(sweep_info(), spec={"search": search}).searched is searched


def test_a_spec_without_a_search_lists_its_candidates() -> None:
    assert not replace(sweep_info(), spec={}).searched and not replace(sweep_info(), spec={"search": None}).searched


def test_every_image_is_tested_once_and_trains_in_all_other_folds() -> None:
    assert replace(sweep_info(), folds=[["a", "b"], ["c"], ["d", "e", "f"]]).fold_sizes == ((4, 2), (5, 1), (3, 3))


def test_the_mask_of_all_blocks_is_on_both_orders() -> None:
    whole, part = trial_info("shallow-first", 9), trial_info("deep-first", 4)
    assert (whole.depth_in("shallow-first"), whole.depth_in("deep-first")) == (9, 9)
    assert (part.depth_in("deep-first"), part.depth_in("shallow-first")) == (4, None)


@pytest.mark.parametrize(
    ("status", "score", "cut_off"),
    [
        ("FINISHED", 0.8, False),
        ("DROPPED", 0.5, False),
        ("FAILED", 0.5, False),
        ("RUNNING", 0.5, True),
        ("KILLED", 0.5, True),
    ],
)
def test_the_score_of_a_finished_trial_is_its_dice_and_of_any_other_its_estimate(
    status: str, score: float, cut_off: bool
) -> None:
    state = TrialState("run", status, 0.8, trial_info("deep-first", 4).candidate, estimate=0.5)
    assert (state.score, state.cut_off) == (score, cut_off)


def test_a_fold_without_a_lesion_has_no_dice_but_is_done() -> None:
    trial = trial_record(trial_info("deep-first", 4))
    partly = replace(trial, folds={**trial.folds, "dice": (math.nan, 0.5, 0.7, math.nan, math.nan)})
    assert partly.mean_dice == pytest.approx(0.6) and partly.folds_done == 5
    assert trial_record(trial_info("deep-first", 4), "RUNNING", 3).folds_done == 3


def test_the_dice_of_every_image_is_that_of_its_score() -> None:
    trial = trial_record(trial_info("deep-first", 4))
    assert list(trial.dice_by_image) == [score.image for _, score in trial.scores]
    assert repr(list(trial.dice_by_image.values())) == repr([score.dice for _, score in trial.scores])
    assert math.isnan(trial.dice_by_image["case 2-5"])  # its truth is empty


def test_only_finished_trials_can_be_compared(record: SweepRecord) -> None:
    assert {trial.status for trial in record.trials} == {"FINISHED", "FAILED", "RUNNING"}
    assert [trial.status for trial in record.finished] == ["FINISHED"] * (len(record.trials) - 2)

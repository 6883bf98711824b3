from __future__ import annotations

import math
from dataclasses import replace

import pytest

from tests.tracking.made_up import sweep_info
from tracking.analysis.choice import case_objects, choice_object
from tracking.record import SweepRecord, TrialRecord
from tracking.statistics import spread


def main_trials(record: SweepRecord) -> list[TrialRecord]:
    return [one for one in record.finished if one.info.role == "trial" and one.info.candidate.epochs == 12]


def test_every_mask_is_compared_cheapest_first(record: SweepRecord) -> None:
    trials = main_trials(record)
    found = choice_object(trials, record.info)
    assert found is not None and found == choice_object(trials[::-1], record.info)
    costs = [one["trainable_params"] for one in found["compared"]]
    assert costs == sorted(costs) and len(costs) == 17
    top = max(trials, key=lambda one: spread(one.folds["dice"]).mean)
    assert found["best"]["mask"] == top.info.candidate.mask
    assert found["one_standard_error"]["trainable_params"] <= found["best"]["trainable_params"]
    assert found["one_standard_error"]["dice"] >= found["one_standard_error"]["floor"]
    winner = found["winner"]
    assert winner["images"] == 29 and winner["masks"] == 17  # of 30 images one has no lesion
    assert winner["corrected"] < winner["apparent"]
    assert sum(one["chosen"] for one in winner["frequencies"]) == pytest.approx(1)


def test_without_per_image_scores_there_is_no_correction(record: SweepRecord) -> None:
    trials = [replace(one, scores=()) for one in main_trials(record)]
    found = choice_object(trials, record.info)
    assert found is not None and found["winner"] is None and len(found["compared"]) == 17
    assert case_objects(trials, record.info) == []


def test_one_mask_is_no_choice(record: SweepRecord) -> None:
    one = main_trials(record)[0]
    lost = replace(one, folds={**one.folds, "dice": (math.nan,) * 5})
    assert choice_object([one], sweep_info()) is None and choice_object([one, lost], sweep_info()) is None

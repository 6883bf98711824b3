from __future__ import annotations

import math
from dataclasses import replace

from tests.tracking.made_up import rendered, summary_of, trial_info, trial_record
from tracking.analysis.trial import summarise_trial
from tracking.record import SweepRecord
from tracking.summary.distances_in_words import NONE, distance_cells, distance_heads, distance_sentence
from tracking.summary.experimental_setup import DistanceScale
from trainer.results import DISTANCES


def before_distances(record: SweepRecord) -> SweepRecord:
    """The sweep as a version of thaw without distances recorded it."""
    trials = [
        replace(
            trial,
            folds={**trial.folds, **dict.fromkeys(DISTANCES, (math.nan,) * 5)},
            scores=tuple((fold, replace(score, hd95=math.nan, surface_dice=math.nan)) for fold, score in trial.scores),
        )
        for trial in record.trials
    ]
    return replace(record, info=replace(record.info, distances={}), trials=tuple(trials))


def test_millimetres_and_the_tolerance_are_said(record: SweepRecord) -> None:
    summary = replace(summary_of(record), distances=DistanceScale("mm", 2.5))
    assert "Hausdorff distance in mm." in distance_sentence(summary) and "within 2.5 mm" in distance_sentence(summary)
    assert distance_heads(summary)[1] == "HD95 mm ± SD"
    cells = distance_cells(summarise_trial(trial_record(trial_info("shallow-first", 5))))
    assert len(cells) == len(distance_heads(summary)) and cells[0] == "1-5 (contracting)" and cells[-1] == "0"


def test_a_sweep_of_before_has_dashes_and_otherwise_the_same_numbers(record: SweepRecord) -> None:
    few = replace(record, trials=record.trials[8:11])
    before = before_distances(few)
    old, new = summary_of(before), summary_of(few)
    assert distance_sentence(old) == NONE and distance_heads(old)[1] == "HD95 ± SD"
    assert distance_cells(old.trials[0])[1:6] == ["–", "–", "–", "–", "–"]
    assert [trial.dice for trial in old.trials] == [trial.dice for trial in new.trials]
    assert (old.verdict, old.comparison) == (new.verdict, new.comparison), "distances decide nothing"
    assert '"distances": null' in rendered(before, "json")

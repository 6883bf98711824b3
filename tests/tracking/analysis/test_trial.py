from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.tracking.made_up import fold_results, scratch_info, trial_info, trial_record
from tracking.analysis.trial import report_order, summarise_trial
from tracking.record import METRICS
from tracking.statistics import spread


def test_numbers_are_those_of_folds_and_images() -> None:
    info = trial_info("shallow-first", 5)
    results = fold_results(info)
    found = summarise_trial(trial_record(info))
    for scores, metric in zip(found.metrics, METRICS, strict=True):
        folds = [result.mean(metric) for result in results]
        assert scores.folds == tuple(folds) and (scores.mean, scores.sd) == (spread(folds).mean, spread(folds).sd)
    benign = [score.dice for result in results for score in result.scores if score.label == "benign"]
    assert {label: one.images for label, one in found.by_class.items()} == {"benign": 20, "malignant": 10}
    assert found.by_class["benign"].dice == pytest.approx(np.nanmean(benign))
    assert found.empty_truths == 1 and found.false_positive_percent == pytest.approx(100 * 40 / 4096)


def test_what_was_not_trained_has_no_seed_and_no_order() -> None:
    found = summarise_trial(trial_record(trial_info("", 0)))
    assert (found.seeds, found.order, found.depth, found.noise) == ((), None, None, None)


def test_largest_budget_first_then_along_the_curves_baselines_last() -> None:
    infos = [trial_info("shallow-first", 2), trial_info("deep-first", 1), trial_info("shallow-first", 1)]
    infos += [trial_info("shallow-first", 1, 30), scratch_info(), trial_info("", 0)]
    ordered = sorted((trial_record(info) for info in infos), key=report_order)
    names = [(one.info.candidate.mask, one.info.candidate.epochs, one.info.role) for one in ordered]
    assert names == [
        ("1", 30, "trial"),
        ("1", 12, "trial"),
        ("1-2", 12, "trial"),
        ("9", 12, "trial"),
        ("all", 12, "scratch"),
        ("none", 0, "zero-shot"),
    ]


def test_equal_trials_of_other_seeds_keep_one_order() -> None:
    info = trial_info("shallow-first", 2)
    first, second = (trial_record(replace(info, candidate=replace(info.candidate, seed=seed))) for seed in (0, 1))
    assert report_order(first) < report_order(second)

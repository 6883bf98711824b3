from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.tracking.made_up import fold_results, rendered, summary_of, trial_info, trial_record
from tracking.as_json import to_json
from tracking.record import METRICS, SweepRecord
from tracking.statistics import corrected_t, spread
from tracking.summary.sweep import MainSetting, summarise


@pytest.fixture(scope="module")
def found(record: SweepRecord) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(to_json(summary_of(record)))
    return value


TOP = {
    "schema",
    "sweep",
    "digest",
    "finished",
    "data",
    "folds",
    "main",
    "trials",
    "baselines",
    "comparison",
    "verdict",
    "per_epochs",
    "failed",
    "unfinished",
    "missing",
    "model",
    "weights",
    "settings",
    "seed",
    "provenance",
    "best_mask",
    "convergence",
    "parameters",
    "cases",
    "external",
    "noise",
    "processors",
    "labelled_images",
    "leakage",
    "dropped",
    "distances",
}
TRIAL = {
    "mask",
    "aliases",
    "blocks",
    "order",
    "depth",
    "orders",
    "role",
    "start",
    "images",
    "epochs",
    "learning_rate",
    "train",
    "trainable_params",
    "dice",
    "pixel_error",
    "ari",
    "hd95",
    "surface_dice",
    "hd95_median",
    "nothing_predicted",
    "dice_pooled",
    "empty_truths",
    "false_positive_percent",
    "by_class",
    "per_image",
    "split",
    "seeds",
    "noise",
}
COMPARISON = {
    "mean",
    "sd",
    "se",
    "t",
    "df",
    "p",
    "p_holm",
    "low",
    "high",
    "p_above",
    "p_within",
    "p_below",
    "folds",
    "note",
    "threshold",
    "detectable",
    "noise",
}


def test_fields(found: dict[str, Any]) -> None:
    assert set(found) == TOP
    assert {"synthetic", "images", "groups", "duplicates", "empty_masks"} <= set(found["data"])
    assert found["sweep"] == "demo" and found["data"]["synthetic"] is True
    for trial in found["trials"]:
        assert set(trial) == TRIAL
        for metric in METRICS:
            assert set(trial[metric]) == {"mean", "sd", "sem", "folds"}
            assert len(trial[metric]["folds"]) == len(found["folds"]) == 5
    assert set(found["baselines"]) == {"zero_shot", "scratch", "all"}
    for name in ("contracting_vs_expanding", "area_between_curves"):
        assert set(found["comparison"][name]) == COMPARISON
    assert set(found["verdict"]) == {"finding", "sentence"}
    assert found["folds"][0] == {"fold": 1, "train": 24, "test": 6, "cases": [f"case 0-{i}" for i in range(6)]}


def test_numbers_are_those_of_the_folds(found: dict[str, Any]) -> None:
    info = trial_info("shallow-first", 5)
    (trial,) = [one for one in found["trials"] if (one["mask"], one["epochs"]) == ("1-5", 12)]
    folds = [result.mean("dice") for result in fold_results(info)]
    assert trial["dice"]["folds"] == folds
    assert trial["dice"]["sd"] == spread(folds).sd
    assert (trial["order"], trial["depth"], trial["blocks"]) == ("shallow-first", 5, [1, 2, 3, 4, 5])
    assert (trial["empty_truths"], trial["false_positive_percent"]) == (1, pytest.approx(100 * 40 / 4096))
    benign = [score.dice for result in fold_results(info) for score in result.scores if score.label == "benign"]
    assert trial["by_class"]["benign"] == {"images": 20, "dice": pytest.approx(np.nanmean(benign))}


def test_comparisons_are_paired_by_fold(found: dict[str, Any]) -> None:
    def dice(order: str, depth: int) -> Any:
        return np.array([result.mean("dice") for result in fold_results(trial_info(order, depth))])

    expected = corrected_t(list(dice("shallow-first", 5) - dice("deep-first", 4)), [24] * 5, [6] * 5)
    one = found["comparison"]["contracting_vs_expanding"]
    assert (one["mean"], one["p"], one["low"]) == (expected.mean, expected.p, expected.low)
    area = sum(dice("shallow-first", k) - dice("deep-first", k) for k in range(1, 9)) / 8
    assert found["comparison"]["area_between_curves"]["folds"] == pytest.approx(list(area))
    assert [one["depth"] for one in found["comparison"]["by_depth"]] == list(range(1, 9))
    assert one["p_holm"] >= one["p"]


def test_baselines_and_what_is_missing(found: dict[str, Any]) -> None:
    assert found["baselines"]["zero_shot"]["epochs"] == 0
    assert found["baselines"]["scratch"]["start"] == "scratch"
    assert found["baselines"]["all"]["mask"] == "all" and found["baselines"]["all"]["start"] == "pretrained"
    assert found["main"] == {"epochs": 12, "learning_rate": 0.001, "train": {}}
    assert found["failed"] == [{"name": "9 · 6 epochs · lr 0.001", "reason": "block 9 is dead"}]
    assert found["unfinished"] == [{"name": "1 · 6 epochs · lr 0.001", "folds_done": 1}]
    six, twelve = found["per_epochs"]
    assert six["contracting_vs_expanding"] is not None and six["area_between_curves"] is None
    assert twelve["contracting_vs_expanding"] == found["comparison"]["contracting_vs_expanding"]


def test_the_same_numbers_are_the_same_bytes_whatever_order_they_come_in(record: SweepRecord) -> None:
    other = replace(record, trials=tuple(reversed(record.trials)), run_id="other", started="later")
    first, second = (summary_of(one) for one in (record, other))
    assert first.provenance != second.provenance
    assert to_json(first) == to_json(replace(second, provenance=first.provenance))


def test_verdict_names_interval_cost_and_that_it_is_synthetic(found: dict[str, Any]) -> None:
    verdict = found["verdict"]
    assert verdict["finding"] == "shallow better"
    assert verdict["sentence"].startswith("Shallow better: contracting (1-5, Dice 0.6")
    for words in (
        "95 % interval +0.0",
        "295,360 against 196,313",
        "area between the curves",
        "no claim about real images",
    ):
        assert words in verdict["sentence"]


def test_missing_masks_are_named(record: SweepRecord) -> None:
    kept = tuple(trial for trial in record.trials if trial.info.candidate.mask not in ("6-9", "1-3"))
    found = summarise(replace(record, trials=kept))
    assert found.comparison.titled == ()
    assert found.comparison.missing == ("expanding (6-9)", "shallow-3", "deep-4")
    assert found.verdict.finding is None
    assert "No verdict yet" in found.verdict.sentence and "expanding (6-9)" in found.verdict.sentence


def test_nothing_finished(record: SweepRecord) -> None:
    found = summarise(replace(record, trials=()))
    assert found.main == MainSetting(None, None)
    assert found.trials == () and "No verdict yet" in found.verdict.sentence


def test_planned_trials_that_never_began_are_listed(record: SweepRecord) -> None:
    planned = {"0" * 16: "3-4 · 12 epochs", trial_info("shallow-first", 5).candidate.key: "1-5 · 12 epochs"}
    assert summarise(replace(record, info=replace(record.info, planned=planned))).missing == ("3-4 · 12 epochs",)


def test_nan_becomes_null(record: SweepRecord) -> None:
    (first, *rest) = record.finished
    empty = replace(first, folds={**first.folds, "dice": (math.nan,) * 5})
    text = to_json(summarise(replace(record, trials=(empty, *rest))))
    assert "NaN" not in text and "Infinity" not in text
    json.loads(text)


def test_a_network_of_one_block_is_reported(record: SweepRecord) -> None:
    whole = trial_info("shallow-first", 9)
    only = replace(whole, blocks=(1,), orders=(("shallow-first", 1), ("deep-first", 1)), trainable_params=640)
    info = replace(record.info, n_blocks=1, block_params=[640], named_masks={"contracting": "all", "expanding": "none"})
    one = replace(record, info=info, trials=(trial_record(only), trial_record(trial_info("", 0))))
    summary = summary_of(one)
    assert summary.parameters is not None and (summary.parameters.contracting, summary.parameters.expanding) == (640, 0)
    assert summary.baselines.all is not None and summary.verdict.finding is None
    for form in ("html", "json", "csv", "markdown"):
        assert rendered(one, form)

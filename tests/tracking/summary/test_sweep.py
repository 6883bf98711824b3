from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.tracking.made_up import fold_results, sweep_info, trial_info, trial_record
from tracking.analysis.comparisons import Comparisons, main_setting
from tracking.analysis.contrasts import difference
from tracking.analysis.verdict import judge
from tracking.as_json import to_json
from tracking.record import SweepRecord, TrialRecord
from tracking.statistics import corrected_t, spread
from tracking.summary.sweep import MainSetting, summarise


@pytest.fixture(scope="module")
def found(record: SweepRecord) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(to_json(summarise(record)))
    return value


TOP = {
    "schema", "sweep", "digest", "finished", "data", "folds", "main", "trials", "baselines", "comparison", "verdict",
    "per_epochs", "failed", "unfinished", "missing", "model", "weights", "settings", "seed", "provenance",
    "choice", "convergence", "parameters", "cases", "noise", "leakage", "dropped",
}  # fmt: skip
TRIAL = {
    "mask", "aliases", "blocks", "order", "depth", "orders", "role", "start", "epochs", "learning_rate", "train",
    "trainable_params", "dice", "pixel_error", "ari", "dice_pooled", "empty_truths", "false_positive_percent",
    "by_class", "per_image", "split", "seeds", "noise",
}  # fmt: skip
COMPARISON = {
    "mean", "sd", "se", "t", "df", "p", "p_holm", "low", "high", "p_above", "p_within", "p_below", "folds", "note",
    "threshold", "detectable", "noise",
}  # fmt: skip


def test_fields(found: dict[str, Any]) -> None:
    assert set(found) == TOP
    assert {"synthetic", "images", "groups", "duplicates", "empty_masks"} <= set(found["data"])
    assert found["sweep"] == "demo" and found["data"]["synthetic"] is True
    for trial in found["trials"]:
        assert set(trial) == TRIAL
        for metric in ("dice", "pixel_error", "ari"):
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
    assert found["main"] == {"epochs": 12, "learning_rate": 0.001}
    assert found["failed"] == [{"name": "9 · 6 epochs · lr 0.001", "reason": "block 9 is dead"}]
    assert found["unfinished"] == [{"name": "1 · 6 epochs · lr 0.001", "folds_done": 1}]
    six, twelve = found["per_epochs"]
    assert six["contracting_vs_expanding"] is not None and six["area_between_curves"] is None
    assert twelve["contracting_vs_expanding"] == found["comparison"]["contracting_vs_expanding"]


def test_the_same_numbers_are_the_same_bytes_whatever_order_they_come_in(record: SweepRecord) -> None:
    other = replace(record, trials=tuple(reversed(record.trials)), run_id="other", started="later")
    first, second = (summarise(one) for one in (record, other))
    assert first.provenance != second.provenance
    assert to_json(first) == to_json(replace(second, provenance=first.provenance))


@pytest.mark.parametrize(("size", "slight"), [(0.005, True), (0.05, False)])
def test_a_real_but_tiny_difference_is_called_too_little(record: SweepRecord, size: float, slight: bool) -> None:
    folds = size * np.array([0.9, 1.0, 1.1, 1.05, 0.95])
    area = difference(corrected_t(list(folds), [24] * 5, [6] * 5), record.info)
    verdict = judge(Comparisons(None, area), [], record.info)
    assert verdict.finding == "shallow better" and ("too little to matter" in verdict.sentence) == slight


@pytest.mark.parametrize(
    ("shift", "words"),
    [
        ({"1-5": -0.6}, r"No verdict: contracting \(1-5\) scores 0\.0\d\d, so its networks find almost nothing"),
        ({"": -0.6}, r"No verdict: no mask scores more than 0\.\d{3}"),
        ({"9": -0.6}, r"Shallow better"),  # one block alone may be that poor
    ],
)
def test_networks_that_learned_nothing_give_no_verdict(
    record: SweepRecord, shift: dict[str, float], words: str
) -> None:
    def poorer(one: TrialRecord) -> TrialRecord:
        by = shift.get(one.info.candidate.mask, shift.get("", 0.0))
        return replace(one, folds={**one.folds, "dice": tuple(max(0.0, dice + by) for dice in one.folds["dice"])})

    verdict = summarise(replace(record, trials=tuple(map(poorer, record.trials)))).verdict
    assert re.match(words, verdict.sentence) and (verdict.finding is None) == words.startswith("No verdict")


def test_the_area_speaks_where_the_halves_do_not() -> None:
    halves = corrected_t([0.05, -0.06, 0.04, -0.05, 0.01], [24] * 5, [6] * 5)
    area = replace(corrected_t([-0.10, -0.11, -0.10, -0.09, -0.10], [24] * 5, [6] * 5), p_holm=0.002)
    main = [trial_record(trial_info("shallow-first", 5)), trial_record(trial_info("deep-first", 4))]
    compared = Comparisons(difference(halves, sweep_info()), difference(area, sweep_info()))
    said = judge(compared, main, sweep_info()).sentence
    assert said.startswith("No difference shown") and "but along the curves deep-first is better" in said


def test_verdict_names_interval_cost_and_that_it_is_synthetic(found: dict[str, Any]) -> None:
    verdict = found["verdict"]
    assert verdict["finding"] == "shallow better"
    for words in ("Shallow better: contracting (1-5, Dice 0.6", "95 % interval +0.0", "295,360 against 196,313",
                  "area between the curves", "no claim about real images"):  # fmt: skip
        assert words in verdict["sentence"]


def test_missing_masks_are_named(record: SweepRecord) -> None:
    kept = tuple(trial for trial in record.trials if trial.info.candidate.mask not in ("6-9", "1-3"))
    found = summarise(replace(record, trials=kept))
    assert found.comparison.titled == ()
    assert found.comparison.missing == ("expanding (6-9)", "shallow-3", "deep-4")
    assert found.verdict.finding is None
    assert "No verdict yet" in found.verdict.sentence and "expanding (6-9)" in found.verdict.sentence


def test_the_area_alone_can_decide(record: SweepRecord) -> None:
    found = summarise(replace(record, info=replace(record.info, named_masks={})))
    assert found.comparison.contracting_vs_expanding is None
    assert found.verdict.sentence.startswith("Shallow better: the area between the curves")


def test_a_significant_difference_that_holm_takes_back_says_so(record: SweepRecord) -> None:
    folds = {"1-5": (0.53, 0.52, 0.54, 0.52, 0.512), "6-9": (0.5,) * 5}
    trials = tuple(
        replace(one, folds={**one.folds, "dice": folds.get(one.info.candidate.mask, (0.5, 0.6, 0.5, 0.7, 0.6))})
        for one in record.trials
    )
    found = summarise(replace(record, trials=trials))
    one = found.comparison.contracting_vs_expanding
    assert one is not None and one.p < 0.05 < one.p_holm == 2 * one.p
    assert f"it is no longer significant (Holm p = {one.p_holm:.3f})" in found.verdict.sentence


def test_nothing_finished(record: SweepRecord) -> None:
    found = summarise(replace(record, trials=()))
    assert found.main == MainSetting(None, None)
    assert found.trials == () and "No verdict yet" in found.verdict.sentence


def test_planned_trials_that_never_began_are_listed(record: SweepRecord) -> None:
    planned = {"0" * 16: "3-4 · 12 epochs", trial_info("shallow-first", 5).candidate.key: "1-5 · 12 epochs"}
    assert summarise(replace(record, info=replace(record.info, planned=planned))).missing == ("3-4 · 12 epochs",)


def test_the_common_rate_is_the_one_with_most_masks(record: SweepRecord) -> None:
    lone = replace(record.trials[0], info=trial_info("shallow-first", 5, rate=1e-2), status="FINISHED",
                   folds={name: (0.99,) * 5 for name in ("dice", "pixel_error", "ari")})  # fmt: skip
    assert main_setting((*record.finished, lone)) == (12, 1e-3)


def test_nan_becomes_null(record: SweepRecord) -> None:
    (first, *rest) = record.finished
    empty = replace(first, folds={**first.folds, "dice": (math.nan,) * 5})
    text = to_json(summarise(replace(record, trials=(empty, *rest))))
    assert "NaN" not in text and "Infinity" not in text
    json.loads(text)

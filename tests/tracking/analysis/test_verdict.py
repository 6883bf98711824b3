from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from tests.tracking.made_up import sweep_info, trial_info, trial_record
from tracking.analysis.comparisons import Comparisons
from tracking.analysis.contrasts import difference
from tracking.analysis.verdict import judge
from tracking.record import SweepRecord, TrialRecord
from tracking.statistics import corrected_t
from tracking.summary.sweep import summarise


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

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from tests.tracking.best_mask.test_candidates import MASKS, candidates, level
from tests.tracking.made_up import subset_record
from tracking.best_mask.references import judged
from tracking.record import SweepRecord
from tracking.statistics import corrected_t


@pytest.fixture(scope="module")
def record() -> SweepRecord:
    return subset_record(MASKS, level)


def test_leads_lose_what_the_choice_gave_them(record: SweepRecord) -> None:
    found = judged(candidates(record))
    assert found.selection is not None and found.images == 30 and found.selection.optimism > 0
    for reference in found.against:
        assert reference.mean < reference.apparent  # the apparent lead minus what the search gave it
        assert reference.low < reference.mean < reference.high
    by_name = {reference.name: reference for reference in found.against}
    assert by_name["zero-shot"].mean == pytest.approx(0.25, abs=0.04)  # 0.55 - 0.3
    smallest = min(found.against, key=lambda reference: reference.p)
    assert smallest.p_holm == pytest.approx(min(1, len(found.against) * smallest.p))


def test_a_clear_winner_keeps_its_interval() -> None:
    """Chosen in every draw, so nothing is taken off: the plain corrected t-test of both masks."""
    found = candidates(subset_record([(1,), (6, 7, 8, 9)], lambda blocks: 0.9 if blocks == (1,) else 0.2))
    (reference,) = (one for one in judged(found).against if one.name == "expanding")
    folds = np.array(found.winner.folds["dice"]) - np.array(found.references["expanding"][0].folds["dice"])
    plain = corrected_t(list(folds), [24] * 5, [6] * 5)
    assert reference.mean == pytest.approx(plain.mean, abs=0.002)
    assert reference.high - reference.low == pytest.approx(plain.high - plain.low)


def test_few_images_give_no_correction(record: SweepRecord) -> None:
    few = tuple(replace(trial, scores=trial.scores[:9]) for trial in record.trials)
    found = judged(candidates(replace(record, trials=few)))
    assert found.selection is None and found.images == 9
    assert all(reference.mean == pytest.approx(reference.apparent) for reference in found.against)


def test_the_winner_is_not_set_against_itself(record: SweepRecord) -> None:
    best = subset_record([(1,), tuple(range(1, 10))], lambda blocks: 0.3 + 0.05 * len(blocks))
    assert [reference.name for reference in judged(candidates(best)).against] == ["zero-shot"]


def test_a_reference_is_taken_at_its_best_setting() -> None:
    settings = ((6, 1e-3), (12, 1e-3), (12, 1e-2))
    found = candidates(subset_record([(1,), (6, 7, 8, 9)], level, settings=settings))
    assert len(found.settings) == 3
    (reference,) = (one for one in judged(found).against if one.name == "expanding")
    assert reference.candidate.dice == max(trial.mean_dice for trial in found.references["expanding"])
    assert not math.isnan(reference.low)

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from tests.tracking.made_up import subset_record
from tracking.best_mask.candidates import field_of, judged
from tracking.record import SweepRecord
from tracking.statistics import corrected_t
from trainer.errors import UserError

MASKS = [(1,), (2,), (1, 2), (1, 2, 3, 4, 5), (6, 7, 8, 9), tuple(range(1, 10)), (2, 4, 9)]


def level(blocks: tuple[int, ...]) -> float:
    return 0.4 + 0.05 * len({1, 2, 3} & set(blocks))


@pytest.fixture(scope="module")
def record() -> SweepRecord:
    return subset_record(MASKS, level)


def test_candidates_come_cheapest_first_and_the_highest_wins(record: SweepRecord) -> None:
    field = field_of(record)
    costs = [one.info.trainable_params for one in field.trials]
    assert costs == sorted(costs) and len(costs) == len(MASKS)
    assert field.winner.mean_dice == max(one.mean_dice for one in field.trials)
    assert set(field.references) == {"expanding", "contracting", "all", "zero-shot"}


def test_what_was_dropped_failed_or_is_open_takes_no_part(record: SweepRecord) -> None:
    states = ("DROPPED", "FAILED", "RUNNING")
    first = [replace(one, status=state) for one, state in zip(record.trials, states, strict=False)]
    field = field_of(replace(record, trials=(*first, *record.trials[3:])))
    assert (field.dropped, field.failed, field.unfinished, len(field.trials)) == (1, 1, 1, len(MASKS) - 3)


def test_a_baseline_outside_the_space_is_no_winner_but_stands_beside_it(record: SweepRecord) -> None:
    everything = next(one for one in record.trials if one.info.candidate.mask == "all")
    high = replace(everything, folds={**everything.folds, "dice": (0.9,) * 5})
    trials = tuple(high if one is everything else one for one in record.trials)
    limited = replace(record, trials=trials, info=replace(record.info, outside=[high.info.candidate.key]))
    assert field_of(replace(record, trials=trials)).winner.info.candidate.mask == "all"
    field = field_of(limited)
    assert field.winner.info.candidate.mask != "all" and len(field.trials) == len(MASKS) - 1
    assert {one.name: one.comparison.mean < 0 for one in judged(field).against}["all"]


@pytest.mark.parametrize("left", [0, 1])
def test_fewer_than_two_masks_are_no_choice(record: SweepRecord, left: int) -> None:
    with pytest.raises(UserError, match=r"two or more finished ones, but the sweep 'demo' has (none|only 1)\. Let it"):
        field_of(replace(record, trials=(*record.trials[:left], record.trials[-1])))


def test_one_mask_at_two_settings_is_no_choice_of_masks() -> None:
    with pytest.raises(UserError, match="has only 1"):
        field_of(subset_record([(1,)], level, settings=((6, 1e-3), (12, 1e-3))))


def test_leads_lose_what_the_choice_gave_them(record: SweepRecord) -> None:
    found = judged(field_of(record))
    assert found.selection is not None and found.images == 30 and found.selection.optimism > 0
    for one in found.against:
        assert one.comparison.mean < one.apparent  # the apparent lead minus what the search gave it
        assert one.comparison.low < one.comparison.mean < one.comparison.high
    by_name = {one.name: one for one in found.against}
    assert by_name["zero-shot"].comparison.mean == pytest.approx(0.25, abs=0.04)  # 0.55 - 0.3
    assert by_name["expanding"].comparison.p_holm >= by_name["expanding"].comparison.p


def test_a_clear_winner_keeps_its_interval() -> None:
    """Chosen in every draw, so nothing is taken off: the plain corrected t-test of both masks."""
    field = field_of(subset_record([(1,), (6, 7, 8, 9)], lambda blocks: 0.9 if blocks == (1,) else 0.2))
    (one,) = (one for one in judged(field).against if one.name == "expanding")
    folds = np.array(field.winner.folds["dice"]) - np.array(one.trial.folds["dice"])
    plain = corrected_t(list(folds), [24] * 5, [6] * 5)
    assert one.comparison.mean == pytest.approx(plain.mean, abs=0.002)
    assert one.comparison.high - one.comparison.low == pytest.approx(plain.high - plain.low)


def test_few_images_give_no_correction(record: SweepRecord) -> None:
    few = tuple(replace(one, scores=one.scores[:9]) for one in record.trials)
    found = judged(field_of(replace(record, trials=few)))
    assert found.selection is None and found.images == 9
    assert all(one.comparison.mean == pytest.approx(one.apparent) for one in found.against)


def test_a_reference_is_taken_at_its_best_setting() -> None:
    masks = [(1,), (6, 7, 8, 9)]
    record = subset_record(masks, level, settings=((6, 1e-3), (12, 1e-3), (12, 1e-2)))
    field = field_of(record)
    assert len(field.settings) == 3
    (one,) = (one for one in judged(field).against if one.name == "expanding")
    assert one.trial.mean_dice == max(trial.mean_dice for trial in field.references["expanding"])
    assert not math.isnan(one.comparison.low)

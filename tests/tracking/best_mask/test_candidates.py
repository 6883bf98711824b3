from __future__ import annotations

import math
from dataclasses import replace

import pytest

from tests.tracking.made_up import leaky_record, repeated, scratch_info, subset_record, trial_info, trial_record
from tracking.analysis.seeds import read
from tracking.best_mask.candidates import (
    CandidateAt,
    Candidates,
    candidate_at,
    candidates_of,
    may_win,
    no_choice,
    plain_candidate,
)
from tracking.best_mask.ranking import rank
from tracking.record import SweepRecord

MASKS = [(1,), (2,), (1, 2), (1, 2, 3, 4, 5), (6, 7, 8, 9), tuple(range(1, 10)), (2, 4, 9)]


def level(blocks: tuple[int, ...]) -> float:
    return 0.4 + 0.05 * len({1, 2, 3} & set(blocks))


def candidates(record: SweepRecord) -> Candidates:
    return candidates_of(read(record))


@pytest.fixture(scope="module")
def record() -> SweepRecord:
    return subset_record(MASKS, level)


def test_candidates_come_cheapest_first_and_the_highest_wins(record: SweepRecord) -> None:
    found = candidates(record)
    costs = [trial.info.trainable_params for trial in found.trials]
    assert costs == sorted(costs) and len(costs) == len(MASKS)
    assert found.winner.mean_dice == max(trial.mean_dice for trial in found.trials)
    assert set(found.references) == {"expanding", "contracting", "all", "zero-shot"}


def test_of_equal_ones_the_cheapest_wins_and_is_the_cheapest_choice() -> None:
    found = candidates(subset_record([(5,), (1,), (9,)], lambda _: 0.5, noise=0.0))
    assert found.winner.info.blocks == (1,) and found.one_standard_error[0] == found.best == 0


def test_what_was_dropped_failed_or_is_open_takes_no_part(record: SweepRecord) -> None:
    states = ("DROPPED", "FAILED", "RUNNING")
    first = [replace(trial, status=state) for trial, state in zip(record.trials, states, strict=False)]
    found = candidates(replace(record, trials=(*first, *record.trials[3:])))
    assert (found.dropped, found.failed, found.unfinished, len(found.trials)) == (1, 1, 1, len(MASKS) - 3)


def test_baselines_leaky_and_unscored_trials_never_win(record: SweepRecord) -> None:
    trial = trial_record(trial_info("shallow-first", 3))
    unscored = replace(trial, folds={**trial.folds, "dice": (math.nan,) * 5})
    others = [trial_record(trial_info("", 0)), trial_record(scratch_info()), leaky_record(trial.info), unscored]
    assert may_win(trial, record.info) and not any(may_win(other, record.info) for other in others)


def test_a_baseline_outside_the_space_is_no_winner_but_stands_beside_it(record: SweepRecord) -> None:
    everything = next(trial for trial in record.trials if trial.info.candidate.mask == "all")
    high = replace(everything, folds={**everything.folds, "dice": (0.9,) * 5})
    trials = tuple(high if trial is everything else trial for trial in record.trials)
    limited = replace(record, trials=trials, info=replace(record.info, outside=[high.info.candidate.key]))
    assert candidates(replace(record, trials=trials)).winner.info.candidate.mask == "all"
    found = candidates(limited)
    assert found.winner.info.candidate.mask != "all" and len(found.trials) == len(MASKS) - 1
    assert found.references["all"] == (high,)


def test_repeated_trials_stand_once() -> None:
    record = repeated(subset_record([], level))
    masks = [trial_record(trial_info("shallow-first", depth)) for depth in (3, 5)]
    whole = repeated(replace(record, trials=(*record.trials, *masks)), (4, 7))
    assert [trial.info.candidate.seed for trial in candidates(whole).trials] == [4, 4]


def test_fewer_than_two_masks_are_no_choice(record: SweepRecord) -> None:
    assert no_choice(candidates(record)) == ""
    for left, found in ((0, "none"), (1, "only 1")):
        few = candidates(replace(record, trials=(*record.trials[:left], record.trials[-1])))
        assert f"two or more finished ones, but the sweep 'demo' has {found}. Let it" in no_choice(few)


def test_one_mask_at_two_settings_is_no_choice_of_masks() -> None:
    found = candidates(subset_record([(1,)], level, settings=((6, 1e-3), (12, 1e-3))))
    assert len(found.settings) == 2 and "has only 1" in no_choice(found)


def test_a_network_of_one_block_has_nothing_to_choose(record: SweepRecord) -> None:
    found = candidates(replace(record, info=replace(record.info, n_blocks=1), trials=()))
    assert "the network of the sweep 'demo' has one block, so its only mask is all" in no_choice(found)


def test_a_candidate_is_its_mask_setting_price_and_score(record: SweepRecord) -> None:
    trial = record.trials[2]
    found = candidate_at(trial, record.info)
    assert (found.mask, found.blocks, found.epochs, found.dice) == ("1-2", (1, 2), 12, trial.mean_dice)
    compared = rank(candidates(record)).compared
    assert [plain_candidate(one) for one in compared] == [
        candidate_at(trial, record.info) for trial in candidates(record).trials
    ]
    assert all(type(plain_candidate(one)) is CandidateAt for one in compared)


def test_the_share_is_that_of_the_whole_network_with_what_always_trains(record: SweepRecord) -> None:
    info = replace(record.info, block_params=[60, 100], always_params=40)
    trial = replace(record.trials[1], info=replace(record.trials[1].info, trainable_params=50))
    assert candidate_at(trial, info).share == 50 / 200
    assert candidate_at(trial, replace(info, block_params=[], always_params=0)).share == 50  # of nothing

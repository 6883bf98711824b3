"""Who may still be named: never one too few, against the answer's own definitions."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from tests.tracking.best_mask.made_up_answers import answer
from tests.tracking.made_up import repeated, subset_record
from tracking.analysis.seeds import read
from tracking.best_mask.answer import best_mask
from tracking.best_mask.candidates import candidates_of
from tracking.best_mask.in_the_running import Contender, in_the_running, named_runs
from tracking.record import SweepRecord, TrialRecord
from trainer.candidate import Candidate

MASKS = [(1,), (2,), (1, 2), (1, 2, 3, 4, 5), (6, 7, 8, 9), tuple(range(1, 10)), (2, 4, 9), (3, 5)]
SETTINGS = ((6, 1e-3), (12, 1e-3))


def contender(trial: TrialRecord) -> Contender:
    return Contender(trial.info.candidate, trial.info.trainable_params, trial.mean_dice)


def drawn_record(seed: int, noise: float = 0.02) -> SweepRecord:
    rng = np.random.default_rng(seed)
    level = {blocks: float(rng.choice([0.5, 0.52, 0.6, 0.61, 0.7])) for blocks in MASKS}
    return subset_record(MASKS, level.__getitem__, seed=seed, noise=noise, settings=SETTINGS)


@pytest.mark.parametrize("seed", range(4))
def test_what_has_lost_is_never_named_however_the_sweep_goes_on(seed: int) -> None:
    record = drawn_record(seed, noise=0.0 if seed == 3 else 0.02)
    order = np.random.default_rng(seed).permutation(len(record.trials))
    held: list[Contender] = []
    for count, index in enumerate(order, 1):  # trial by trial, as a sweep prunes
        trial = record.trials[index]
        if trial.info.role == "trial":
            held = in_the_running([*held, contender(trial)])
        if count % 6 and count != len(order):
            continue
        reading = read(replace(record, trials=tuple(record.trials[i] for i in order[:count])))
        found, candidates = best_mask(reading), candidates_of(reading)
        if found is None:
            continue
        named = {
            candidates.winner.info.candidate,
            candidates.trials[candidates.one_standard_error[0]].info.candidate,
            next(
                trial.info.candidate for trial, one in zip(candidates.trials, found.compared, strict=True) if one.tied
            ),
        }
        assert named <= {one.candidate for one in held}
    assert len(held) < len(MASKS)  # and something has lost


def test_of_equal_scores_only_the_cheapest_stays_and_none_without_a_score() -> None:
    def at(params: int, dice: float) -> Contender:
        return Contender(Candidate("1", params, 1e-3), params, dice)

    found = in_the_running([at(30, 0.5), at(10, 0.5), at(20, 0.4), at(5, math.nan), at(40, 0.6), at(50, 0.6)])
    assert [one.trainable_params for one in found] == [10, 40]
    assert in_the_running([]) == []


def test_the_answer_names_the_winner_the_cheapest_ones_and_both_halves() -> None:
    levels = dict(zip(MASKS, (0.70, 0.5, 0.5, 0.65, 0.6, 0.75, 0.5, 0.5), strict=True))
    record = subset_record(MASKS, levels.__getitem__, noise=0.002)
    reading = read(record)
    words = named_runs(reading, answer(record))
    masks = {
        trial.info.candidate.mask: words.get(trial.run_id) for trial in record.trials if trial.info.role == "trial"
    }
    assert {mask: word for mask, word in masks.items() if word} == {
        "all": "winner, cheapest choice, smallest that ties",
        "1-5": "contracting",
        "6-9": "expanding",
    }


def test_all_seeds_of_a_named_trial_are_named_and_a_single_mask_wins_without_an_answer() -> None:
    record = repeated(subset_record(MASKS, lambda blocks: 0.4 + 0.01 * len(blocks), noise=0.001))
    words = named_runs(read(record), answer(record))
    winners = [trial for trial in record.trials if words.get(trial.run_id, "").startswith("winner")]
    assert len(winners) == len(read(record).repeats.seeds) == 3 and {
        trial.info.candidate.mask for trial in winners
    } == {"all"}
    alone = subset_record([(1,)], lambda _: 0.5)
    assert list(named_runs(read(alone), None).values()) == ["winner, cheapest choice"]

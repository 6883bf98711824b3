"""Learning rate x mask: where the rate changes the order of masks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from tests.tracking.made_up import sweep_info, trial_info, trial_record
from tracking.analysis.seeds import read
from tracking.best_mask.rates import rate_table
from tracking.record import SweepRecord, TrialRecord

RATES = (1e-3, 1e-2)


def trial(depth: int, rate: float, dice: float) -> TrialRecord:
    one = trial_record(trial_info("shallow-first", depth, 12, rate))
    drawn = np.random.default_rng([depth, round(1e4 * rate)]).normal(size=5)
    return replace(one, folds={**one.folds, "dice": tuple(float(dice + 0.01 * value) for value in drawn)})


def made(level: Callable[[int, float], float], depths: tuple[int, ...] = (1, 5, 9)) -> SweepRecord:
    trials = tuple(trial(depth, rate, level(depth, rate)) for depth in depths for rate in RATES)
    return SweepRecord(sweep_info(), "run", "FINISHED", "2026-11-27T06:00:00+00:00", trials)


def test_a_rate_that_turns_the_order_is_named() -> None:
    found = rate_table(read(made(lambda depth, rate: 0.5 + (0.2 if (depth == 1) == (rate == 1e-2) else 0.0))))
    assert found is not None and found.depends
    assert found.rates == RATES and found.best[1] == "1" != found.best[0] and found.masks == ("1", "1-5", "all")
    assert "how much a mask brings depends on the rate" in found.sentence and "1 (lr 0.01)" in found.sentence


def test_a_rate_that_helps_all_alike_is_not() -> None:
    found = rate_table(read(made(lambda depth, rate: 0.4 + 0.05 * depth + 10 * rate)))
    assert found is not None and not found.depends
    assert "is not shown" in found.sentence and "the highest is all from every rate" in found.sentence


def test_there_is_no_table_with_one_rate_or_one_mask(record: SweepRecord) -> None:
    assert rate_table(read(record)) is None
    assert rate_table(read(made(lambda depth, rate: 0.5, (5,)))) is None

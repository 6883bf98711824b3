from __future__ import annotations

from dataclasses import replace

import pytest

from tests.tracking.best_mask.made_up_answers import answer
from tests.tracking.best_mask.test_answer import sample
from tests.tracking.made_up import subset_record
from tracking.best_mask.fanova import FEWEST, importance


def test_the_decisive_block_takes_the_variance() -> None:
    """Where Optuna's default importance names another."""
    found = answer(subset_record(sample(60), lambda blocks: 0.4 + 0.2 * (4 in blocks), noise=0.01))
    told = found.importance
    assert told.trials == found.candidates and next(iter(told.shares)) == "block 4"
    assert told.shares["block 4"] > 0.8 and sum(told.shares.values()) == pytest.approx(1)
    assert f"({told.trials} trials)" in told.sentence and "block 4" in told.sentence
    assert told == importance(found.compared, 9)


def test_a_setting_counts_as_one_more_parameter() -> None:
    found = answer(subset_record(sample(15), lambda _: 0.5, settings=((6, 1e-3), (12, 1e-3))))
    assert "setting" in found.importance.shares


def test_too_few_trials_and_equal_scores_are_said() -> None:
    few = answer(subset_record(sample(5), lambda _: 0.5)).importance
    assert few.shares == {} and f"needs {FEWEST} trials or more" in few.sentence
    same = answer(subset_record(sample(30), lambda _: 0.5, noise=0.0)).importance
    assert same.shares == {} and "score the same" in same.sentence


def test_many_settings_are_numbers_and_take_no_longer() -> None:
    """As categories, forty of them would be 2^40 combinations."""
    many = tuple((epochs, rate) for epochs in range(1, 21) for rate in (1e-3, 1e-2))
    candidates = answer(subset_record(sample(1), lambda _: 0.5, settings=((6, 1e-3),))).compared[:1] * len(many)
    scored = [
        replace(candidate, epochs=epochs, learning_rate=rate, dice=0.4 + 0.01 * epochs)
        for candidate, (epochs, rate) in zip(candidates, many, strict=True)
    ]
    assert importance(scored, 9).shares["setting"] > 0.99

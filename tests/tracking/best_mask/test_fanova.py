from __future__ import annotations

import pytest

from tests.tracking.best_mask.test_answer import sample
from tests.tracking.made_up import subset_record
from tracking.best_mask.answer import answer_object
from tracking.best_mask.fanova import FEWEST, importance_object


def test_the_decisive_block_takes_the_variance() -> None:
    """Where Optuna's default importance names another."""
    answer = answer_object(subset_record(sample(60), lambda blocks: 0.4 + 0.2 * (4 in blocks), noise=0.01))
    found = importance_object(answer, 9)
    assert found["trials"] == answer["candidates"] and next(iter(found["shares"])) == "block 4"
    assert found["shares"]["block 4"] > 0.8 and sum(found["shares"].values()) == pytest.approx(1)
    assert f"({found['trials']} trials)" in found["sentence"] and "block 4" in found["sentence"]
    assert found == importance_object(answer, 9)


def test_a_setting_counts_as_one_more_parameter() -> None:
    answer = answer_object(subset_record(sample(15), lambda _: 0.5, settings=((6, 1e-3), (12, 1e-3))))
    assert "setting" in importance_object(answer, 9)["shares"]


def test_too_few_trials_and_equal_scores_are_said() -> None:
    few = importance_object(answer_object(subset_record(sample(5), lambda _: 0.5)), 9)
    assert few["shares"] == {} and f"needs {FEWEST} trials or more" in few["sentence"]
    same = importance_object(answer_object(subset_record(sample(30), lambda _: 0.5, noise=0.0)), 9)
    assert same["shares"] == {} and "score the same" in same["sentence"]

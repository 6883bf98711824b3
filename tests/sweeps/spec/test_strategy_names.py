"""Every name of a strategy is a choice of `[search]`, and every proposing one is a function."""

from __future__ import annotations

from typing import get_args, get_type_hints

import pytest

from sweeps.run.early_stopping import NEED_WHOLE_SCORES
from sweeps.spec.search_section import Search
from sweeps.spec.strategy_names import ENDING, KERAS_TUNER, LISTS, PROBED, PROPOSING
from sweeps.strategies.propose import strategy_of
from tracking.best_mask.measured_effects import UNBIASED


def test_the_names_are_the_choices() -> None:
    known = set(get_args(get_type_hints(Search)["strategy"]))
    assert {*LISTS, *PROPOSING, *KERAS_TUNER} == known and set(ENDING) | set(PROBED) <= known
    assert not set(LISTS) & set(PROPOSING)


# Whoever adds a strategy decides both. In these the scores seen so far decide what is measured next:
SCORES_DECIDE = {"guided", "greedy", "tpe", "nsga2", "bayesian"}
# These gain from dropping a trial that is clearly worse before its last fold:
MAY_STOP_EARLY = {"guided", "greedy", "tpe", "random", "qmc", "bayesian"}


def test_every_strategy_says_whether_scores_decide_and_whether_trials_may_end_early() -> None:
    known = set(get_args(get_type_hints(Search)["strategy"]))
    assert known == SCORES_DECIDE | set(UNBIASED) and not SCORES_DECIDE & set(UNBIASED)
    assert known == MAY_STOP_EARLY | set(NEED_WHOLE_SCORES) and not MAY_STOP_EARLY & set(NEED_WHOLE_SCORES)


@pytest.mark.parametrize("name", PROPOSING)
def test_a_strategy_that_proposes_is_a_function_of_its_name(name: str) -> None:
    assert strategy_of(name).__name__ == name

"""Every name of a strategy is a choice of `[search]`, and every proposing one is a function."""

from __future__ import annotations

from typing import get_args, get_type_hints

import pytest

from sweeps.spec.search_section import Search
from sweeps.spec.strategy_names import ENDING, KERAS_TUNER, LISTS, PROBED, PROPOSING
from sweeps.strategies.propose import strategy_of


def test_the_names_are_the_choices() -> None:
    known = set(get_args(get_type_hints(Search)["strategy"]))
    assert {*LISTS, *PROPOSING, *KERAS_TUNER} == known and set(ENDING) | set(PROBED) <= known
    assert not set(LISTS) & set(PROPOSING)


@pytest.mark.parametrize("name", PROPOSING)
def test_a_strategy_that_proposes_is_a_function_of_its_name(name: str) -> None:
    assert strategy_of(name).__name__ == name

"""The section `[search]`: what it is, and its rules on a network of so many units."""

from __future__ import annotations

from typing import Any

import pytest

from sweeps.spec.search_section import Search, norm_rules, search_mistakes, unit_rules
from trainer.config import TrainConfig


@pytest.mark.parametrize(
    ("search", "proposes", "constrained"),
    [
        (Search(), False, False),
        (Search(strategy="factorial"), False, False),
        (Search(strategy="tpe"), True, False),
        (Search(engine="keras-tuner"), True, False),  # its grid hands out one by one, too
        (Search(max_blocks=1), False, True),
        (Search(max_parameters=1), False, True),
        (Search(must_train=(1,)), False, True),
        (Search(must_freeze=(1,)), False, True),
    ],
)
def test_what_a_search_is(search: Search, proposes: bool, constrained: bool) -> None:
    assert (search.proposes, search.constrained) == (proposes, constrained)


@pytest.mark.parametrize(("units", "given"), [(0, "none"), (1, "one")])
def test_with_less_than_two_units_there_is_nothing_to_choose(units: int, given: str) -> None:
    (said,) = unit_rules(Search(space="masks", masks=("7",)), units)  # and nothing else is said of it
    assert f"at least two blocks, but this network has {given}: there is nothing to compare" in said
    assert list(unit_rules(Search(), 2)) == []


@pytest.mark.parametrize(
    ("fields", "units", "said"),
    [
        ({"must_train": (4,)}, 3, "'search.must_train' names blocks [4], which do not exist. Blocks: 1-3."),
        ({"must_freeze": (0, 3)}, 3, "'search.must_freeze' names blocks [0], which do not exist"),
        ({"max_blocks": -1}, 3, "'search.max_blocks' must be at least 1, or 0 for no limit, but got -1"),
        ({"space": "masks"}, 3, "'search.masks' is empty"),
        ({"strategy": "factorial", "space": "subsets", "cells": 3}, 3, "search.cells"),
    ],
)
def test_rules_that_need_the_units(fields: dict[str, Any], units: int, said: str) -> None:
    (mistake,) = unit_rules(Search(**fields), units)
    assert said in mistake


@pytest.mark.parametrize(("has_norm", "count"), [(True, 0), (False, 1)])
def test_a_policy_for_nothing_is_not_searched(has_norm: bool, count: int) -> None:
    search = Search(train=(("batch_norm", ("frozen", "adapt")),))
    assert len(list(norm_rules(search, TrainConfig(), has_norm=has_norm))) == count
    tuned = Search(train=(("tune", ("all", "norm")),))
    assert len(list(norm_rules(tuned, TrainConfig(tune="norm"), has_norm=has_norm))) == 2 * count
    assert list(norm_rules(Search(), TrainConfig(), has_norm=has_norm)) == []


@pytest.mark.parametrize(
    ("fields", "count"),
    [
        ({}, 0),
        ({"epochs": (1, 100_000)}, 0),
        ({"epochs": (1, 100_001)}, 1),
        ({"epochs": (2, 2)}, 1),
        ({"learning_rate": (1e-9, 1e3)}, 0),
        ({"learning_rate": (1e-10,)}, 1),
        ({"learning_rate": (1e4,)}, 1),
        ({"learning_rate": (1e-3, 1e-3)}, 1),
        ({"seeds": (0, 2**32 - 2)}, 0),
        ({"seeds": (2**32 - 1,)}, 1),
        ({"images": (2, 20, 160)}, 0),
        ({"images": (1, 20)}, 1),
        ({"images": (20, 20)}, 1),
        ({"images": (40, 20)}, 1),
        ({"images": (20,), "strategy": "greedy"}, 1),
        ({"images": (20,), "engine": "keras-tuner"}, 1),
        ({"strategy": "tpe", "trials": 1}, 0),
        ({"strategy": "tpe"}, 1),
        ({"strategy": "greedy"}, 0),  # it ends by itself
        ({"trials": 1}, 1),
        ({"hours": 1.0}, 0),
    ],
)
def test_ranges(fields: dict[str, Any], count: int) -> None:
    assert len(list(search_mistakes(Search(**fields)))) == count

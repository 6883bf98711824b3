from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from tracking.analysis.per_image import cases_by_rule, per_image


def test_the_interval_is_that_of_scipy() -> None:
    values = np.random.default_rng(0).beta(4, 2, 160)
    found = per_image(list(values))
    expected = stats.bootstrap((values,), np.mean, method="percentile", random_state=1, n_resamples=4000)
    assert (found.low, found.high) == pytest.approx(tuple(expected.confidence_interval), abs=0.004)
    assert found.mean == pytest.approx(values.mean())


def test_the_lowest_tenth_and_the_failures() -> None:
    found = per_image([i / 100 for i in range(100)] + [math.nan])
    assert (found.n, found.failures) == (100, 10)
    assert found.worst_decile == pytest.approx(0.045)


@pytest.mark.parametrize("values", [[], [math.nan]])
def test_nothing_to_summarise(values: list[float]) -> None:
    found = per_image(values)
    assert (found.n, found.failures) == (0, 0) and math.isnan(found.low)


def test_cases_are_chosen_by_rule() -> None:
    left = {"a": 0.9, "b": 0.1, "c": 0.6, "d": 0.9, "e": math.nan, "f": 1.0}
    right = {"a": 0.9, "b": 0.0, "c": 0.9, "d": 0.2, "e": 1.0}
    assert cases_by_rule(left, right) == [
        ("best", "a"),
        ("median", "c"),
        ("worst", "b"),
        ("contracting most ahead", "d"),
        ("expanding most ahead", "c"),
    ]
    assert cases_by_rule({}, right) == []

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


def test_the_numbers_by_hand_from_known_draws() -> None:
    values = [0.1, 0.05, 0.9, 0.7, 0.0999, 0.3, 0.31, 0.32, 0.33, 0.34, 0.35]
    found, other = per_image(values), per_image(values, seed=1)
    counts = np.random.default_rng(0).multinomial(11, [1 / 11] * 11, size=1000).astype(np.float32)
    assert (found.low, found.high) == pytest.approx(tuple(np.percentile(counts @ sorted(values) / 11, [2.5, 97.5])))
    assert found.failures == 2  # 0.1 itself is no failure
    assert found.worst_decile == pytest.approx((0.05 + 0.0999) / 2)  # a tenth of eleven: two
    assert (other.low, other.high) != (found.low, found.high)


def test_few_images_are_shown_more_than_once_and_ties_go_by_name() -> None:
    two = cases_by_rule({"a": 0.5, "b": 0.5}, {"a": 0.5, "b": 0.5})
    assert [image for _, image in two] == ["b", "a", "a", "b", "a"]
    assert [image for _, image in cases_by_rule({"a": 0.2}, {"a": 0.4})] == ["a"] * 5
    left = {"a": 0.1, "b": 0.2, "c": 0.3, "d": 0.4, "e": 0.5, "f": 0.6}
    right = {"a": 0.1, "b": 0.2, "c": 0.35, "d": 0.4, "e": 0.4, "f": 0.6}
    assert [image for _, image in cases_by_rule(left, right)] == ["f", "d", "a", "e", "c"]

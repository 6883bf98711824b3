"""The bootstrap of whole groups, where the answer is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tracking.analysis.group_draws import FEWEST, draw_groups, external_dice


def test_an_image_without_a_target_has_no_dice() -> None:
    counts = np.array([[[0, 8], [3, 2], [0, 2], [97, 88]]])
    assert np.array_equal(external_dice(counts), [[np.nan, 0.8]], equal_nan=True)


def test_the_range_is_that_of_a_mean_of_groups() -> None:
    values = np.repeat(np.random.default_rng(0).normal(0.6, 0.1, 50), 3)
    groups = np.repeat(np.arange(50), 3)
    whole, apart = draw_groups(groups).range_of(values), draw_groups(np.arange(150)).range_of(values)
    standard_error = values.std() / math.sqrt(50)
    assert whole.value == apart.value == pytest.approx(values.mean())
    assert whole.high - whole.low == pytest.approx(2 * 1.96 * standard_error, rel=0.1)
    assert apart.high - apart.low == pytest.approx((whole.high - whole.low) / math.sqrt(3), rel=0.15)


def test_too_few_groups_have_no_range() -> None:
    few, enough = (draw_groups(np.arange(20) % groups).range_of(np.arange(20.0)) for groups in (FEWEST - 1, FEWEST))
    assert few.value == 9.5 and math.isnan(few.low) and not math.isnan(enough.low)

from __future__ import annotations

import math

import pytest

from tracking.best_mask.pareto import front


@pytest.mark.parametrize(
    ("costs", "values", "kept"),
    [
        ([1, 2, 3], [0.1, 0.2, 0.3], [0, 1, 2]),
        ([3, 2, 1], [0.1, 0.2, 0.3], [2]),
        ([1, 1, 2], [0.2, 0.3, 0.3], [1]),  # as cheap and worse; dearer and as good
        ([2, 1, 1], [0.5, 0.4, 0.4], [1, 0]),  # of equal points the first
        ([1, math.nan, 2], [math.nan, 0.9, 0.2], [2]),
        ([], [], []),
    ],
)
def test_what_nothing_as_cheap_beats(costs: list[float], values: list[float], kept: list[int]) -> None:
    assert front(costs, values) == kept

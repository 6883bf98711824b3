from __future__ import annotations

import math

import pytest

from tracking.best_mask.candidates import CandidateAt
from tracking.best_mask.pareto import front, pareto, price_of


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


def candidate(mask: str, parameters: int, seconds: float, dice: float) -> CandidateAt:
    return CandidateAt(
        mask=mask,
        aliases=(),
        blocks=(1,),
        epochs=3,
        learning_rate=1e-3,
        train={},
        trainable_params=parameters,
        share=0.1,
        seconds=seconds,
        dice=dice,
    )


def test_each_front_goes_by_its_own_price() -> None:
    small, fast, best = candidate("1", 10, 9.0, 0.5), candidate("2", 20, 3.0, 0.4), candidate("1-2", 30, 12.0, 0.8)
    assert (price_of(small, "parameters"), price_of(small, "seconds")) == (10, 9.0)
    fronts = pareto([small, fast, best])
    assert fronts.of("parameters") == fronts.parameters == (small, best)
    assert fronts.of("seconds") == fronts.seconds == (fast, small, best)

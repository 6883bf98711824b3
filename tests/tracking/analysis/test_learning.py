from __future__ import annotations

import math

import pytest

from tracking.analysis.learning import learned_nothing


@pytest.mark.parametrize(
    ("dice", "nothing"), [(0.0, True), (0.0999, True), (0.1, False), (0.8, False), (math.nan, False)]
)
def test_below_a_tenth_nothing_was_learned(dice: float, nothing: bool) -> None:
    assert learned_nothing(dice) == nothing

from __future__ import annotations

import math
from dataclasses import dataclass

import pytest

from tracking.analysis.formatting import (
    COMPARISON_HEADS,
    chance,
    comparison_cells,
    counted,
    mask_name,
    noise_words,
    number,
    p_value,
)
from tracking.statistics import corrected_t


@dataclass(frozen=True)
class Named:
    mask: str
    aliases: tuple[str, ...]


@pytest.mark.parametrize(
    ("shown", "words"),
    [
        (number(0.12345), "0.123"),
        (number(-0.0001), "0.000"),
        (number(math.nan), "–"),
        (p_value(0.0004), "< 0.001"),
        (p_value(0.04), "0.040"),
        (p_value(math.nan), ""),
        (chance(0.0001), "< 0.1 %"),
        (chance(0.9999), "> 99.9 %"),
        (chance(0.5), "50.0 %"),
        (counted(1, "trial"), "1 trial"),
        (counted(1200, "trial"), "1,200 trials"),
        (noise_words(0.0123, 0.0071), "±0.0123 (0.0071)"),
        (mask_name(Named("1-5", ("1-5", "contracting"))), "1-5 (contracting)"),
        (mask_name(Named("2,4", ())), "2,4"),
    ],
)
def test_words(shown: str, words: str) -> None:
    assert shown == words


def test_a_comparison_without_a_test_says_why() -> None:
    tested, untested = (corrected_t(folds, [20] * 3, [10] * 3) for folds in ([0.1, 0.2, 0.12], [0.1] * 3))
    assert len(comparison_cells(tested)) == len(comparison_cells(untested)) == len(COMPARISON_HEADS)
    assert comparison_cells(tested)[0] == "+0.1400" and " to " in comparison_cells(tested)[1]
    assert "same difference" in comparison_cells(untested)[1] and set(comparison_cells(untested)[2:]) == {""}

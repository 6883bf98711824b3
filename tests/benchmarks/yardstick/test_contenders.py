"""The names of contenders."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks.yardstick.contenders import contender


@pytest.mark.parametrize(
    ("name", "about"),
    [
        ("a+", "the same, one training for each mask, scored at every epoch count"),
        ("b1", "thaw, 1 worker"),
        ("b12", "thaw, 12 workers"),
        ("before:b2", "thaw of before, 2 workers"),
    ],
)
def test_contenders_have_names(name: str, about: str) -> None:
    assert contender(name, {"before": Path("elsewhere")}).about == about


@pytest.mark.parametrize("name", ["c", "b", "b0", "bx", "after:b2", "before:a"])
def test_a_wrong_name_is_refused(name: str) -> None:
    with pytest.raises(SystemExit, match="Contenders are"):
        contender(name, {"before": Path("elsewhere")})

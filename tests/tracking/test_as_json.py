from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any

import pytest

from tracking.as_json import plain, to_json


@dataclass(frozen=True)
class Inner:
    low: float


@dataclass(frozen=True)
class Outer:
    name: str
    parts: tuple[Inner, ...]
    by_class: dict[str, float]
    noise: Inner | None = None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (math.nan, None),
        (math.inf, None),
        (-math.inf, None),
        (0.1 + 0.2, 0.30000000000000004),
        (True, True),
        ({1: (2.0, "a")}, {"1": [2.0, "a"]}),
        (
            Outer("é", (Inner(math.nan),), {"b": 1.0}),
            {"name": "é", "parts": [{"low": None}], "by_class": {"b": 1.0}, "noise": None},
        ),
    ],
)
def test_values_become_what_json_holds(value: Any, expected: Any) -> None:
    assert plain(value) == expected and json.loads(to_json(value)) == expected


def test_equal_data_are_equal_bytes_whatever_the_order_of_keys() -> None:
    assert to_json({"b": 1, "a": "é"}) == to_json({"a": "é", "b": 1}) == '{\n "a": "é",\n "b": 1\n}\n'


def test_a_class_is_no_data() -> None:
    with pytest.raises(TypeError):
        to_json(Outer)

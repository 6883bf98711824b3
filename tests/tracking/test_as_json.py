from __future__ import annotations

import json
import math
from dataclasses import dataclass

from tracking.as_json import to_json


@dataclass(frozen=True)
class Inner:
    value: float
    names: tuple[str, ...]


@dataclass(frozen=True)
class Outer:
    inner: Inner | None
    by_depth: dict[int, Inner]


def test_fields_stand_under_their_names_and_nan_is_null() -> None:
    text = to_json(Outer(None, {2: Inner(math.nan, ("a",)), 1: Inner(1 / 3, ())}))
    assert json.loads(text) == {
        "inner": None,
        "by_depth": {"1": {"value": 1 / 3, "names": []}, "2": {"value": None, "names": ["a"]}},
    }
    assert text.index('"by_depth"') < text.index('"inner"') and text.endswith("}\n")

"""Frozen dataclasses as JSON: every field under its own name, full precision, equal data as equal bytes."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any


def to_json(value: Any) -> str:
    """Plain data as indented JSON text: keys sorted, NaN and infinity as null, which JSON knows neither of."""
    return json.dumps(plain(value), indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def plain(value: Any) -> Any:
    """Dataclasses, mappings and sequences as what JSON can hold.

    >>> from tracking.statistics import spread
    >>> plain({"dice": spread([0.5]), "masks": ("1-5", "all")})
    {'dice': {'mean': 0.5, 'sd': None, 'sem': None, 'n': 1}, 'masks': ['1-5', 'all']}
    """
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value

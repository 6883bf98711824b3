"""Plain data as TOML, as far as TOML can say it."""

from __future__ import annotations

import json
import math
from typing import Any


def toml_of(table: dict[str, Any]) -> str:
    """A table of sections; what TOML has no word for (None) becomes a word that it does not know."""
    plain = {key: value for key, value in table.items() if not isinstance(value, dict)}
    lines = [f"{key_of(key)} = {value_of(value)}" for key, value in plain.items()]
    for name, section in table.items():
        if isinstance(section, dict):
            lines.append(f"[{key_of(name)}]")
            lines += [f"{key_of(key)} = {value_of(value)}" for key, value in section.items()]
    return "\n".join(lines) + "\n"


def key_of(key: object) -> str:
    """A key, in quotes where it needs them."""
    text = str(key)
    return text if text.replace("_", "").replace("-", "").isalnum() and text.isascii() else json.dumps(text)


def value_of(value: Any) -> str:
    """A value; tables inside are written in one line."""
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    if isinstance(value, float):
        return "nan" if math.isnan(value) else f"{value!r}".replace("e", "e")
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key_of(key)} = {value_of(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        opened = 0
        while isinstance(value, list) and len(value) == 1:  # a deep one, which a recursive writer could not write
            opened, value = opened + 1, value[0]
        inside = ", ".join(map(value_of, value)) if isinstance(value, list) else value_of(value)
        inside = f"[{inside}]" if isinstance(value, list) else inside
        return "[" * opened + inside + "]" * opened
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else str(value)

"""Plain data as TOML, as far as TOML can say it."""

from __future__ import annotations

import json
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
        return repr(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key_of(key)} = {value_of(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(value_of, value)) + "]"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else str(value)

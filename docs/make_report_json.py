"""Write report-json.md out of the dataclasses that the JSON report is made of: `python -m docs.make_report_json`."""

from __future__ import annotations

import inspect
import types
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from tracking.summary.many_sweeps import ManySweeps
from tracking.summary.sweep import SweepSummary
from tracking.summary.two_sweeps import TwoSweeps

PAGE = Path(__file__).with_name("report-json.md")
HEAD = """# The JSON report

`thaw report --format json` prints one object, a [SweepSummary](#sweepsummary); of two sweeps, a
[TwoSweeps](#twosweeps) that holds both; of more, a [ManySweeps](#manysweeps). `thaw best --format json` prints the
[BestMask](#bestmask) of a sweep alone. Every field is listed here under the object that it stands in, with its type.
Keys are sorted, numbers have full precision, and what is not there (None) or cannot be known (NaN) is `null`. The
field `schema` is raised whenever a field changes its name or meaning; a new field alone does not raise it. This page
is made from the code by `python -m docs.make_report_json`.
"""
ROOTS = (("One sweep", SweepSummary), ("Two sweeps", TwoSweeps), ("Sweeps on the same folds", ManySweeps))
PLAIN = {str: "string", int: "integer", float: "number or null", bool: "true or false", Any: "any value"}


def page() -> str:
    """The whole page in Markdown."""
    parts, listed = [HEAD], set[type]()
    for title, root in ROOTS:
        parts.append(f"## {title}\n")
        for kind in _reached(root):
            if kind not in listed:
                listed.add(kind)
                parts.append(_section(kind))
    return "\n".join(parts)


def _reached(root: type) -> Iterator[type]:
    """A dataclass, then those in its fields, each once, in the order in which they are met."""
    waiting, met = [root], {root}
    while waiting:
        kind = waiting.pop(0)
        yield kind
        for hint in _hints(kind).values():
            for inner in _dataclasses_in(hint):
                if inner not in met:
                    met.add(inner)
                    waiting.append(inner)


def _hints(kind: type) -> Mapping[str, Any]:
    """field -> type, in the order of the fields."""
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind)}


def _dataclasses_in(hint: Any) -> Iterator[type]:
    if isinstance(hint, type) and is_dataclass(hint):
        yield hint
    for inner in get_args(hint):
        yield from _dataclasses_in(inner)


def _section(kind: type) -> str:
    """What one object is, with what is said of the objects that it extends, and its fields."""
    told = [inspect.cleandoc(base.__doc__ or "") for base in kind.__mro__ if is_dataclass(base)]
    text = "\n\n".join(told)
    rows = "\n".join(f"| `{name}` | {_words(hint)} |" for name, hint in _hints(kind).items())
    return f"### {kind.__name__}\n\n{text}\n\n| field | type |\n| --- | --- |\n{rows}\n"


def _words(hint: Any) -> str:
    """A type as JSON has it, in words."""
    if hint in PLAIN:
        return PLAIN[hint]
    if isinstance(hint, type) and is_dataclass(hint):
        return f"[{hint.__name__}](#{hint.__name__.lower()})"
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return " or ".join("null" if one is types.NoneType else _words(one) for one in inner)
    if origin is Literal:
        return " or ".join(f'"{one}"' for one in inner)
    if origin is tuple:
        return _sequence(inner)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return f"object, {_words(inner[0])} to {_words(inner[1])}"
    raise TypeError(f"A field of the JSON report must have a type that JSON can hold, but got {hint!r}.")


def _sequence(inner: tuple[Any, ...]) -> str:
    if inner[-1] is Ellipsis:
        return f"list of {_words(inner[0])}"
    return f"list of {len(inner)}: {', '.join(map(_words, inner))}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")

"""docs/report-json.md is what the dataclasses of the JSON report say."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from docs.make_report_json import PAGE, _section, page


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "write it anew: python -m docs.make_report_json"


def test_every_field_of_the_report_is_named_in_what_is_said_of_its_object() -> None:
    for section in page().split("\n### ")[1:]:
        text, _, table = section.partition("| --- | --- |\n")
        named = [line.split("`")[1] for line in table.splitlines() if line.startswith("| `")]
        assert named and [name for name in named if f"`{name}`" not in text] == [], section.splitlines()[0]


def test_a_type_that_json_cannot_hold_is_refused() -> None:
    @dataclass
    class Odd:
        """`kept`: anything."""

        kept: set[int]

    with pytest.raises(TypeError, match="must have a type that JSON can hold"):
        _section(Odd)

from __future__ import annotations

import re

from tests.tracking.made_up import rendered
from tracking.record import SweepRecord
from tracking.report.markdown import markdown_table


def test_markdown_tables_are_rectangular(record: SweepRecord) -> None:
    text = rendered(record, "markdown")
    for table in re.findall(r"(?:^\|.*\n)+", text, re.M):
        assert len({line.count("|") for line in table.splitlines()}) == 1
    assert "| 1-5 (contracting) | shallow-5 | 12 | 0.001 | 295,360 |" in text
    assert "block 9 is dead" in text


def test_a_bar_in_a_cell_is_escaped() -> None:
    assert markdown_table(["a", "b"], [["1|2", "3"]]) == ["| a | b |", "| --- | --- |", "| 1\\|2 | 3 |"]

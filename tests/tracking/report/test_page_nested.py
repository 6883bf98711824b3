"""The score of the whole procedure in every report, and nowhere without outer parts."""

from __future__ import annotations

import json

from sweeps.commands.best import best, terminal_parts
from tests.tracking.best_mask.test_nested import favours, part, whole
from tests.tracking.made_up import rendered
from tracking.report.page_nested import NESTED

SENTENCE = "The whole procedure, search included, has a Dice of 0.60"


def test_every_report_and_the_answer_show_it() -> None:
    record = whole(*(part(number, favours((1, 2)), [0.6] * 8) for number in (1, 2)))
    page, markdown = rendered(record, "html"), rendered(record, "markdown")
    assert f"<h2>{NESTED}" in page.replace("\n", "") and SENTENCE in page and "1 of 2" in page
    assert f"## {NESTED}" in markdown and "| 2 of 2 | 30 | 1-2 · 12 epochs · lr 0.001 |" in markdown
    assert SENTENCE in markdown and "bootstrap of their 8 groups" in markdown
    nested = json.loads(rendered(record, "json"))["best_mask"]["nested"]
    assert [one["dice"] for one in nested["parts"]] == [0.6, 0.6] and nested["chosen"] == {"1-2": 2}
    assert any(SENTENCE in str(text) for text in terminal_parts(best(record)))


def test_what_is_not_done_yet_has_its_parts() -> None:
    record = whole(part(1, favours((1, 2)), [0.6] * 8), None)
    assert "| 1 of 2 |" in rendered(record, "markdown") and "| 2 of 2 |" not in rendered(record, "markdown")
    assert "0 of 2 outer parts are done" in rendered(whole(None, None), "html")


def test_no_outer_parts_no_section() -> None:
    assert NESTED not in rendered(whole(), "html") + rendered(whole(), "markdown")

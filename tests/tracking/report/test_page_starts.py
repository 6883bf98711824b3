"""What a report shows of starts, in every form."""

from __future__ import annotations

from dataclasses import replace
from html import unescape

from tests.tracking.best_mask.test_starts import additive, made
from tracking.best_mask.start_tables import start_tables
from tracking.record import SweepRecord
from tracking.report.markdown import to_markdown
from tracking.report.page_starts import starts_section
from tracking.report.text import to_text
from tracking.summary.sweep import summarise


def test_table_figure_and_sentence_stand_in_every_form() -> None:
    summary = summarise(made(additive))
    assert summary.best_mask is not None and summary.best_mask.starts is not None
    starts = summary.best_mask.starts
    page = unescape(starts_section(summary))
    for form in (page, to_markdown(summary)):
        for table in start_tables(starts):
            assert table.title in form and all(cell in form for row in table.rows for cell in row)
    assert page.count("<svg") == 1 and page.count("SYNTHETIC DATA") >= 3
    assert starts.sentence in page and starts.sentence in to_text(summary)


def test_fresh_weights_are_said_in_words() -> None:
    starts = summarise(made(additive)).best_mask
    assert starts is not None and starts.starts is not None
    rows = start_tables(starts.starts)[0].rows
    assert [row[1] for row in rows[2:]] == [
        "fresh weights, all of which train",
        "fresh weights, frozen ones as they were drawn",
    ]


def test_one_start_has_no_section(record: SweepRecord) -> None:
    summary = summarise(record)
    assert starts_section(summary) == "" and "Start and mask" not in to_markdown(summary)


def test_curves_and_verdict_are_those_of_the_sweeps_own_start() -> None:
    whole = made(additive)
    own = tuple(one for one in whole.trials if one.info.candidate.start == "pretrained")
    alone = summarise(replace(whole, trials=own))
    assert summarise(whole).verdict == alone.verdict and summarise(whole).comparison == alone.comparison

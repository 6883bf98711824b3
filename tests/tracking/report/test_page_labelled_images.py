"""The page's section on the number of labelled images: there only where it was measured."""

from __future__ import annotations

from tests.tracking.analysis.test_labelled_images import FALLING, LESS, with_parts
from tests.tracking.made_up import summary_of
from tracking.record import SweepRecord
from tracking.report.page_labelled_images import labelled_images_section


def test_a_sweep_on_all_images_has_no_such_section(record: SweepRecord) -> None:
    assert labelled_images_section(summary_of(record)) == ""


def test_sentence_figure_tables_and_what_cannot_be_said(record: SweepRecord) -> None:
    text = str(labelled_images_section(summary_of(with_parts(record, {"1-5": FALLING, "all": {6: LESS[6]}}))))
    assert text.count("<table") == 3 and text.count("<svg") == 1
    assert "cannot be said" in text and "It cannot be said of all, 7 more; all, 15 more: it takes 4 numbers of" in text
    assert "SYNTHETIC DATA" in text and "30 minus 6" in text

from __future__ import annotations

from dataclasses import replace

from tests.tracking.made_up import rendered, summary_of
from tracking.record import SweepRecord
from tracking.report.page_distances import distances_section
from tracking.report.page_trials import MOST
from tracking.summary.sweep import summarise


def test_every_trial_of_the_main_table_has_its_distances(record: SweepRecord) -> None:
    section = distances_section(summary_of(record))
    assert section.count("<tr>") == 1 + 19 and "pixels of the working size" in section and "within 1 px" in section
    assert all(rendered(record, form).count("Distances between boundaries") == 1 for form in ("html", "markdown"))
    assert distances_section(summarise(replace(record, trials=()))) == ""


def test_the_lowest_of_very_many_are_left_out(record: SweepRecord) -> None:
    summary = summary_of(record)
    many = replace(summary, trials=summary.trials[:17] * 6)
    assert distances_section(many).count("<tr>") == 1 + MOST and "of 102 by Dice" in distances_section(many)

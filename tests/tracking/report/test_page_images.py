from __future__ import annotations

from dataclasses import replace

from tests.tracking.made_up import summary_of
from tracking.record import SweepRecord
from tracking.report.page_images import HEADS, per_image_cells, per_image_section
from tracking.report.page_trials import MOST
from tracking.summary.sweep import summarise


def test_every_trial_of_the_main_table_and_the_cases(record: SweepRecord) -> None:
    summary = summary_of(record)
    section = per_image_section(summary)
    assert section.count("<tr>") == 1 + 19 + 1 + 5 and "contracting most ahead" in section
    assert len(per_image_cells(summary.trials[0])) == len(HEADS) and per_image_cells(summary.trials[0])[1] == "29"


def test_without_scores_there_is_no_section_and_without_both_masks_no_case(record: SweepRecord) -> None:
    bare = replace(record, trials=tuple(replace(one, scores=()) for one in record.trials))
    assert per_image_section(summary_of(bare)) == ""
    kept = tuple(one for one in record.trials if one.info.candidate.mask != "6-9")
    assert "Images to look at" not in per_image_section(summarise(replace(record, trials=kept)))


def test_the_lowest_of_very_many_are_left_out(record: SweepRecord) -> None:
    summary = summary_of(record)
    worst = replace(summary.trials[0], mask="the worst", aliases=(), dice=replace(summary.trials[0].dice, mean=0.0))
    section = per_image_section(replace(summary, trials=(worst, *summary.trials[:17] * 6)))
    assert f"The best {MOST} of 103 by Dice" in section and "the worst" not in section

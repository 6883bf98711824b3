from __future__ import annotations

import math
from dataclasses import replace

import pytest

from tests.tracking.made_up import summary_of
from tracking.record import SweepRecord
from tracking.report.page_trials import MOST, by_class_section, trials_section
from tracking.summary.sweep import summarise


def test_the_main_setting_first_then_the_others(record: SweepRecord) -> None:
    section = trials_section(summary_of(record))
    first, second = section.split("</table>")[:2]
    assert first.count("<tr>") == 1 + 19 and second.count("<tr>") == 1 + 4 and "partly luck" in section
    assert "none (zero-shot)" in first and "At other settings." in second


def test_one_mask_is_not_the_highest_of_many(record: SweepRecord) -> None:
    two = replace(record, trials=tuple(one for one in record.trials if one.info.candidate.mask in ("1-5", "6-9")))
    assert "partly luck" not in trials_section(summary_of(two))
    assert trials_section(summarise(replace(record, trials=()))) == ""


@pytest.mark.parametrize("mean", [0.0, math.nan])
def test_the_lowest_of_very_many_are_left_out(record: SweepRecord, mean: float) -> None:
    summary = summary_of(record)
    worst = replace(summary.trials[0], mask="the worst", aliases=(), dice=replace(summary.trials[0].dice, mean=mean))
    section = trials_section(replace(summary, trials=(worst, *summary.trials[:17] * 6)))
    assert f"The best {MOST} of 103" in section and "the worst" not in section


def test_classes_and_images_without_a_lesion(record: SweepRecord) -> None:
    section = by_class_section(summary_of(record))
    assert "benign (20)" in section and "malignant (10)" in section and "false-positive area %" in section
    assert "(1 image)" in section


def test_one_class_with_lesions_everywhere_is_no_section(record: SweepRecord) -> None:
    summary = summary_of(record)
    single = [replace(one, by_class={"benign": one.by_class["benign"]}, empty_truths=0) for one in summary.trials]
    assert by_class_section(replace(summary, trials=tuple(single))) == ""

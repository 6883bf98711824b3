from __future__ import annotations

from dataclasses import replace

from tests.tracking.made_up import repeated, summary_of
from tracking.record import SweepRecord
from tracking.report.page_comparisons import comparisons_section, convergence_section
from tracking.summary.sweep import summarise


def test_both_comparisons_their_reach_and_every_depth(record: SweepRecord) -> None:
    section = comparisons_section(summary_of(record))
    assert "<h2>How sure is it?</h2>" in section and section.count("<svg") == 1
    assert "<td>contracting − expanding</td>" in section and "with a power of 80 %." in section
    assert section.count("<table") == 2 and "Holm p (8)" in section and "seed SD" not in section


def test_repeated_trials_add_their_noise(record: SweepRecord) -> None:
    section = comparisons_section(summarise(repeated(record)))
    assert section.count("<table") == 3 and "with each seed" in section and "seed SD (SE)" in section


def test_without_a_comparison_the_missing_masks_are_named(record: SweepRecord) -> None:
    kept = tuple(one for one in record.trials if one.info.candidate.mask not in ("6-9", "9"))
    section = comparisons_section(summarise(replace(record, trials=kept)))
    assert "<h2>Comparisons</h2>" in section and "expanding (6-9), deep-1, deep-4." in section and "<svg" not in section


def test_convergence_needs_two_budgets(record: SweepRecord) -> None:
    assert "Dice at 12 − at 6 epochs" in convergence_section(summary_of(record))
    long = tuple(one for one in record.trials if one.info.candidate.epochs == 12)
    assert convergence_section(summarise(replace(record, trials=long))) == ""

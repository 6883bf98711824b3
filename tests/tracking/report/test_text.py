from __future__ import annotations

from dataclasses import replace

from tests.tracking.made_up import summary_of
from tracking.record import SweepRecord
from tracking.report.text import to_text


def test_the_terminal_table_fits_and_ends_with_the_verdict(record: SweepRecord) -> None:
    summary = summary_of(record)
    text = to_text(summary)
    table, _, rest = text.partition("\n\n4 more trials")
    *_, verdict = rest.rstrip().split("\n")
    assert max(map(len, table.split("\n"))) <= 100 and verdict == summary.verdict.sentence
    assert (
        summary.best_mask is not None and summary.best_mask.sentence in rest and "One-standard-error choice: " in rest
    )
    assert text.startswith("SYNTHETIC DATA")
    assert "1 trials failed" not in text and "1 trial failed" in text


def test_trials_at_other_settings_and_without_a_score_are_counted(record: SweepRecord) -> None:
    lines = to_text(summary_of(record)).splitlines()
    assert "4 more trials at other settings: in the report." in lines
    assert "1 trial failed; listed in the report." in lines and "1 trial unfinished; listed in the report." in lines
    planned = replace(record, info=replace(record.info, planned={"0" * 16: "3-4 · 12 epochs"}))
    assert "1 trial not begun; listed in the report." in to_text(summary_of(planned))

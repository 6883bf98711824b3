from __future__ import annotations

import csv
import io

from tests.tracking.made_up import rendered, summary_of
from tracking.record import SweepRecord
from tracking.report.csv_rows import to_csv


def test_csv_has_a_row_per_trial_with_full_precision(record: SweepRecord) -> None:
    rows = list(csv.DictReader(io.StringIO(rendered(record, "csv"))))
    found = summary_of(record).trials
    assert len(rows) == len(found) == 23
    assert [float(row["dice_fold_3"]) for row in rows] == [trial.dice.folds[2] for trial in found]
    assert {row["synthetic"] for row in rows} == {"true"}


def test_a_missing_value_is_an_empty_cell(record: SweepRecord) -> None:
    (row,) = [one for one in csv.DictReader(io.StringIO(rendered(record, "csv"))) if one["role"] == "zero-shot"]
    assert (row["order"], row["depth"], row["dice_seed_sd"], row["seeds"]) == ("", "", "", "")


def test_several_sweeps_share_one_head(record: SweepRecord) -> None:
    summary = summary_of(record)
    lines = to_csv(summary, summary).splitlines()
    assert len(lines) == 1 + 2 * 23 and lines[1:24] == lines[24:]

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest

from tests.tracking.made_up import rendered, summary_of, sweep_info
from tracking.figures.figure_data import curves_of
from tracking.record import SweepRecord
from tracking.report.text import to_text
from trainer.errors import UserError


def test_real_data_are_not_called_synthetic(record: SweepRecord) -> None:
    real = replace(record, info=sweep_info(synthetic=False))
    for form in ("html", "markdown"):
        assert "synthetic data" not in rendered(real, form).lower()
    assert "SYNTHETIC" not in to_text(summary_of(real))


def test_trials_that_differ_in_a_training_setting_are_told_apart(record: SweepRecord) -> None:
    first = next(trial for trial in record.finished if trial.info.candidate.mask == "1-5")
    other = replace(first.info, candidate=replace(first.info.candidate, train=(("batch", 8),)))
    both = replace(record, trials=(*record.trials, replace(first, info=other, run_id="other")))
    found = summary_of(both)
    assert "1-5 (contracting), batch 8" in rendered(both) and "batch 8" not in to_text(found).partition("Thaw")[0]
    assert curves_of(found) == curves_of(summary_of(record)), "a curve is of one setting"
    assert [row["train"] for row in csv.DictReader(io.StringIO(rendered(both, "csv")))].count("batch=8") == 1


def test_every_statistic_is_explained(record: SweepRecord) -> None:
    page = rendered(record)
    for words in (
        "95 %, choice allowed for",
        "not shown to be worse",
        "One-standard-error choice",
        "not the same as being as good",
        "The interval over images is descriptive",
        "Worst tenth: mean Dice",
        "times the parameters of expanding",
        "From 6 to 12 epochs",
        "The images of figure 3",
    ):
        assert words in page
    text = rendered(record, "markdown")
    for words in (
        "## Which set is best",
        "## Image by image",
        "95 % over images (descriptive)",
        "From 6 to 12 epochs",
    ):
        assert words in text


@pytest.mark.parametrize("form", ["html", "json", "csv", "markdown"])
def test_a_sweep_without_a_finished_trial_still_reports(record: SweepRecord, form: str) -> None:
    unfinished = tuple(trial for trial in record.trials if trial.status == "RUNNING")
    assert rendered(replace(record, trials=unfinished), form)


@pytest.mark.parametrize("form", ["html", "json", "csv", "markdown"])
def test_the_same_record_gives_the_same_bytes(record: SweepRecord, form: str) -> None:
    assert rendered(record, form) == rendered(replace(record), form)


def test_unknown_format(record: SweepRecord) -> None:
    with pytest.raises(UserError, match=r"Unknown report format 'pdf'\. Formats: html, json, csv, markdown"):
        rendered(record, "pdf")

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from tests.tracking.made_up import rendered, sweep_info
from tracking.record import SweepRecord
from tracking.report.text import to_text
from tracking.summary.sweep import summarise
from trainer.errors import UserError


class Loads(HTMLParser):
    """Collects every address that a browser would load, and checks that tags are balanced."""

    VOID = frozenset({"meta", "img", "br", "use", "path", "link", "input"})

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href", "data")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag


@pytest.fixture(scope="module")
def page(record: SweepRecord) -> str:
    return rendered(record, "html")


def test_the_page_loads_nothing_and_is_well_formed(page: str) -> None:
    parser = Loads()
    parser.feed(page)
    assert parser.open == []
    assert parser.addresses and all(one.startswith(("data:", "#")) for one in parser.addresses)
    assert not re.search(r"@import|url\((?!#)", page)
    assert len(page) < 3_000_000


def test_ids_are_unique_and_every_reference_has_one(page: str) -> None:
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'(?:href="#|url\(#)([^")]+)', page)) <= set(ids)


def test_the_page_says_verdict_first_and_everything_else_after(page: str, record: SweepRecord) -> None:
    places = [page.index(words) for words in (
        "<h1>Shallow better</h1>", "carries no claim about any real image", "The two directions", "How sure is it?",
        "Which mask to take", "The figures", "What it costs", "All trials", "By class", "Image by image",
        "Was it trained long enough?", "block 9 is dead", "thaw run demo --seed 0",
    )]  # fmt: skip
    assert places == sorted(places)
    assert page.count('src="data:image/png') == 2  # contracting and expanding
    assert "133 normal images left out" in page
    assert "SD over folds" in page


def test_synthetic_is_said_at_every_table_and_figure(page: str) -> None:
    captions = re.findall(r"<(?:caption|figcaption)>(.{0,60})", page)
    assert len(captions) >= 8
    assert all("SYNTHETIC DATA" in caption for caption in captions)


def test_real_data_are_not_called_synthetic(record: SweepRecord) -> None:
    real = replace(record, info=sweep_info(synthetic=False))
    for form in ("html", "markdown"):
        assert "synthetic data" not in rendered(real, form).lower()
    assert "SYNTHETIC" not in to_text(summarise(real))


def test_names_from_outside_are_escaped(record: SweepRecord) -> None:
    name = "<script>alert(1)</script>"
    assert name not in rendered(replace(record, info=replace(record.info, name=name)), "html")


def test_csv_has_a_row_per_trial_with_full_precision(record: SweepRecord) -> None:
    rows = list(csv.DictReader(io.StringIO(rendered(record, "csv"))))
    found = summarise(record).trials
    assert len(rows) == len(found) == 23
    assert [float(row["dice_fold_3"]) for row in rows] == [trial.dice.folds[2] for trial in found]
    assert {row["synthetic"] for row in rows} == {"true"}


def test_trials_that_differ_in_a_training_setting_are_told_apart(record: SweepRecord) -> None:
    first = next(trial for trial in record.finished if trial.info.candidate.mask == "1-5")
    other = replace(first.info, candidate=replace(first.info.candidate, train=(("batch", 8),)))
    both = replace(record, trials=(*record.trials, replace(first, info=other, run_id="other")))
    found = summarise(both)
    assert "1-5 (contracting), batch 8" in to_text(found) and "1-5 (contracting), batch 8" in rendered(both)
    assert [row["train"] for row in csv.DictReader(io.StringIO(rendered(both, "csv")))].count("batch=8") == 1


def test_markdown_tables_are_rectangular(record: SweepRecord) -> None:
    text = rendered(record, "markdown")
    for table in re.findall(r"(?:^\|.*\n)+", text, re.M):
        assert len({line.count("|") for line in table.splitlines()}) == 1
    assert "| 1-5 (contracting) | shallow-5 | 12 | 0.001 | 295,360 |" in text
    assert "block 9 is dead" in text


def test_the_terminal_table_fits_and_ends_with_the_verdict(record: SweepRecord) -> None:
    text = to_text(summarise(record))
    *table, verdict = text.rstrip().split("\n")
    assert max(map(len, table)) <= 100
    assert verdict == summarise(record).verdict.sentence
    assert text.startswith("SYNTHETIC DATA")
    assert "1 trials failed" not in text and "1 trial failed" in text


def test_every_statistic_is_explained(page: str, record: SweepRecord) -> None:
    for words in ("looks better than it is", "cannot be told from the best", "One-standard-error choice",
                  "not the same as being as good", "The interval over images is descriptive", "Worst tenth: mean Dice",
                  "times the parameters of expanding", "From 6 to 12 epochs", "those of figure 3"):  # fmt: skip
        assert words in page
    text = rendered(record, "markdown")
    for words in (
        "## Which mask to take",
        "## Image by image",
        "95 % over images (descriptive)",
        "From 6 to 12 epochs",
    ):
        assert words in text


def test_the_curve_shows_every_fold_under_the_pointer(page: str, record: SweepRecord) -> None:
    hints = re.findall(r'id="curves-hit-([a-z-]+-\d)" class="hit" data-hover="([^"]+)"', page)
    assert len(hints) == 18
    (trial,) = [one for one in summarise(record).trials if (one.mask, one.epochs) == ("1-5", 12)]
    folds = " · ".join(f"{value:.3f}" for value in trial.dice.folds)
    assert dict(hints)["shallow-first-5"] == f"shallow-first 5 (1-5): {trial.dice.mean:.3f} | folds {folds}"


@pytest.mark.parametrize("form", ["html", "json", "csv", "markdown"])
def test_a_sweep_without_a_finished_trial_still_reports(record: SweepRecord, form: str) -> None:
    unfinished = tuple(trial for trial in record.trials if trial.status == "RUNNING")
    assert rendered(replace(record, trials=unfinished), form)


@pytest.mark.parametrize("form", ["html", "json", "csv", "markdown"])
def test_the_same_record_gives_the_same_bytes(record: SweepRecord, form: str) -> None:
    assert rendered(record, form) == rendered(record, form)


def test_unknown_format(record: SweepRecord) -> None:
    with pytest.raises(UserError, match=r"Unknown report format 'pdf'\. Formats: html, json, csv, markdown"):
        rendered(record, "pdf")

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tests.tracking.best_mask.test_answer import SETS, level, sample
from tests.tracking.made_up import rendered, subset_record
from tracking.best_mask.answer import answer_object
from tracking.record import SweepRecord
from tracking.report.page_best_mask import SHOWN, answer_files, answer_of, answer_section

SMALL = 260_000  # bytes that the section may take, pictures included


@pytest.fixture(scope="module")
def full() -> SweepRecord:
    """Every set of blocks, and no difference between them: everything ties."""
    return subset_record(SETS, lambda _: 0.5)


def test_hundreds_of_masks_make_a_short_section(full: SweepRecord) -> None:
    answer = answer_object(full)
    section = answer_section(answer)
    (table,) = re.findall(r"<tbody>.*?</tbody>", section, re.DOTALL)
    tied = sum(one["tied"] for one in answer["compared"])
    assert table.count("<tr>") == SHOWN < tied and f"And {tied - SHOWN:,} more" in section
    assert len(section) < SMALL
    assert section.count("<svg") == 2 and section.count("SYNTHETIC DATA") >= 5


def test_the_page_of_a_search_leads_with_the_answer() -> None:
    record = subset_record(sample(20), level)
    page = rendered(record)
    answer = answer_of(record)
    assert answer is not None
    head = page[page.index("<h1>") : page.index("</header>")]
    assert f"<h1>{answer['sentence'].partition(': ')[0]}</h1>" in head
    assert "<h2>Which set is best</h2>" in page and "<h2>Which mask to take</h2>" not in page
    assert "<h2>What it costs</h2>" not in page


def test_a_short_list_and_an_unfinished_search_keep_the_page_they_had(record: SweepRecord) -> None:
    assert answer_of(record) is None and "<h2>Which mask to take</h2>" in rendered(record)
    begun = subset_record(sample(4), level)
    assert answer_of(replace(begun, trials=begun.trials[-2:])) is None


def test_pictures_come_as_svg_and_png() -> None:
    record = subset_record(sample(20), level)
    files = answer_files(answer_object(record), record.info)
    names = ("effects", "pareto-parameters", "pareto-seconds")
    assert sorted(files) == sorted(f"{name}.{form}" for name in names for form in ("svg", "png"))
    assert all(content.startswith(b"\x89PNG") for name, content in files.items() if name.endswith("png"))
    untimed = replace(record, trials=tuple(replace(one, seconds=float("nan")) for one in record.trials))
    assert "pareto-seconds.svg" not in answer_files(answer_object(untimed), record.info)

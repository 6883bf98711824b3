from __future__ import annotations

import re
from dataclasses import replace
from html import unescape

import pytest

from tests.tracking.best_mask.made_up_answers import answer
from tests.tracking.best_mask.test_answer import SETS, level, sample
from tests.tracking.made_up import rendered, repeated, subset_record, summary_of
from tracking.record import SweepRecord
from tracking.report.page_best_mask import SHOWN, answer_files, answer_section, best_mask_section, best_mask_view, leads
from tracking.summary.sweep import summarise

SMALL = 260_000  # bytes that the section may take, figures included


@pytest.fixture(scope="module")
def full() -> SweepRecord:
    """Every set of blocks, and no difference between them: everything ties."""
    return subset_record(SETS, lambda _: 0.5)


def test_hundreds_of_masks_make_a_short_section(full: SweepRecord) -> None:
    found = answer(full)
    section = answer_section(found)
    ties, *_ = re.findall(r"<tbody>.*?</tbody>", section, re.DOTALL)
    assert ties.count("<tr>") == SHOWN < len(found.tied) and f"And {len(found.tied) - SHOWN:,} more" in section
    assert len(section) < SMALL
    assert section.count("<svg") == 2 and section.count("SYNTHETIC DATA") >= 5


def test_it_shows_everything_that_thaw_best_prints() -> None:
    found = answer(subset_record(sample(38), level, strategy="tpe"))
    section = unescape(answer_section(found))
    assert found.smoothed is not None and found.effects is not None
    words = [found.sentence, found.smoothed.sentence, *found.effects.sentences, found.importance.sentence, *found.notes]
    tables = ["The best and what ties with it", "Nothing as cheap in parameters", "Nothing as cheap in seconds"]
    more = ["p (all pairs)", "What each block does", "Not told apart: ", "One-standard-error choice: "]
    for expected in (*words, *tables, *more):
        assert expected in section


def test_what_the_masks_cannot_tell_is_said() -> None:
    section = answer_section(answer(subset_record([(1,), (2,)], level)))
    assert "No block effects: these masks never vary" in section and "fANOVA needs 20 trials" in section


def test_repeated_trials_show_how_far_another_seed_moves_their_distance(record: SweepRecord) -> None:
    plain, again = (best_mask_view(answer(one)).ties for one in (record, repeated(record)))
    assert "seed SD (SE)" not in plain.heads and again.heads[-1] == "seed SD (SE)"
    assert sum(row[-1].startswith("±") for row in again.rows) == len(again.rows) - 1  # the best has none


def test_the_page_of_a_search_leads_with_the_answer() -> None:
    record = subset_record(sample(20), level)
    page, found = rendered(record), answer(record)
    assert leads(summary_of(record))
    head = page[page.index("<h1>") : page.index("</header>")]
    assert f"<h1>{found.sentence.partition(': ')[0]}</h1>" in head
    assert "<h2>Which set is best</h2>" in page
    assert "<h2>What it costs</h2>" not in page


def test_the_verdict_heads_the_page_of_a_short_list_which_has_the_section_too(record: SweepRecord) -> None:
    summary, page = summary_of(record), rendered(record)
    assert not leads(summary) and summary.best_mask is not None and summary.parameters is not None
    assert f"<h1>{summary.verdict.sentence.partition(': ')[0]}</h1>" in page and "<h2>What it costs</h2>" in page
    section = best_mask_section(summary)
    assert section in page and summary.best_mask.sentence in unescape(section) and summary.parameters.note in section


def test_without_a_second_mask_there_is_no_answer() -> None:
    begun = subset_record(sample(4), level)
    summary = summarise(replace(begun, trials=begun.trials[-2:]))
    assert summary.best_mask is None and not leads(summary)
    assert "The best and what ties with it" not in best_mask_section(summary)


def test_figures_come_as_svg_and_png() -> None:
    record = subset_record(sample(20), level)
    files = answer_files(answer(record), record.info)
    names = ("effects", "pareto-parameters", "pareto-seconds")
    assert sorted(files) == sorted(f"{name}.{form}" for name in names for form in ("svg", "png"))
    assert all(content.startswith(b"\x89PNG") for name, content in files.items() if name.endswith("png"))
    untimed = replace(record, trials=tuple(replace(one, seconds=float("nan")) for one in record.trials))
    assert "pareto-seconds.svg" not in answer_files(answer(untimed), record.info)

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from tests.tracking.made_up import rendered, summary_of
from tracking.record import SweepRecord


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
    order = (
        "<h1>Shallow better</h1>",
        "carries no claim about any real image",
        "The two directions",
        "How sure is it?",
        "Which set is best",
        "The figures",
        "What it costs",
        "All trials",
        "By class",
        "Image by image",
        "Was it trained long enough?",
        "block 9 is dead",
        "thaw run demo --seed 0",
    )
    positions = [page.index(words) for words in order]
    assert positions == sorted(positions)
    assert page.count('src="data:image/png') == 2  # contracting and expanding
    assert "133 normal images left out" in page
    assert "SD over folds" in page


def test_synthetic_is_said_at_every_table_and_figure(page: str) -> None:
    captions = re.findall(r"<(?:caption|figcaption)>(.{0,60})", page)
    assert len(captions) >= 8
    assert all("SYNTHETIC DATA" in caption for caption in captions)


def test_names_from_outside_are_escaped(record: SweepRecord) -> None:
    name = "<script>alert(1)</script>"
    assert name not in rendered(replace(record, info=replace(record.info, name=name)), "html")


def test_the_curve_shows_every_fold_under_the_pointer(page: str, record: SweepRecord) -> None:
    hints = re.findall(r'id="curves-hit-([a-z-]+-\d)" class="hit" data-hover="([^"]+)"', page)
    assert len(hints) == 18
    (trial,) = [one for one in summary_of(record).trials if (one.mask, one.epochs) == ("1-5", 12)]
    folds = " · ".join(f"{value:.3f}" for value in trial.dice.folds)
    assert dict(hints)["shallow-first-5"] == f"shallow-first 5 (1-5): {trial.dice.mean:.3f} | folds {folds}"

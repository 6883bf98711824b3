from __future__ import annotations

from dataclasses import replace

import pytest

from tests.tracking.made_up import conv_record, repeated
from tracking.analysis.comparisons import Comparisons
from tracking.record import SweepRecord
from tracking.report.page_two_sweeps import two_sweeps_files, two_sweeps_html, two_sweeps_markdown
from tracking.summary.two_sweeps import TwoSweeps, compare_sweeps


@pytest.fixture(scope="module")
def two(record: SweepRecord) -> TwoSweeps:
    return compare_sweeps(record, replace(conv_record(), info=replace(conv_record().info, name="by <convolution>")))


def test_the_page_has_both_sweeps_and_escapes_their_names(two: TwoSweeps) -> None:
    page = two_sweeps_html(two)
    assert "<h1>No dependence on what masks count shown</h1>" in page or "depends on what masks count</h1>" in page
    assert "<h3>demo</h3>" in page and "<h3>by &lt;convolution&gt;</h3>" in page and "<convolution>" not in page
    assert page.count("<svg") == 3 and "first − second" in page


def test_markdown_has_the_same_rows(two: TwoSweeps) -> None:
    text = two_sweeps_markdown(two)
    assert text.startswith("# demo against by <convolution>") and f"**{two.sentence}**" in text
    assert text.count("| contracting − expanding") == 3 and text.count("| area between the curves") == 2
    assert "## demo" in text and "seed SD" not in text


def test_only_what_was_measured_is_drawn(two: TwoSweeps) -> None:
    both = {f"{name}.{form}" for name in ("figure-4-curve", "comparisons") for form in ("svg", "png")}
    assert set(two_sweeps_files(two)) == both
    bare = [replace(sweep, trials=(), comparison=Comparisons()) for sweep in two.sweeps]
    nothing = replace(two, sweeps=(bare[0], bare[1]), difference=replace(two.difference, contracting_vs_expanding=None))
    assert two_sweeps_files(nothing) == {} and "<svg" not in two_sweeps_html(nothing)


def test_noise_of_one_sweep_alone_is_not_that_of_the_difference(record: SweepRecord) -> None:
    other = repeated(record)
    two = compare_sweeps(record, replace(other, info=replace(other.info, name="again"), run_id="run 2"))
    apart = two.difference.contracting_vs_expanding
    assert apart is not None and apart.noise is None
    assert two_sweeps_markdown(two).count("not measured") == 4

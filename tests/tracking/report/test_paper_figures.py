"""The five figures out of a record: chosen by rule, captioned, and left out where nothing was recorded."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from tests.tracking.made_up import rendered, scratch_info, summary_of, sweep_images, trial_record, with_shown_images
from tracking.record import SweepRecord
from tracking.report.paper_figures import examples, figures_of_paper
from tracking.summary.sweep import summarise

STEMS = ["figure-1-examples", "figure-2-network", "figure-3-side-by-side", "figure-4-curve", "figure-5-neurons"]


@pytest.fixture(scope="module")
def seen(record: SweepRecord) -> SweepRecord:
    return with_shown_images(record)


def test_all_five_are_drawn_and_stamped(seen: SweepRecord) -> None:
    drawn = figures_of_paper(summary_of(seen), seen)
    assert [one.file for one in drawn] == STEMS
    assert all(b"SYNTHETIC DATA" in one.draw("svg") for one in drawn)


def test_the_page_shows_them_and_stays_small(seen: SweepRecord) -> None:
    page = rendered(seen, "html")
    order = (
        "Figure 4: Dice against",
        "The figures",
        "Figure 1: ",
        "Figure 2: ",
        "Figure 3: ",
        "#directions",
        "Figure 5: ",
    )
    positions = [page.index(words) for words in order]
    assert positions == sorted(positions) and page.count('src="data:image/png') == 3
    assert len(page) < 3_000_000
    assert "chosen by the hash of their names" in page and "The head trains with block 9" in page


def test_without_images_the_rest_is_reported_with_a_note(record: SweepRecord, seen: SweepRecord) -> None:
    nothing = replace(seen.shown_images, images=None, predictions={}, notes=("They were not recorded.",))
    old = replace(seen, shown_images=nothing)
    assert [one.number for one in figures_of_paper(summary_of(old), old)] == [2, 4, 5]
    page = rendered(old, "html")
    assert "They were not recorded." in page and page.count('src="data:image/png') == 3  # two montages, and figure 5
    assert [one.number for one in figures_of_paper(summary_of(record), record)] == [2, 4]


def test_a_mask_without_predictions_leaves_its_column_out(seen: SweepRecord) -> None:
    kept = {name: one for name, one in seen.shown_images.predictions.items() if name != "zero-shot"}
    less = replace(seen, shown_images=replace(seen.shown_images, predictions=kept))
    (third,) = [one for one in figures_of_paper(summary_of(less), less) if one.number == 3]
    assert third.alt == "Image, truth, expanding tuned, contracting tuned"


def test_leaky_trials_are_in_no_figure(seen: SweepRecord) -> None:
    leak = scratch_info()
    leak = replace(leak, candidate=replace(leak.candidate, start="pretrained", split="leaky"), role="leaky")
    more = replace(seen, trials=(*seen.trials, trial_record(leak)))
    plain, with_leak = ({one.number: one for one in figures_of_paper(summary_of(each), each)} for each in (seen, more))
    assert {place: one.alt for place, one in plain.items()} == {place: one.alt for place, one in with_leak.items()}
    assert plain[4].draw("svg") == with_leak[4].draw("svg")


def test_examples_are_spread_over_classes_whatever_the_order_of_the_cases() -> None:
    given = sweep_images()
    chosen = examples(given)
    assert Counter(given.labels[place] for place in chosen) == {"benign": 3, "malignant": 3}
    turned = replace(given, names=given.names[::-1], labels=given.labels[::-1])
    assert [turned.names[place] for place in examples(turned)] == [given.names[place] for place in chosen]
    assert len(examples(given, 50)) == len(given.names)


def test_the_network_is_drawn_by_convolution_where_masks_count_them(record: SweepRecord) -> None:
    info = replace(record.info, spec={"partition": {"unit": "conv", "head": "own"}}, block_params=[9] * 19, n_blocks=19)
    found = summarise(replace(record, info=info))
    (second,) = [one for one in figures_of_paper(found, replace(record, info=info)) if one.number == 2]
    assert "The convolutions are numbered" in second.caption and "a unit of its own, number 19" in second.caption
    assert second.draw("svg").count(b">18<") == len(second.alt.split("; "))


def test_blocks_that_were_not_drawn_are_named(seen: SweepRecord) -> None:
    old = replace(seen, shown_images=replace(seen.shown_images, neurons={"contracting": {1: b"", 5: b""}}))
    (fifth,) = [one for one in figures_of_paper(summary_of(old), old) if one.number == 5]
    assert fifth.caption.endswith("Not drawn in this sweep (search.neurons): block 2, 9.")

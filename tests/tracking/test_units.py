"""Masks that count convolutions: curves, tables and words say so; where the head trains is said."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tests.tracking.made_up import conv_record, rendered, sweep_info
from tracking.record import SweepRecord
from tracking.report.formats import figures
from tracking.summary.sweep import summarise
from tracking.units import head_sentence, is_paper_network, network_sentence


def test_curves_and_comparisons_over_eighteen_convolutions() -> None:
    found = summarise(conv_record())
    assert found.model.unit == "conv" and found.comparison.missing == ()
    assert [one.depth for one in found.comparison.by_depth] == list(range(1, 18))
    assert "contracting (convolutions 1-9, Dice" in found.verdict.sentence
    assert "expanding (convolutions 10-18, 0." in found.verdict.sentence
    assert found.baselines.all is not None and found.baselines.all.blocks == tuple(range(1, 19))
    assert found.parameters is not None and found.parameters.note.startswith("Contracting (convolutions 1-9) holds")


def test_the_page_speaks_of_convolutions() -> None:
    page = rendered(conv_record())
    assert "which convolutions to fine-tune" in page and "number of tuned convolutions" in page
    assert "head trains with convolution 18" in page
    drawn = figures(summarise(conv_record()), conv_record())["figure-4-curve.svg"]
    assert "tuned blocks (" not in page and b"number of tuned convolutions" in drawn
    hints = re.findall(r'id="curves-hit-([a-z-]+-\d+)" class="hit"', page)
    assert len(hints) == 36


@pytest.mark.parametrize(
    ("head", "words"),
    [
        ("last", "The head trains with block 9: a mask without it, such as shallow-k for any k below 9, never does."),
        ("always", "The head (65 parameters) trains with every mask"),
        ("own", "The head is a unit of its own, number 9 (2,329 parameters): a mask without 9 never trains it."),
    ],
)
def test_where_the_head_trains(head: str, words: str) -> None:
    info = replace(sweep_info(), spec={"partition": {"unit": "block", "head": head}}, always_params=65)
    assert words in head_sentence(info)


def test_a_spec_without_a_partition_counts_blocks() -> None:
    assert "block 9" in head_sentence(sweep_info())


OWN = {"model": {"path": "nets/my.keras", "filters": 8}, "train": {"batch_norm": "adapt"}}


def test_nothing_that_the_paper_says_is_said_of_a_network_of_one_s_own(record: SweepRecord) -> None:
    page = rendered(replace(record, info=replace(record.info, spec={**record.info.spec, **OWN})))
    assert "The network is my.keras" in page and "adapts to the training images (adapt)" in page
    assert "no more here than the first and the second half of the 9 blocks of my.keras" in page
    assert "The paper says that" not in page and "Dashed: the skip connections" not in page


def test_a_table_of_blocks_is_not_the_paper_s_network_either() -> None:
    assert is_paper_network({}) and is_paper_network({"model": {"filters": 8, "path": None, "blocks": []}})
    assert not is_paper_network({"model": {"blocks": [["*"]]}}) and not is_paper_network(OWN)


def test_what_a_copy_changes_in_a_network_is_said() -> None:
    plain = {"model": {"path": "nets/my.keras"}}
    assert "It reads" not in network_sentence(plain)
    spec = {"model": {"path": "nets/my.keras", "reads": [-1.0, 1.0], "still": ["flip"]}}
    assert network_sentence(spec).endswith(
        " It reads values from -1 to 1. Random layers that move images are left out: flip."
    )

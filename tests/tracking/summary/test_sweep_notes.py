from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.tracking.made_up import conv_record, repeated, summary_of
from tracking.record import SweepRecord
from tracking.summary.sweep import SweepSummary
from tracking.summary.sweep_notes import notes_on, units_of


def notes(first: SweepRecord, second: SweepRecord) -> str:
    return " ".join(notes_on((summary_of(first), summary_of(second))))


@pytest.fixture(scope="module")
def summary(record: SweepRecord) -> SweepSummary:
    return summary_of(record)


def test_seeds_heads_and_folds_that_differ_are_said(record: SweepRecord) -> None:
    other = repeated(record)
    (first, *rest), (second, *others) = other.info.folds[:2]
    folds = [[second, *rest], [first, *others], *other.info.folds[2:]]
    spec = {**other.info.spec, "partition": {"unit": "block", "head": "always"}}
    said = notes(record, replace(other, info=replace(other.info, name="again", folds=folds, spec=spec)))
    for words in ("demo with the seed 0; again with the seeds 0, 1, 2", "again: The head (", "cut into other folds"):
        assert words in said


def test_other_budgets_are_said(record: SweepRecord) -> None:
    short = tuple(one for one in record.trials if one.info.candidate.epochs != 12)
    said = notes(record, replace(record, trials=short))
    assert "The settings differ: 12 epochs, learning rate 0.001 against 6 epochs, learning rate 0.001." in said


def test_the_same_images_are_said_and_other_ones_are_not(record: SweepRecord) -> None:
    other = replace(record, info=replace(record.info, data={**record.info.data, "digest": "0"}))
    words = "Both sweeps measure the same images"
    assert words in notes(record, record) and words not in notes(record, other)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"weights": {"digest": "0"}}, "The starting weights differ."),
        ({"block_params": [1] * 9}, "The networks differ in size."),
    ],
)
def test_each_difference_has_its_note(record: SweepRecord, change: dict[str, Any], words: str) -> None:
    other = replace(record, info=replace(record.info, **change))
    assert words in notes(record, other) and words not in notes(record, record)


def test_units_that_differ_change_what_the_names_mean(record: SweepRecord, summary: SweepSummary) -> None:
    assert units_of((summary, summary)) == {"block"}
    said = notes(record, conv_record())
    assert "in demo contracting is blocks 1-5, expanding 6-9; in convolutions contracting is convolutions 1-9" in said
    assert "The networks differ in size." not in said

"""Rows and sentences on the number of labelled images."""

from __future__ import annotations

from tests.tracking.analysis.test_labelled_images import FALLING, labelled_of, with_parts
from tests.tracking.made_up import summary_of
from tracking.record import SweepRecord
from tracking.summary.labelled_images_in_words import (
    gain_heads,
    gain_rows,
    labelled_note,
    pair_rows,
    size_heads,
    size_rows,
)


def test_rows_fit_their_heads_and_what_is_missing_is_a_dash(record: SweepRecord) -> None:
    labelled = labelled_of(with_parts(record, {"1-5": FALLING, "all": {6: -0.1}}))
    heads, rows = size_heads(labelled), list(size_rows(labelled))
    assert heads == ["mask", "6 images", "10 images", "18 images", "30 images"]
    assert all(len(row) == len(heads) for row in rows) and rows[-1][1:] == ["5", "8", "14", "24"]
    gains = {row[0]: row for row in gain_rows(labelled)}
    assert gain_heads(labelled) == ["mask", "7 more images", "15 more images"]
    assert {row[0]: row for row in rows}["all"][2] == "–" and gains["all"][1:] == ["cannot be said"] * 2
    assert [row[1] for row in pair_rows(labelled)] == ["6", "30", "30 minus 6"]


def test_the_note_says_what_fills_an_epoch_up(record: SweepRecord) -> None:
    assert "of n a fold trains on about n x 4/5" in labelled_note(summary_of(record))
    assert "The same images again fill" in labelled_note(summary_of(record))

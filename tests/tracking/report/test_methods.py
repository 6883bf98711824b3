"""The methods paragraph says what the sweep did, and nothing else."""

from __future__ import annotations

from dataclasses import replace

from tests.tracking.made_up import rendered, repeated
from tracking.record import SweepRecord


def test_it_holds_the_numbers_and_the_sources_of_the_sweep(record: SweepRecord) -> None:
    text = rendered(record, "methods")
    assert text.startswith("## Methods") and "SYNTHETIC" in text
    for part in ("30 synthetic images", "5-fold cross-validation", "29 groups", "[1]", "Nadeau", "Holm", "Tsamardinos"):
        assert part in text, part
    body, _, sources = text.partition("\n\n1. ")
    count = len(("1. " + sources).strip().splitlines())
    assert all(f"[{number}]" in body for number in range(1, count + 1)) and f"[{count + 1}]" not in body


def test_it_says_only_what_was_done(record: SweepRecord) -> None:
    assert "repeated with" not in rendered(record, "methods")
    assert "Every training was repeated with 3 seeds." in rendered(repeated(record), "methods")
    spec = {**record.info.spec, "augmentation": {"total": 0}}
    assert "augmented" not in rendered(replace(record, info=replace(record.info, spec=spec)), "methods")

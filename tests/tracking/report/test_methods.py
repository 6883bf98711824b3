"""The methods paragraph says what the sweep did, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.tracking.made_up import rendered, repeated
from tracking.record import SweepRecord
from trainer.errors import UserError


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
    assert "Every trial was trained 3 times, with the seeds 0, 1, 2." in rendered(repeated(record), "methods")
    spec = {**record.info.spec, "augmentation": {"total": 0}}
    assert "augmented" not in rendered(replace(record, info=replace(record.info, spec=spec)), "methods")


def test_what_is_not_finished_is_called_so(record: SweepRecord) -> None:
    assert "NOT FINISHED" in rendered(record, "methods")
    whole = replace(record, trials=tuple(one for one in record.trials if one.status == "FINISHED"), status="FINISHED")
    assert "NOT FINISHED" not in rendered(whole, "methods")
    with pytest.raises(UserError, match="of the sweep 'demo' no trial is finished"):
        rendered(replace(record, trials=()), "methods")


def test_how_blocks_were_tuned_is_said_where_it_is_not_the_usual_way(record: SweepRecord) -> None:
    assert "that a mask thaws" not in rendered(record, "methods")
    train = {"tune": "all", "schedule": "head-first", "head_epochs": 2}
    search = {"train": [["tune", ["all", "lora"]], ["rate_decay", [1.0, 0.5]]]}
    spec = {**record.info.spec, "train": train, "search": search}
    text = rendered(replace(record, info=replace(record.info, spec=spec)), "methods")
    for part in (
        "everything or updates of low rank of the kernels [4] trained. The rank of these updates was 4.",
        "a block's rate was multiplied by 1 or 0.5 [5].",
        "The last layer trained alone for the first 2 epochs [6].",
        "4. E. J. Hu",
    ):
        assert part in text, part

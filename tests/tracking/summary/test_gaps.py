from __future__ import annotations

from dataclasses import replace

from tests.tracking.made_up import repeated, trial_info, trial_record
from tracking.analysis.seeds import read
from tracking.record import SweepRecord
from tracking.summary.gaps import FailedTrial, Gaps, UnfinishedTrial, find_gaps


def test_failed_unfinished_and_never_begun(record: SweepRecord) -> None:
    planned = {"0" * 16: "3-4 · 12 epochs", trial_info("shallow-first", 5).candidate.key: "1-5 · 12 epochs"}
    whole = replace(record, info=replace(record.info, planned=planned))
    assert find_gaps(whole, read(whole)) == Gaps(
        (FailedTrial("9 · 6 epochs · lr 0.001", "block 9 is dead"),),
        (UnfinishedTrial("1 · 6 epochs · lr 0.001", 1),),
        ("3-4 · 12 epochs",),
    )


def test_a_seed_that_is_not_done_yet_is_unfinished_by_its_name(record: SweepRecord) -> None:
    whole = repeated(record, (0, 1))
    info = whole.trials[0].info
    begun = trial_record(replace(info, candidate=replace(info.candidate, seed=2)), "RUNNING", 3)
    spec = {**whole.info.spec, "search": {"seeds": [0, 1, 2]}}
    grown = replace(whole, info=replace(whole.info, spec=spec), trials=(*whole.trials, begun))
    assert find_gaps(grown, read(grown)).unfinished == (UnfinishedTrial("1 · 12 epochs · lr 0.001 · seed 2", 3),)

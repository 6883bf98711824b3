from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.tracking.made_up import conv_record, leaky_record, sweep_info, trial_info
from tracking.record import SweepRecord
from tracking.summary.comparable import check_comparable, measured
from trainer.errors import UserError


@pytest.fixture(scope="module")
def other(record: SweepRecord) -> SweepRecord:
    """The same trials on other data."""
    data = {**sweep_info(synthetic=False).data, "digest": "c" * 64}
    return replace(record, info=replace(sweep_info("chest", synthetic=False), data=data), run_id="run 2")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda one: replace(conv_record(), info=replace(conv_record().info, data=one.info.data)),
            "'demo' counts blocks, 'convolutions' counts convolutions, and their images differ.*partition.unit=block",
        ),
        (
            lambda one: replace(
                one, info=replace(one.info, n_blocks=10, spec={"partition": {"unit": "block", "head": "own"}})
            ),
            "equal numbers of blocks, but 'demo' has 9 and 'chest' has 10.*partition.head=last",
        ),
        (lambda one: replace(one, trials=(leaky_record(trial_info("shallow-first", 5)),)), "'chest' has none yet"),
        (lambda one: replace(one, run_id="run 1"), "both are 'demo'"),
        (
            lambda one: replace(one, info=replace(one.info, folds=one.info.folds[:3])),
            r"equal numbers of folds, but 'demo' has 5 and 'chest' has 3.*--set folds=N",
        ),
        (
            lambda one: replace(one, info=replace(one.info, n_blocks=7)),
            "equal numbers of blocks, but 'demo' has 9 and 'chest' has 7",
        ),
        (
            lambda one: replace(
                one, trials=tuple(replace(t, folds={**t.folds, "ari": (math.nan,) * 5}) for t in one.trials)
            ),
            "same metrics, but 'demo' has dice, pixel_error, ari and 'chest' has dice, pixel_error",
        ),
        (lambda one: replace(one, trials=()), "'chest' has none yet"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    record: SweepRecord, other: SweepRecord, change: Callable[[SweepRecord], SweepRecord], words: str
) -> None:
    with pytest.raises(UserError, match=words):
        check_comparable(record, change(other))


def test_what_was_measured_is_that_of_finished_trials(record: SweepRecord, other: SweepRecord) -> None:
    check_comparable(record, other)
    assert measured(record) == ("dice", "pixel_error", "ari")
    assert measured(replace(record, trials=(leaky_record(trial_info("shallow-first", 5)),))) == ()

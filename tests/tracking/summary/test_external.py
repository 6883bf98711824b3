"""What holds on images from elsewhere: order, loss of the winner, conclusion; checked where the truth is known."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from tests.tracking.made_up import rendered, repeated, summary_of
from tracking.record import SweepRecord, TrialRecord
from tracking.summary.external import ExternalSummary, reliability, spearman

TRUTH, PIXELS = 1000, 4096


def counts_of(dice: float, images: int, seed: int, sd: float = 0.05) -> np.ndarray:
    """(5, 4, images) of predictions as large as the truth, whose Dice lies about `dice`; images differ alike for
    all.
    """
    hard = np.random.default_rng(99).normal(0, 0.1, images)
    noise = np.random.default_rng(seed).normal(0, sd, (5, images))
    tp = (np.clip(dice + hard + noise, 0.01, 1) * TRUTH).astype(np.int64)
    return np.stack([tp, TRUTH - tp, TRUTH - tp, PIXELS - 2 * TRUTH + tp], axis=1)


def there(
    record: SweepRecord, level: Callable[[TrialRecord], float], images: int = 60, groups: int = 30
) -> SweepRecord:
    """The sweep with a test set `clinic` on which each trial has a Dice of about `level`."""
    table = {
        **record.info.data,
        **{"source": "clinic", "images": images, "groups": groups, "synthetic": False},
        **{"names": [f"there {number}" for number in range(images)], "labels": [""] * images},
        "group_of": [number % groups for number in range(images)],
    }
    trials = tuple(
        replace(trial, external={"clinic": counts_of(level(trial), images, number)})
        if trial.status == "FINISHED"
        else trial
        for number, trial in enumerate(record.trials)
    )
    return replace(record, info=replace(record.info, external={"clinic": table}), trials=trials)


def found(record: SweepRecord) -> ExternalSummary:
    (external,) = summary_of(record).external
    return external


def test_the_same_order_is_found_and_its_ceiling_is_high(record: SweepRecord) -> None:
    external = found(there(record, lambda trial: trial.mean_dice - 0.1))
    assert external.order is not None and external.order.rank_correlation.value > 0.9
    assert external.order.rank_correlation.low > 0.7 and external.order.ceiling > 0.8
    assert external.finding == external.finding_here == "shallow better"
    assert external.loss is not None and external.loss.low < 0.01


def test_the_other_order_is_another_conclusion_and_costs_the_winner(record: SweepRecord) -> None:
    external = found(there(record, lambda trial: 1.1 - trial.mean_dice))
    assert external.order is not None and external.order.rank_correlation.high < -0.5
    assert (external.finding, external.finding_here) == ("deep better", "shallow better")
    assert external.loss is not None and external.loss.low > 0.05
    assert "deep better, where the sweep's own images say shallow better" in external.sentence
    assert "corrected for looking" in external.sentence


def test_that_no_training_is_better_there_is_said(record: SweepRecord) -> None:
    external = found(there(record, lambda trial: 0.8 if trial.info.role == "zero-shot" else 0.6))
    assert "without any training the Dice there is 0." in external.sentence
    assert "without any training" not in found(there(record, lambda trial: trial.mean_dice)).sentence


def test_looking_for_the_best_among_equals_finds_no_loss(record: SweepRecord) -> None:
    """The best of many equal masks looks better there by chance: the plain difference is positive, the loss is not."""
    losses = []
    for level in (0.5, 0.6, 0.7, 0.8):
        external = found(there(record, lambda trial, level=level: level, images=30))  # type: ignore[misc]
        assert external.loss is not None
        losses.append(external.loss.value)
        assert external.loss.low < 0 < external.loss.high
    assert abs(float(np.mean(losses))) < 0.01


@pytest.mark.parametrize(("groups", "usable"), [(9, False), (10, True)])
def test_too_few_groups_have_no_interval(record: SweepRecord, groups: int, usable: bool) -> None:
    external = found(there(record, lambda trial: 0.5, images=20, groups=groups))
    assert (external.loss is not None, external.halves is not None) == (usable, usable)
    assert all(math.isnan(trial.there.low) is not usable for trial in external.trials)


def test_whole_groups_are_drawn(record: SweepRecord) -> None:
    """Of images that agree within their group, the groups are what counts: fewer of them, a wider range."""
    widths = []
    for groups in (10, 60):
        external = found(there(record, lambda trial: 0.5, images=60, groups=groups))
        widths.append(external.trials[0].there.high - external.trials[0].there.low)
    assert all(0.005 < width < 0.2 for width in widths)


def test_seeds_add_their_networks(record: SweepRecord) -> None:
    external = found(there(repeated(record), lambda trial: 0.5))
    assert {len(trial.networks) for trial in external.trials if trial.role == "trial"} == {15}


def test_spearman_and_reliability() -> None:
    line = np.arange(6.0)
    assert spearman(line, line**3) == pytest.approx(1) and spearman(line, -line) == pytest.approx(-1)
    assert spearman(line, np.ones(6)) == 0
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(6, 40))
    assert reliability(line[:, None] + 0.01 * noise) == pytest.approx(1)
    assert reliability(noise) < 0.6


@pytest.mark.parametrize("form", ["html", "markdown", "json"])
def test_every_report_says_it(record: SweepRecord, form: str) -> None:
    text = rendered(there(record, lambda trial: trial.mean_dice - 0.1), form)
    assert "On clinic (60 images in 30 groups, never trained on)" in text

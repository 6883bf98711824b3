"""Processors of several kinds: counted, and their difference told only where one mask ran on several."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from tests.tracking.made_up import FOLDS, rendered, subset_record, summary_of
from tracking.analysis.processors import processors
from tracking.record import SweepRecord, TrialRecord
from tracking.report.page_processors import processors_section

A, B, C = "AMD EPYC, AVX-512", "Intel Xeon, AMX", "ARM, NEON"
MASKS = [(block,) for block in range(1, 10)]
Pick = Callable[[int, int], str]  # (trial from 0, fold from 0) -> kind


def mixed(pick: Pick, shift: float = 0.0, seed: int = 0, masks: Sequence[tuple[int, ...]] = MASKS) -> SweepRecord:
    """A sweep whose folds on B have `shift` more Dice, beside effects of mask and fold and a little noise."""
    record = subset_record(masks, lambda blocks: 0.4 + 0.02 * blocks[0], noise=0, seed=seed)
    noise = np.random.default_rng(seed).normal(0, 0.004, (len(record.trials), FOLDS))

    def on(trial: TrialRecord, place: int) -> TrialRecord:
        if trial.info.role != "trial":
            return trial
        kinds = tuple(pick(place, fold) for fold in range(FOLDS))
        base = 0.4 + 0.02 * place + noise[place]
        dice = tuple(float(base[fold] + 0.01 * fold + shift * (kinds[fold] == B)) for fold in range(FOLDS))
        return replace(trial, folds={**trial.folds, "dice": dice}, processors=kinds)

    return replace(record, trials=tuple(on(trial, place) for place, trial in enumerate(record.trials)))


def one_kind(trial: int, fold: int) -> str:
    return A


def by_trial(trial: int, fold: int) -> str:
    return A if trial < 5 else B


def alternating(trial: int, fold: int) -> str:
    return B if (trial + fold) % 3 == 0 else A


def three(trial: int, fold: int) -> str:
    return C if trial == 8 else alternating(trial, fold)


def partly_unknown(trial: int, fold: int) -> str:
    return "" if trial == 0 else A


@pytest.mark.parametrize(
    ("pick", "shift", "words"),
    [
        (one_kind, 0.0, "45 folds were trained on one kind of processor: AMD EPYC, AVX-512."),
        (partly_unknown, 0.0, "40 folds were trained on one kind of processor: AMD EPYC, AVX-512. Of 5 folds the proc"),
        (by_trial, 0.05, "Too few folds of one mask ran on several of them to tell whether that shows"),
        (alternating, 0.0, "no difference shown."),
        (alternating, 0.02, "higher on Intel Xeon, AMX (95 % +0.0"),
        (alternating, 0.02, "a difference shows"),
        (alternating, -0.02, "lower on Intel Xeon, AMX (95 % -0.0"),
        (three, 0.0, "trained on 3 kinds of processors, which round differently: AMD EPYC, AVX-512 (27 folds)"),
        (three, 0.0, "no difference shown. Of 1 kind it cannot be told."),
    ],
)
def test_the_sentence_says_what_can_be_told(pick: Pick, shift: float, words: str) -> None:
    found = processors(mixed(pick, shift))
    assert found is not None and words in found.sentence


def test_the_offset_is_that_of_the_same_model_by_dummies() -> None:
    record = mixed(alternating, 0.02)
    found = processors(record)
    assert found is not None and found.masks == 9
    first, second = found.kinds
    trials = [trial for trial in record.trials if trial.processors]
    rows = [
        (t, f, trial.processors[f] == B, trial.folds["dice"][f]) for t, trial in enumerate(trials) for f in range(5)
    ]
    design = np.array([[*np.eye(9)[t], *np.eye(5)[f][1:], float(b)] for t, f, b, _ in rows])
    dice = np.array([row[3] for row in rows])
    beta, squares, *_ = np.linalg.lstsq(design, dice, rcond=None)
    se = math.sqrt(squares[0] / (45 - 14) * np.linalg.inv(design.T @ design)[-1, -1])
    assert second.offset == pytest.approx(beta[-1]) and second.offset == pytest.approx(0.02, abs=0.005)
    assert second.high - second.low == pytest.approx(2 * 2.0395 * se, rel=1e-4)  # t of 31 degrees of freedom
    assert math.isnan(first.offset) and first.folds + second.folds == 45 and second.shows and not first.shows


def test_without_a_difference_the_interval_misses_zero_about_as_often_as_it_says() -> None:
    shown = [
        found for seed in range(60) if (found := processors(mixed(alternating, seed=seed))) and found.kinds[1].shows
    ]
    assert len(shown) <= 8


def test_smaller_budgets_of_a_training_are_no_data_of_their_own() -> None:
    record = mixed(alternating)
    shorter = [
        replace(one, info=replace(one.info, candidate=replace(one.info.candidate, epochs=6)))
        for one in record.trials
        if one.processors
    ]
    assert processors(replace(record, trials=(*record.trials, *shorter))) == processors(record)


def test_a_record_of_before_says_nothing_and_reports_say_what_was_mixed() -> None:
    assert processors(subset_record(MASKS, lambda blocks: 0.5)) is None
    plain, several = mixed(one_kind), mixed(alternating, 0.02)
    assert summary_of(several).processors == processors(several)
    for form in ("markdown", "json"):
        assert "a difference shows" in rendered(several, form)
        assert "kinds of processors" not in rendered(plain, form)
    assert processors_section(summary_of(plain)) == ""
    assert "a difference shows" in processors_section(summary_of(several))

"""Dice against the number of labelled images, by hand; and that a trial on a part of them moves no other number."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from tests.tracking.made_up import FOLDS, rendered, repeated, summary_of, trial_info, trial_record, with_seed
from tracking.analysis.labelled_images import LabelledImages
from tracking.as_json import to_json
from tracking.record import SweepRecord, TrialRecord
from tracking.report.csv_rows import to_csv
from tracking.statistics import corrected_t
from tracking.summary.sweep import summarise
from trainer.candidate import Candidate

CONTRACTING, ALL = trial_info("shallow-first", 5), trial_info("shallow-first", 9)


def part(whole: TrialRecord, images: int, dice: Sequence[float]) -> TrialRecord:
    """A trial as if so many images were labelled, with this Dice in each fold."""
    candidate = replace(whole.info.candidate, images=images)
    info = replace(whole.info, candidate=candidate, role="subset", orders=())
    folds = {**whole.folds, "dice": tuple(dice)}
    trained = tuple(float(round(images * 24 / 30)) for _ in range(FOLDS))
    return replace(whole, info=info, run_id=f"run {candidate.key}", folds=folds, train_images=trained)


def level(
    whole: TrialRecord, shift: float, noise: Sequence[float] = (0.004, -0.002, 0.0, 0.003, -0.005)
) -> list[float]:
    return [value + shift + moved for value, moved in zip(whole.folds["dice"], noise, strict=True)]


def with_parts(record: SweepRecord, shifts: dict[str, dict[int, float]]) -> SweepRecord:
    """The record with trials of a mask on fewer images, shifted against its own Dice with all."""
    by_mask = {trial.info.candidate.mask: trial for trial in record.trials if trial.info.candidate == at_main(trial)}
    parts = [
        part(by_mask[mask], n, level(by_mask[mask], by)) for mask, by_n in shifts.items() for n, by in by_n.items()
    ]
    return replace(record, trials=(*record.trials, *parts))


def at_main(trial: TrialRecord) -> Candidate:
    return Candidate(trial.info.candidate.mask, 12, 1e-3)


def labelled_of(record: SweepRecord) -> LabelledImages:
    labelled = summary_of(record).labelled_images
    assert labelled is not None
    return labelled


FALLING = {6: -0.2, 10: -0.13, 18: -0.06}
LESS = {6: -0.1, 10: -0.062, 18: -0.025}


def test_points_pairs_and_trained_images(record: SweepRecord) -> None:
    labelled = labelled_of(with_parts(record, {"1-5": FALLING, "all": {6: -0.1, 18: -0.04}}))
    assert labelled.images == 30 and labelled.sizes == (6, 10, 18) and len(labelled.trials) == 5
    curves = {curve.mask: curve for curve in labelled.curves}
    assert [point.images for point in curves["all"].points] == [6, 18, 30]
    assert curves["1-5"].points[0].trained == (5.0,) * 5 and curves["1-5"].points[-1].trained == (24.0,) * 5
    whole = trial_record(CONTRACTING)
    assert curves["1-5"].points[1].dice.folds == pytest.approx(level(whole, -0.13))
    (pair,) = labelled.pairs
    assert [one.images for one in pair.differences] == [6, 18, 30]
    other = trial_record(ALL)
    apart = np.subtract(whole.folds["dice"], other.folds["dice"])
    sign = 1 if pair.first.startswith("1-5") else -1
    expected = corrected_t([float(one) for one in sign * (apart - 0.1)], (24,) * 5, (6,) * 5)
    assert pair.differences[0].mean == pytest.approx(expected.mean) and pair.differences[0].p == pytest.approx(
        expected.p
    )
    assert pair.differences[0].p_holm >= pair.differences[0].p
    assert pair.change.mean == pytest.approx(pair.differences[-1].mean - pair.differences[0].mean)


@pytest.mark.parametrize(
    ("shift", "crossings", "shown"),
    [(0.0, 0, False), (0.5, 1, True), (0.012, 1, False)],
    ids=["none", "sure", "within the noise"],
)
def test_where_curves_cross(record: SweepRecord, shift: float, crossings: int, shown: bool) -> None:
    """`all` is put above contracting with 6 images, by `shift`, and far below it with more."""
    whole, other = trial_record(CONTRACTING), trial_record(ALL)
    gap = float(np.mean(whole.folds["dice"]) - np.mean(other.folds["dice"]))
    below = gap - 0.2
    by_six = -0.2 + (gap + shift if shift else below)
    noisy = [0.05, -0.06, 0.04, -0.03, 0.0] if shift == 0.012 else [0.0, 0.001, 0.002, 0.0, -0.003]
    parts = [part(whole, n, level(whole, -0.2)) for n in (6, 18)]
    parts += [part(other, 6, [value + by_six + extra for value, extra in zip(other.folds["dice"], noisy, strict=True)])]
    parts += [part(other, 18, level(other, -0.2 + below))]
    both = replace(record, trials=(*without(record, other), replace(other, folds=lowered(other, below)), *parts))
    (pair,) = labelled_of(both).pairs
    assert len(pair.crossings) == crossings
    if crossings:
        (one,) = pair.crossings
        assert (one.low, one.high, one.shown) == (6, 18, shown) and 6 < one.near < 18
        sentence = labelled_of(both).sentence
        assert ("not shown: within" in sentence) is not shown
        assert (
            sentence.startswith("With 6 labelled images all has the highest") and ", from 18 on 1-5 (contr" in sentence
        )


def without(record: SweepRecord, trial: TrialRecord) -> tuple[TrialRecord, ...]:
    return tuple(one for one in record.trials if one.info.candidate != trial.info.candidate)


def lowered(trial: TrialRecord, by: float) -> dict[str, tuple[float, ...]]:
    return {**trial.folds, "dice": tuple(value + by for value in trial.folds["dice"])}


def test_no_other_number_moves(record: SweepRecord) -> None:
    """Not even where a part of the images does better than anything else."""
    more = with_parts(record, {"1-5": {6: 0.3, 18: 0.35}, "all": {6: 0.2}})
    for prepare in (lambda one: one, repeated):
        base, with_them = (json.loads(to_json(summarise(one))) for one in (record, more))
        assert with_them.pop("labelled_images") and base.pop("labelled_images") is None
        assert with_them == base
        record, more = prepare(record), prepare(more)


def test_with_several_seeds_their_differences_say_how_far_another_moves_them(record: SweepRecord) -> None:
    whole = repeated(record)
    masks = [
        trial for trial in whole.trials if trial.info.candidate.mask in ("1-5", "all") and trial.info.role == "trial"
    ]
    main = [trial for trial in masks if trial.info.candidate.epochs == 12]
    labelled = labelled_of(replace(whole, trials=(*whole.trials, *(part(one, 6, one.folds["dice"]) for one in main))))
    (pair,) = labelled.pairs
    assert pair.differences[0].noise is not None and len(pair.differences[0].noise.per_seed) == 3
    assert labelled.curves[0].points[0].trained == (5.0,) * 5


def test_a_trial_without_one_on_all_images_is_no_curve(record: SweepRecord) -> None:
    alone = part(with_seed(trial_record(trial_info("shallow-first", 5, rate=1e-2)), 0), 6, (0.4,) * 5)
    labelled = labelled_of(replace(record, trials=(*record.trials, alone)))
    assert labelled.curves == () and "none of them also on all" in labelled.sentence and len(labelled.trials) == 1


def test_the_reports_show_it(record: SweepRecord) -> None:
    shown = with_parts(record, {"1-5": FALLING, "all": LESS})
    labelled = labelled_of(shown)
    for form in ("html", "markdown"):
        text = rendered(shown, form)
        assert "How many labelled images" in text and "images that a fold trains on" in text, form
        assert "6 images" in text and "30 minus 6" in text
    rows = list(csv.DictReader(io.StringIO(to_csv(summary_of(shown)))))
    assert [row["labelled_images"] for row in rows if row["role"] == "subset" and row["mask"] == "1-5"] == [
        "6",
        "10",
        "18",
    ]
    assert {row["labelled_images"] for row in rows if row["role"] != "subset"} == {"30"}
    assert labelled.sentence.endswith(".") and "The next 7 images, beyond all 30" in labelled.sentence

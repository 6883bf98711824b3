"""Trials that differ only in their seed are one trial; a leaky one counts each original image once."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from tests.tracking.made_up import (
    leaky_record,
    pretrained_again,
    repeated,
    summary_of,
    trial_info,
    trial_record,
    with_seed,
)
from tracking.analysis.seeds import balanced, done_lucks, merged, per_original, read
from tracking.as_json import to_json
from tracking.record import METRICS, SweepRecord, TrialRecord
from tracking.summary.gaps import FailedTrial, UnfinishedTrial
from tracking.summary.sweep import summarise
from trainer.results import Score, original_of

CONTRACTING = trial_record(trial_info("shallow-first", 5))


def test_with_one_seed_every_trial_stays_what_it_is(record: SweepRecord) -> None:
    reading = read(record)
    assert {id(one) for one in reading.honest.trials} == {id(one) for one in record.trials}
    assert not reading.leaky and not reading.repeats.parts and not reading.repeats.by_seed(reading.honest.trials)
    for one in summary_of(record).trials:
        assert one.noise is None and one.seeds == ((0,) if one.epochs else ())


def test_a_merged_trial_is_the_mean_over_its_seeds(record: SweepRecord) -> None:
    parts = [with_seed(CONTRACTING, seed) for seed in (0, 1, 2)]
    (one,) = [trial for trial in summarise(repeated(record)).trials if (trial.mask, trial.epochs) == ("1-5", 12)]
    folds = np.mean([part.folds["dice"] for part in parts], axis=0)
    assert one.dice.folds == pytest.approx(list(folds)) and one.dice.sd == pytest.approx(folds.std(ddof=1))
    images = np.mean([[score.dice for _, score in part.scores] for part in parts], axis=0)
    assert one.per_image.n == 29 and one.per_image.mean == pytest.approx(np.nanmean(images))
    everything = [score for part in parts for _, score in part.scores]
    tp, wrong = sum(score.tp for score in everything), sum(score.fp + score.fn for score in everything)
    assert one.dice_pooled == pytest.approx(2 * tp / (2 * tp + wrong))
    assert (one.empty_truths, one.seeds) == (1, (0, 1, 2))
    assert one.false_positive_percent == pytest.approx(100 * 40 / 4096)


def test_images_pair_by_name_whatever_their_order(record: SweepRecord) -> None:
    parts = [with_seed(CONTRACTING, seed) for seed in (0, 1)]
    turned = replace(parts[1], scores=parts[1].scores[::-1])
    assert str(merged([parts[0], turned]).scores) == str(merged(parts).scores)  # NaN equals nothing but its own text


def test_one_trial_is_itself() -> None:
    assert merged([CONTRACTING]) is CONTRACTING


MISSING = replace(trial_info("deep-first", 4).candidate, seed=1)


def with_change(whole: SweepRecord, change: Callable[[TrialRecord], TrialRecord | None]) -> SweepRecord:
    """The sweep with one mask's training of seed 1 changed, or taken out."""
    trials = [change(one) if one.info.candidate == MISSING else one for one in whole.trials]
    return replace(whole, trials=tuple(one for one in trials if one))


@pytest.mark.parametrize("change", [lambda one: None, lambda one: trial_record(one.info, "RUNNING", 3)])
def test_a_sweep_that_grows_by_a_seed_reports_those_it_is_done_with(
    record: SweepRecord, change: Callable[[TrialRecord], TrialRecord | None]
) -> None:
    grown = with_change(repeated(record), change)
    found, before = summary_of(grown), summarise(repeated(record, (0, 2)))
    begun = len(grown.trials) == len(repeated(record).trials)
    expected = (UnfinishedTrial("6-9 · 12 epochs · lr 0.001 · seed 1", 3),) if begun else ()
    assert found.unfinished == expected and found.noise.seeds == (0, 2)
    assert found.comparison == before.comparison and found.verdict == before.verdict
    assert "all · 12 epochs · lr 0.001 · seed 1" in found.noise.others
    assert not begun or not found.finished


def test_a_trial_is_unfinished_until_its_last_seed_is(record: SweepRecord) -> None:
    whole = repeated(record, (0, 1))
    waiting = with_change(whole, lambda one: trial_record(one.info, "RUNNING", 3))
    none = [
        replace(one, status="RUNNING") if one.info.candidate.mask == "9" and one.info.candidate.seed == 0 else one
        for one in waiting.trials
    ]
    found = summarise(replace(waiting, trials=tuple(none)))
    names = [one.name for one in found.unfinished]
    assert "6-9 · 12 epochs · lr 0.001 (seed 1 not finished)" in names and found.verdict.finding is None


def test_a_trial_that_fails_with_one_seed_has_failed(record: SweepRecord) -> None:
    found = summarise(with_change(repeated(record), lambda one: trial_record(one.info, "FAILED", 0, "dead")))
    assert found.failed == (FailedTrial("6-9 · 12 epochs · lr 0.001 · seed 1", "dead"),)
    assert found.unfinished == () and found.comparison.missing == ("expanding (6-9)", "deep-4")


def test_where_every_seed_failed_the_trial_failed(record: SweepRecord) -> None:
    whole = repeated(record, (0, 1))
    failed = tuple(
        replace(one, status="FAILED", reason="dead") if one.info.candidate.mask == "9" else one for one in whole.trials
    )
    found = summarise(replace(whole, trials=failed))
    assert found.unfinished == ()
    assert [one.name for one in found.failed] == ["9 · 12 epochs · lr 0.001", "9 · 12 epochs · lr 0.001 · seed 1"]


def test_a_seed_outside_the_plan_is_named_and_left_out(record: SweepRecord) -> None:
    more = replace(record, trials=(*record.trials, with_seed(CONTRACTING, 5)))
    before, after = summary_of(record), summary_of(more)
    assert after.noise.others == ("1-5 · 12 epochs · lr 0.001 · seed 5",) and before.noise.others == ()
    assert to_json(before) == to_json(replace(after, noise=replace(after.noise, others=())))


def test_a_sweep_from_before_seeds_were_recorded_has_one(record: SweepRecord) -> None:
    old = replace(record, info=replace(record.info, seed=7))
    assert read(old).repeats.seeds == (0,) and len(read(old).honest.finished) == len(record.finished)


def test_zero_shot_stands_once(record: SweepRecord) -> None:
    found = summarise(repeated(record, (3, 4)))
    zero_shot, scratch = found.baselines.zero_shot, found.baselines.scratch
    assert zero_shot is not None and zero_shot.seeds == () and zero_shot.noise is None
    assert scratch is not None and scratch.seeds == (3, 4) and found.unfinished == ()


def test_versions_of_an_image_are_one_image() -> None:
    leaky = leaky_record(CONTRACTING.info)
    names = {f"case {fold}-{image}" for fold in range(5) for image in range(6)}
    one = {score.image: score for _, score in per_original(leaky, names).scores}
    assert set(one) == names
    versions = [score.dice for _, score in leaky.scores if original_of(score.image) == "case 1-3"]
    assert len(versions) == 3 and one["case 1-3"].dice == pytest.approx(np.mean(versions))
    assert math.isnan(one["case 2-5"].dice)


def test_an_original_may_be_called_like_a_copy() -> None:
    renamed = tuple(
        (fold, replace(score, image=score.image.replace("case 1-3", "scan#7")))
        for fold, score in leaky_record(CONTRACTING.info).scores
    )
    found = per_original(replace(CONTRACTING, scores=renamed), {"scan#7"})
    assert "scan#7" in {score.image for _, score in found.scores} and len(found.scores) == 30


def image_score(image: str, dice: float, counts: tuple[int, int, int, int] = (1, 2, 3, 4), label: str = "x") -> Score:
    return Score(image, label, *counts, dice, 10 * counts[0], counts[1] / 10, 20 * dice, dice / 2)


def scored(seed: int, scores: list[tuple[int, Score]], dice: float = 0.5, seconds: float = 1.0) -> TrialRecord:
    folds = {name: (dice, value) for name, value in zip(METRICS, (0.7, 2.0, 0.1, 3.0, 0.9), strict=True)}
    one = with_seed(CONTRACTING, seed)
    return replace(one, scores=tuple(scores), folds=folds, seconds=seconds)


def test_a_merged_trial_by_hand() -> None:
    """Counts are summed, rates averaged, a Dice is averaged over the seeds that have one; an image must be in all."""
    first = scored(
        0, [(1, image_score("a", 0.4)), (2, image_score("b", math.nan)), (2, image_score("c", 0.1))], 0.2, 3.0
    )
    second = scored(1, [(2, image_score("b", 0.9, (5, 6, 7, 8), "y")), (1, image_score("a", 0.8))], 0.6, 5.0)
    one = merged([first, second])
    assert [(fold, score.image) for fold, score in one.scores] == [(1, "a"), (2, "b")]
    a, b = (score for _, score in one.scores)
    assert (a.dice, b.dice) == pytest.approx((0.6, 0.9))
    assert (b.label, b.tp, b.fp, b.fn, b.tn) == ("x", 6, 8, 10, 12)
    assert (b.pixel_error, b.ari) == pytest.approx((30, 0.4))
    assert (a.hd95, a.surface_dice, b.hd95) == pytest.approx((12, 0.3, 18))
    assert one.folds["dice"] == (0.4, 0.7) and one.folds["ari"] == pytest.approx((0.4, 0.1))
    assert one.folds["hd95"] == (0.4, 3.0) and one.folds["surface_dice"] == (0.4, 0.9)
    assert (one.seconds, one.info, one.run_id) == (4.0, first.info, first.run_id)


def test_an_image_without_any_dice_has_none_after_merging() -> None:
    parts = [scored(seed, [(1, image_score("a", math.nan))]) for seed in (0, 1)]
    assert math.isnan(merged(parts).scores[0][1].dice)


def test_a_version_lies_in_the_fold_of_its_original() -> None:
    leaky = scored(
        0,
        [
            (3, image_score("b//1", 0.2)),
            (2, image_score("b", 0.4)),
            (1, image_score("b//2", math.nan)),
            (5, image_score("a//1", 0.6)),
            (4, image_score("a//2", 0.8)),
        ],
    )
    found = per_original(leaky, ["a", "b"]).scores
    assert [(fold, score.image) for fold, score in found] == [(5, "a"), (2, "b")]
    assert [score.dice for _, score in found] == pytest.approx([0.7, 0.3])


def status(record: SweepRecord, seed: int, mask: str, status: str) -> SweepRecord:
    """The sweep with one training in another state."""

    def changed(one: TrialRecord) -> TrialRecord:
        candidate = one.info.candidate
        return replace(one, status=status) if (candidate.seed, candidate.mask) == (seed, mask) else one

    return replace(record, trials=tuple(map(changed, record.trials)))


def done(record: SweepRecord, *seeds: int) -> list[int]:
    return [seed for seed, _ in done_lucks(record, [(seed, None) for seed in seeds])]


def test_a_seed_is_done_when_all_its_trials_have_ended(record: SweepRecord) -> None:
    whole = repeated(record, (0, 1, 2))
    assert done(whole, 0, 1, 2) == [0, 1, 2] and done(whole, 2, 0) == [2, 0]
    assert done(status(whole, 1, "9", "RUNNING"), 0, 1, 2) == [0, 2]
    assert done(status(whole, 1, "9", "FAILED"), 0, 1, 2) == [0, 1, 2]
    assert done(status(whole, 0, "none", "RUNNING"), 0, 1, 2) == [0, 1, 2]  # zero-shot has no seed
    assert done(whole, 7) == []


def test_a_grid_with_a_gap_is_read_without_it() -> None:
    """One pre-training must not count for more than another because more seeds are done with it."""
    assert balanced([(0, None), (1, None), (0, 1)]) == ((0, None), (1, None))
    assert balanced([(0, None), (0, 1), (1, 1), (0, 2)]) == ((0, None), (0, 1), (0, 2))
    whole = [(seed, start) for start in (None, 1) for seed in (0, 1)]
    assert balanced(whole) == tuple(whole) and balanced([]) == ()


def test_pre_trainings_are_rows_whatever_the_seeds(record: SweepRecord) -> None:
    reading = read(pretrained_again(record, lambda _, number: 0.1 * number))
    trial = next(one for one in reading.honest.finished if one.info.candidate.mask == "1-5")
    rows = reading.repeats.by_pretraining(trial)
    assert rows.shape == (3, 5) and np.diff(rows, axis=0) == pytest.approx(np.full((2, 5), 0.1))
    assert read(record).repeats.by_pretraining(trial).shape == (1, 5)


def test_a_part_of_the_images_is_known_when_a_trial_has_finished(record: SweepRecord) -> None:
    """A repeat that is still at work has none, and the others keep theirs."""
    done, begun = (scored(seed, [(1, image_score("a", 0.5))]) for seed in (0, 1))
    found = merged([replace(done, train_images=(8.0, 9.0)), replace(begun, train_images=())])
    assert found.train_images == (8.0, 9.0)
    assert merged([replace(one, train_images=()) for one in (done, begun)]).train_images == ()


def test_the_parts_of_a_merged_trial_stand_in_the_order_of_the_seeds(record: SweepRecord) -> None:
    reading = read(repeated(record, (2, 0)))
    assert reading.repeats.seeds == (2, 0) and reading.repeats.others == ()
    for parts in reading.repeats.parts.values():
        assert [one.info.candidate.seed for one in parts] == [2, 0]
    trials = [one for one in reading.honest.trials if one.status == "FINISHED"]
    rows = reading.repeats.by_seed(trials)
    assert [[one.info.candidate.mask for one in row] for row in rows] == [
        [one.info.candidate.mask for one in trials]
    ] * 2
    assert {one.info.candidate.seed for one in rows[0] if one.info.role != "zero-shot"} == {2}
    zero_shot = [one for one in trials if one.info.role == "zero-shot"]
    assert len(zero_shot) == 1 and all(zero_shot[0] in row for row in rows)
    assert zero_shot[0].info.candidate.key not in reading.repeats.parts


def test_a_planned_seed_not_begun_and_an_unplanned_one(record: SweepRecord) -> None:
    whole = repeated(record, (0, 1))
    planned = replace(whole.info, spec={"search": {"seeds": [0, 1, 5]}})
    assert read(replace(whole, info=planned)).repeats.seeds == (0, 1)
    fewer = replace(whole.info, spec={"search": {"seeds": [1]}})
    reading = read(replace(whole, info=fewer))
    assert reading.repeats.seeds == (1,) and not reading.repeats.parts
    assert reading.repeats.others == tuple(sorted(reading.repeats.others)) and len(reading.repeats.others) == sum(
        one.info.candidate.seed == 0 and one.info.role != "zero-shot" for one in whole.trials
    )


def test_what_an_unfinished_or_failed_trial_says_of_its_seeds(record: SweepRecord) -> None:
    whole = repeated(record, (0, 1, 2))
    for seed in (0, 1, 2):  # no seed is done
        whole = status(whole, seed, f"{9 - seed}-9" if seed else "9", "RUNNING")
    found = {one.info.candidate.mask: one for one in read(whole).honest.trials if one.info.candidate.epochs == 12}
    assert found["9"].reason == "seed 0 not finished" and found["8-9"].reason == "seed 1 not finished"
    assert found["9"].status == "RUNNING" and found["9"].scores == () and found["9"].montage is None
    assert found["9"].info.candidate.seed == 0 and found["1-3"].status == "FINISHED"
    two = {one.info.candidate.mask: one for one in read(status(whole, 2, "9", "RUNNING")).honest.trials}
    assert two["9"].reason == "seeds 0, 2 not finished"
    failed = {one.info.candidate.mask: one for one in read(status(whole, 2, "1-3", "FAILED")).honest.trials}
    assert failed["1-3"].status == "FAILED" and failed["1-3"].reason.startswith("seed 2: ")


def test_leaky_trials_are_set_aside_with_one_score_per_image(record: SweepRecord) -> None:
    leaky = leaky_record(CONTRACTING.info)
    reading = read(replace(record, trials=(*record.trials, leaky)))
    assert [one.info.role for one in reading.leaky] == ["leaky"] and len(reading.leaky[0].scores) == 30
    assert len(reading.honest.trials) == len(record.trials)
    assert not any(one.info.role == "leaky" for one in reading.honest.trials)

"""What is compared inside a sweep, by hand: the setting, the two co-primary comparisons, depth by depth."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from tests.tracking.made_up import (
    pretrained_again,
    repeated,
    scratch_info,
    sweep_info,
    trial_info,
    trial_record,
    with_seed,
)
from tracking.analysis.comparisons import (
    DEEP,
    SHALLOW,
    at_setting,
    compare,
    compare_budget,
    curve,
    main_setting,
)
from tracking.analysis.contrasts import Difference, contrast
from tracking.analysis.seeds import Repeats, read
from tracking.record import SweepInfo, SweepRecord, TrialRecord
from trainer.candidate import Candidate, TrainValue

INFO = sweep_info()


def trial(
    order: str,
    depth: int,
    epochs: int = 12,
    rate: float = 1e-3,
    dice: float = 0.5,
    train: tuple[tuple[str, TrainValue], ...] = (),
) -> TrialRecord:
    info = trial_info(order, depth, epochs, rate)
    folds = {"dice": (dice,) * 5, "pixel_error": (0.0,) * 5, "ari": (0.0,) * 5}
    changed = replace(info, candidate=replace(info.candidate, train=train))
    return replace(trial_record(changed), folds=folds)


def both(depths: range = range(1, 9)) -> list[TrialRecord]:
    """Both curves as they were made up, with `all`."""
    orders = ("shallow-first", "deep-first")
    curves = [trial_record(trial_info(order, depth)) for depth in depths for order in orders]
    return [*curves, trial_record(trial_info("shallow-first", 9))]


@pytest.mark.parametrize(
    ("trials", "setting"),
    [
        ([], (None, None)),
        ([trial_record(trial_info("", 0))], (None, None)),
        ([trial_record(scratch_info())], (None, None)),
        ([trial("deep-first", 1, 6, 0.1), trial("deep-first", 2, 6, 0.1), trial("deep-first", 1, 12)], (12, 1e-3)),
        ([trial("deep-first", 1, rate=0.1), trial("deep-first", 2, rate=0.1), trial("deep-first", 3)], (12, 0.1)),
        ([trial("deep-first", 1, rate=0.1, dice=0.4), trial("deep-first", 1, dice=0.6)], (12, 1e-3)),
        ([trial("deep-first", 1, rate=0.1, dice=0.6), trial("deep-first", 1, dice=0.4)], (12, 0.1)),
        ([trial("deep-first", 1, rate=0.1), trial("deep-first", 1)], (12, 1e-3)),  # no difference: the smaller rate
        ([trial("deep-first", 1, rate=0.1, dice=math.nan), trial("deep-first", 1, dice=0.1)], (12, 1e-3)),
        ([trial("deep-first", 1), trial("deep-first", 1, 6, 0.1, 0.9), trial("deep-first", 2, 6, 0.1)], (12, 1e-3)),
    ],
)
def test_the_setting_that_is_compared(trials: list[TrialRecord], setting: tuple[int | None, float | None]) -> None:
    assert main_setting(trials) == setting


def test_trials_at_a_setting_share_their_training_settings() -> None:
    own = [trial("deep-first", depth) for depth in (1, 2)]
    other = [trial("deep-first", depth, train=(("batch", 8),)) for depth in (1, 2)]
    more = trial("deep-first", 3, train=(("batch", 8),))
    aside = [trial("deep-first", 4, 6), trial("deep-first", 4, rate=0.1), trial_record(scratch_info())]
    assert at_setting([*own, *other, *aside], 12, 1e-3) == own  # as many: the sweep's own
    assert at_setting([*other, *own, *aside], 12, 1e-3) == own
    assert at_setting([*own, *other, more, *aside], 12, 1e-3) == [*other, more]
    assert at_setting(aside, 12, 1e-3) == [] == at_setting([], None, None)


def test_a_curve_holds_the_depths_of_one_order_from_one_on() -> None:
    trials = [trial("deep-first", 3), trial("deep-first", 1), trial("shallow-first", 2), trial("shallow-first", 9)]
    found = curve([*trials, trial_record(trial_info("", 0))], "deep-first")
    assert list(found) == [1, 3, 9] and found[3] is trials[0] and found[9] is trials[3]


Unpacked = tuple[Difference | None, Difference | None, list[tuple[int, Difference]], list[str]]


def unpacked(main: list[TrialRecord], info: SweepInfo, repeats: Repeats | None = None) -> Unpacked:
    whole = compare(main, info, repeats)
    by_depth: list[tuple[int, Difference]] = [(one.depth, one) for one in whole.by_depth]
    return whole.contracting_vs_expanding, whole.area_between_curves, by_depth, list(whole.missing)


def test_pre_trainings_that_disagree_widen_every_interval(record: SweepRecord) -> None:
    """All folds share a pre-training, so folds alone do not show how another would have turned out."""

    def moved(candidate: Candidate, number: int) -> float:
        return 0.05 * (number - 1) * (candidate.mask == "1-5")

    reading = read(pretrained_again(record, moved))
    main = [one for one in reading.honest.finished if one.info.role == "trial"]
    plain, further = (compare(main, record.info, repeats) for repeats in (Repeats(), reading.repeats))
    one, other = plain.contracting_vs_expanding, further.contracting_vs_expanding
    assert one is not None and other is not None and other.mean == pytest.approx(one.mean)
    assert other.se**2 == pytest.approx(one.se**2 + 0.05**2 / 3) and other.df < one.df
    assert other.threshold > one.threshold and other.high - other.low > one.high - one.low
    assert further.by_depth[4].se > plain.by_depth[4].se
    assert further.by_depth[0].se == pytest.approx(plain.by_depth[0].se)


def test_the_comparisons_of_two_whole_curves_by_hand() -> None:
    first, second, by_depth, lacking = unpacked(both(), INFO)
    dice = {one.info.candidate.mask: np.array(one.folds["dice"]) for one in both()}
    assert lacking == [] and first is not None and second is not None
    assert first.folds == pytest.approx(tuple(dice["1-5"] - dice["6-9"]))
    shallow = [dice["1"], *(dice[f"1-{depth}"] for depth in range(2, 9))]
    deep = [dice["9"], *(dice[f"{10 - depth}-9"] for depth in range(2, 9))]
    assert second.folds == pytest.approx(tuple(np.mean(shallow, axis=0) - np.mean(deep, axis=0)))
    smaller, larger = sorted([first.p, second.p])
    assert sorted([first.p_holm, second.p_holm]) == pytest.approx([2 * smaller, max(2 * smaller, larger)])
    assert [depth for depth, _ in by_depth] == list(range(1, 9))
    for depth, one in by_depth:
        assert one.folds == pytest.approx(tuple(shallow[depth - 1] - deep[depth - 1]))
    smallest = min((one for _, one in by_depth), key=lambda one: one.p)
    assert smallest.p_holm == pytest.approx(min(1, 8 * smallest.p))


@pytest.mark.parametrize(
    ("without", "lacking"),
    [
        ("1-5", ["contracting (1-5)", "shallow-5"]),
        ("6-9", ["expanding (6-9)", "deep-4"]),
        ("1", ["shallow-1"]),
        ("2-9", ["deep-8"]),
    ],
)
def test_a_mask_that_is_missing_takes_its_comparisons_with_it(without: str, lacking: list[str]) -> None:
    main = [one for one in both() if one.info.candidate.mask != without]
    first, second, by_depth, found = unpacked(main, INFO)
    assert found == lacking and second is None and len(by_depth) == 7
    assert (first is None) == (without in ("1-5", "6-9"))
    if first is not None:
        assert first.p_holm == first.p  # it stands alone


def test_without_curves_contracting_and_expanding_are_still_compared() -> None:
    main = [trial("shallow-first", 5, dice=0.7), trial("deep-first", 4, dice=0.6)]
    first, second, by_depth, _ = unpacked(main, INFO)
    assert first is not None and first.mean == pytest.approx(0.1) and second is None and by_depth == []


@pytest.mark.parametrize("named", [{}, {"contracting": "1-5"}, {"expanding": "6-9"}])
def test_a_network_without_the_two_parts_has_no_first_comparison(named: dict[str, str]) -> None:
    first, second, _, lacking = unpacked(both(), replace(INFO, named_masks=named))
    assert first is None and lacking == []
    assert second is not None and second.p_holm == pytest.approx(second.p)


def test_one_block_leaves_nothing_to_compare() -> None:
    alone = replace(INFO, n_blocks=1, named_masks={})
    assert unpacked([trial_record(trial_info("shallow-first", 9))], alone) == (None, None, [], [])


def test_a_comparison_uses_the_sweeps_fold_sizes() -> None:
    first, *_ = unpacked(both(), INFO)
    assert first is not None and (first.se, first.low) == (
        contrast(first.folds, INFO).se,
        contrast(first.folds, INFO).low,
    )


def test_noise_over_seeds_stands_beside_every_comparison_that_there_is() -> None:
    main = both()
    parts = {trial.info.candidate.key: (trial, with_seed(trial, 1)) for trial in main}

    def noises(masks: tuple[str, ...], repeats: Repeats) -> tuple[object, object, list[object]]:
        chosen = [trial for trial in main if not masks or trial.info.candidate.mask in masks]
        first, second, by_depth, _ = unpacked(chosen, INFO, repeats)
        return first and first.noise, second and second.noise, [difference.noise for _, difference in by_depth]

    first, second, by_depth = noises((), Repeats(((0, None), (1, None)), parts))
    assert first is not None and second is not None and len(by_depth) == 8 and None not in by_depth
    assert by_depth[0] != by_depth[1] and first != second
    assert noises(("1-5", "6-9", "2-9"), Repeats(((0, None), (1, None)), parts)) == (first, None, [])
    assert noises(("1", "9"), Repeats(((0, None), (1, None)), parts)) == (None, None, by_depth[:1])
    assert noises((), Repeats()) == (None, None, [None] * 8)


def test_the_common_rate_is_the_one_with_most_masks(record: SweepRecord) -> None:
    perfect = {name: (0.99,) * 5 for name in ("dice", "pixel_error", "ari")}
    other_rate = trial_info("shallow-first", 5, rate=1e-2)
    lone = replace(record.trials[0], info=other_rate, status="FINISHED", folds=perfect)
    assert main_setting((*record.finished, lone)) == (12, 1e-3)


def test_depths_are_compared_pairwise_and_missing_masks_are_named(record: SweepRecord) -> None:
    main = at_setting(record.finished, 12, 1e-3)
    whole = compare(main, record.info)
    assert [one.depth for one in whole.by_depth] == list(range(1, 9)) and whole.missing == ()
    third = whole.by_depth[2]
    shallow, deep = (curve(main, order)[3].folds["dice"] for order in (SHALLOW, DEEP))
    assert third.folds == pytest.approx(np.subtract(shallow, deep)) and third.p_holm >= third.p
    less = compare([one for one in main if one.info.candidate.mask not in ("1-5", "9")], record.info)
    assert less.missing == ("contracting (1-5)", "shallow-5", "deep-1") and less.titled == ()
    assert [one.depth for one in less.by_depth] == [2, 3, 4, 6, 7, 8]


def test_noise_is_that_of_the_same_difference_seed_by_seed(record: SweepRecord) -> None:
    reading = read(repeated(record, (0, 1)))
    main = at_setting(reading.honest.finished, 12, 1e-3)
    found = compare(main, record.info, reading.repeats)
    by_seed = [compare(selection, record.info) for selection in reading.repeats.by_seed(main)]
    for key in ("contracting_vs_expanding", "area_between_curves"):
        assert getattr(found, key).noise.per_seed == tuple(getattr(one, key).mean for one in by_seed)
    assert compare(main, record.info).by_depth[0].noise is None


def test_one_budget_has_the_co_primary_comparisons_only(record: SweepRecord) -> None:
    short = compare_budget(record.finished, 6, 1e-3, record.info, Repeats())
    assert short.epochs == 6 and [title for title, _ in short.titled] == ["contracting − expanding"]


def test_a_network_of_one_block_has_nothing_to_compare(record: SweepRecord) -> None:
    info = replace(record.info, n_blocks=1, block_params=[640], named_masks={"contracting": "all", "expanding": "none"})
    found = compare([], info)
    assert found.titled == () and found.missing == ("contracting (all)", "expanding (none)")

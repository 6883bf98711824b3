from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import integrate, stats

from tracking.statistics import (
    Comparison,
    area_between_curves,
    corrected_t,
    critical,
    detectable,
    false_positive_percent,
    finding,
    holm,
    pooled_dice,
    significance_threshold,
    spread,
    tail,
    variance_factor,
    with_repeats,
)
from trainer.results import Score

TRAIN, TEST = [128] * 5, [32] * 5
DIFFERENCES = [0.10, 0.12, 0.03, 0.09, 0.11]


def test_numbers_of_the_protocol() -> None:
    factor = variance_factor(TRAIN, TEST)
    assert factor == pytest.approx(0.45)
    assert significance_threshold(math.sqrt(factor), 4) == pytest.approx(1.86, abs=0.005)
    assert detectable(math.sqrt(factor), 4) == pytest.approx(2.5, abs=0.03)


def test_without_correction_it_is_the_paired_t_test_of_scipy() -> None:
    plain = stats.ttest_1samp(DIFFERENCES, 0.0)
    # n_test / n_train = 0 leaves the plain variance 1/n.
    found = corrected_t(DIFFERENCES, TRAIN, [0] * 5)
    assert (found.t, found.p) == pytest.approx((plain.statistic, plain.pvalue))
    assert (found.low, found.high) == pytest.approx(tuple(plain.confidence_interval(0.95)))


def test_the_correction_shrinks_t_by_the_factor() -> None:
    found = corrected_t(DIFFERENCES, TRAIN, TEST)
    expected = stats.ttest_1samp(DIFFERENCES, 0.0).statistic * math.sqrt((1 / 5) / 0.45)
    assert found.t == pytest.approx(expected)
    assert found.p == pytest.approx(2 * (1 - stats.t.cdf(expected, 4)))
    assert found.df == 4


def test_probabilities_are_areas_under_the_t_density() -> None:
    found = corrected_t(DIFFERENCES, TRAIN, TEST)
    density = stats.t(df=4, loc=found.mean, scale=found.se).pdf
    areas = ((found.p_above, 0.01, 5), (found.p_within, -0.01, 0.01), (found.p_below, -5, -0.01))
    for probability, low, high in areas:
        assert probability == pytest.approx(
            integrate.quad(density, low, high, points=[found.mean], limit=200)[0], abs=1e-6
        )


def test_power_by_simulation() -> None:
    """500,000 sweeps of five folds with a true difference of `detectable`: four in five are significant."""
    factor = 0.45
    shift = detectable(math.sqrt(factor), 4)
    rng = np.random.default_rng(0)
    means = shift + math.sqrt(factor) * rng.normal(size=500_000)
    sds = np.sqrt(rng.chisquare(4, 500_000) / 4)
    found = np.abs(means) > sds * significance_threshold(math.sqrt(factor), 4)
    assert found.mean() == pytest.approx(0.8, abs=0.005)


@pytest.mark.parametrize(
    ("differences", "note"),
    [
        ([0.1] * 5, "every fold gave the same difference"),
        ([0.0] * 5, "every fold gave the same difference"),
        ([0.7 - 0.6, 0.8 - 0.7, 0.1, 0.1, 0.1], "every fold gave the same difference"),
        ([math.nan] * 4 + [0.1], "only one fold"),
        ([math.nan] * 5, "no fold has a score"),
    ],
)
def test_where_there_is_no_test_it_says_why(differences: list[float], note: str) -> None:
    found = corrected_t(differences, TRAIN, TEST)
    assert note in found.note
    assert math.isnan(found.p) and math.isnan(found.low)
    assert finding(found) == "no difference shown"


def test_a_fold_without_score_is_left_out_with_its_counts() -> None:
    found = corrected_t([*DIFFERENCES, math.nan], [*TRAIN, 1], [*TEST, 1000])
    assert found.p == corrected_t(DIFFERENCES, TRAIN, TEST).p
    assert found.note == "1 fold(s) without a score left out"


def test_counts_for_every_fold_are_needed() -> None:
    with pytest.raises(ValueError, match="One count per fold"):
        corrected_t(DIFFERENCES, TRAIN[:4], TEST)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([0.01, 0.04], [0.02, 0.04]),
        ([0.04, 0.01], [0.04, 0.02]),
        ([0.03, 0.04], [0.06, 0.06]),
        ([0.9, 0.8], [1.0, 1.0]),
        ([0.01, 0.02, 0.03, 0.005], [0.03, 0.04, 0.04, 0.02]),
        ([0.03, math.nan], [0.03, math.nan]),  # a comparison that could not be made does not count
    ],
)
def test_holm(given: list[float], expected: list[float]) -> None:
    some = corrected_t(DIFFERENCES, TRAIN, TEST)
    found = holm([replace(some, p=p) for p in given])
    assert [one.p_holm for one in found] == pytest.approx(expected, nan_ok=True)


def test_area_between_curves_is_a_mean_over_depths_per_fold() -> None:
    shallow = np.array([[0.5, 0.6], [0.7, 0.8]])  # (depths, folds)
    deep = np.array([[0.4, 0.6], [0.4, 0.7]])
    assert area_between_curves(shallow, deep) == pytest.approx((0.2, 0.05))


@pytest.mark.parametrize(
    ("differences", "word"),
    [
        ([0.10, 0.12, 0.09, 0.11, 0.08], "shallow better"),
        ([-0.10, -0.12, -0.09, -0.11, -0.08], "deep better"),
        ([0.001, -0.001, 0.002, -0.002, 0.0005], "practically equal"),
        ([0.10, -0.12, 0.09, -0.05, 0.02], "no difference shown"),
    ],
)
def test_finding(differences: list[float], word: str) -> None:
    assert finding(corrected_t(differences, TRAIN, TEST)) == word


def test_spread_leaves_nan_out() -> None:
    found = spread([0.7, 0.8, math.nan, 0.9])
    assert (found.mean, found.sd, found.sem, found.n) == pytest.approx((0.8, 0.1, 0.1 / math.sqrt(3), 3))
    assert math.isnan(spread([0.5]).sd)
    assert math.isnan(spread([]).mean)


def test_simulated_false_positives_stay_near_the_level() -> None:
    """No true difference, folds share a fifth of their variance: under 8 % significant (plain t: over 10 %)."""
    rng = np.random.default_rng(1)
    folds = rng.normal(size=(4000, 5)) + 0.5 * rng.normal(size=(4000, 1))
    found: list[Comparison] = [corrected_t(row, TRAIN, TEST) for row in folds]
    assert np.mean([one.p < 0.05 for one in found]) < 0.08
    assert np.mean(stats.ttest_1samp(folds, 0.0, axis=1).pvalue < 0.05) > 0.1


def comparison(low: float = math.nan, high: float = math.nan, within: float = math.nan) -> Comparison:
    return replace(corrected_t(DIFFERENCES, TRAIN, TEST), low=low, high=high, p_within=within)


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ((0.0, 0.1, 0.5), "no difference shown"),  # an interval that touches 0 shows nothing
        ((1e-9, 0.1, 0.99), "shallow better"),
        ((-0.1, 0.0, 0.5), "no difference shown"),
        ((-0.1, -1e-9, 0.99), "deep better"),
        ((-0.1, 0.1, 0.95), "no difference shown"),
        ((-0.1, 0.1, 0.951), "practically equal"),
        ((math.nan, math.nan, math.nan), "no difference shown"),
    ],
)
def test_a_finding_begins_beyond_its_boundary(given: tuple[float, float, float], word: str) -> None:
    assert finding(comparison(*given)) == word


def test_a_comparison_by_hand() -> None:
    """Two folds, one degree of freedom: Student's t is Cauchy's, and its tails are arctangents."""
    found = corrected_t([0.1, 0.3], [80, 80], [20, 20])
    sd, se = 0.1 * math.sqrt(2), 0.1 * math.sqrt(2) * math.sqrt(0.5 + 0.25)
    assert (found.mean, found.sd, found.se, found.df) == pytest.approx((0.2, sd, se, 1))
    assert found.folds == (0.1, 0.3) and found.note == "" and math.isnan(found.p_holm)

    def beyond(t: float) -> float:
        return 0.5 - math.atan(t) / math.pi

    margin = math.tan(math.pi * 0.475) * se
    assert (found.t, found.p) == pytest.approx((0.2 / se, 2 * beyond(0.2 / se)))
    assert (found.low, found.high) == pytest.approx((0.2 - margin, 0.2 + margin))
    assert (found.p_above, found.p_below) == pytest.approx((beyond(-0.19 / se), beyond(0.21 / se)))
    assert found.p_within == pytest.approx(1 - found.p_above - found.p_below)


@pytest.mark.parametrize("sd", [0.9e-12, 1.1e-12])
def test_rounding_alone_is_no_spread(sd: float) -> None:
    """Two differences around 0, so that they have this SD: up to 1e-12 it is the arithmetic's."""
    away = sd / math.sqrt(2)
    assert math.isnan(corrected_t([-away, away], [80] * 2, [20] * 2).t) == (sd < 1e-12)
    large = [1000 - away * 1000, 1000 + away * 1000]  # beside a large mean rounding is as much larger
    assert math.isnan(corrected_t(large, [80] * 2, [20] * 2).t) == (sd < 1e-12)


@pytest.mark.parametrize("missing", [(4, 5, 5), (5, 4, 5), (5, 5, 4)])
def test_every_count_must_be_there(missing: tuple[int, int, int]) -> None:
    differences, train, test = missing
    with pytest.raises(ValueError, match="One count per fold"):
        corrected_t(DIFFERENCES[:differences], TRAIN[:train], TEST[:test])


@pytest.mark.parametrize(("folds", "sd"), [(1, 1.0), (0, 1.0), (5, 0.0), (5, math.nan), (5, -1.0)])
def test_nothing_is_detectable_without_folds_or_spread(folds: int, sd: float) -> None:
    assert math.isnan(detectable(math.sqrt(0.45) * sd, folds - 1))
    assert math.isnan(significance_threshold(math.sqrt(0.45) * sd, folds - 1)) == (folds < 2 or math.isnan(sd))


def test_two_folds_are_enough_for_a_threshold() -> None:
    assert significance_threshold(math.sqrt(0.75) * 0.1, 1) == pytest.approx(
        math.tan(math.pi * 0.475) * math.sqrt(0.75) * 0.1
    )
    assert detectable(math.sqrt(0.75) * 0.1, 1) > significance_threshold(math.sqrt(0.75) * 0.1, 1)
    assert detectable(0.67, 4, power=0.9) > detectable(0.67, 4) == detectable(0.67, 4, power=0.8)


@pytest.mark.parametrize(("df", "value"), [(1, 12.7062), (4, 2.7764), (60, 2.0003)])
def test_critical_values_of_the_table(df: int, value: float) -> None:
    assert critical(df) == pytest.approx(value, abs=1e-4)
    assert tail(critical(df), df) == pytest.approx(0.025) and tail(-critical(df), df) == pytest.approx(0.975)


@pytest.mark.parametrize(
    ("values", "mean", "sd", "sem", "n"),
    [
        ([], math.nan, math.nan, math.nan, 0),
        ([0.4], 0.4, math.nan, math.nan, 1),
        ([0.4, math.nan, 0.6], 0.5, 0.1 * math.sqrt(2), 0.1, 2),
    ],
)
def test_spread_of_few(values: list[float], mean: float, sd: float, sem: float, n: int) -> None:
    found = spread(values)
    assert (found.mean, found.sd, found.sem, found.n) == pytest.approx((mean, sd, sem, n), nan_ok=True)


def pixels(tp: int, fp: int, fn: int, tn: int) -> Score:
    return Score("a", "", tp, fp, fn, tn, 0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("scores", "dice", "percent"),
    [
        ([], math.nan, math.nan),
        ([(0, 0, 0, 50)], math.nan, 0.0),
        ([(0, 0, 5, 45)], 0.0, 0.0),
        ([(4, 0, 0, 6)], 1.0, 0.0),
        ([(3, 1, 2, 4), (5, 7, 0, 8)], 16 / (16 + 10), (10 + 35) / 2),
    ],
)
def test_pooled_pixels(scores: list[tuple[int, int, int, int]], dice: float, percent: float) -> None:
    given = [pixels(*one) for one in scores]
    assert pooled_dice(given) == pytest.approx(dice, nan_ok=True)
    assert false_positive_percent(given) == pytest.approx(percent, nan_ok=True)


def test_probabilities_never_fall_below_zero() -> None:
    """Rounding may take more than all away: above and below are then as good as 1."""
    found = corrected_t([1.0, 1.0 + 1e-9, 1.0 - 1e-9], [80] * 3, [20] * 3)
    assert found.p_within == 0 and found.p_above == pytest.approx(1)


def test_repeats_that_differ_widen_the_interval() -> None:
    by_folds = corrected_t([0.02, 0.04, 0.03, 0.05, 0.01], [48] * 5, [12] * 5)
    step = by_folds.se * math.sqrt(3)  # three repeats so far apart: a variance of their mean as large as that of folds
    both = with_repeats(by_folds, [by_folds.mean - step, by_folds.mean, by_folds.mean + step])
    assert both.se == pytest.approx(by_folds.se * math.sqrt(2)) and both.mean == by_folds.mean
    assert both.df == int(4 / (1 / 4 + 1 / 2))
    assert both.low < by_folds.low and both.p > by_folds.p
    assert with_repeats(by_folds, [0.1, 0.1]) == with_repeats(by_folds, [0.3]) == by_folds
    untested = corrected_t([0.1, 0.1], [48] * 2, [12] * 2)
    assert with_repeats(untested, [0.0, 1.0]) is untested

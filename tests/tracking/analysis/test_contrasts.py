"""Fold differences are tested with the sweep's own fold sizes."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from tests.tracking.made_up import sweep_info
from tracking.analysis.contrasts import contrast, difference
from tracking.analysis.seed_noise import seed_noise
from tracking.statistics import corrected_t, detectable, significance_threshold, variance_factor

DIFFERENCES = [0.1, 0.12, 0.03]


def test_a_contrast_takes_the_sizes_of_the_sweeps_folds() -> None:
    info = replace(sweep_info(), folds=[["a", "b"], ["c"], ["d", "e", "f"]])
    found = contrast(DIFFERENCES, info)
    assert found == corrected_t(DIFFERENCES, [4, 5, 3], [2, 1, 3])
    assert found.se != pytest.approx(corrected_t(DIFFERENCES, [4, 4, 4], [2, 2, 2]).se)


@pytest.mark.parametrize(
    ("differences", "folds"),
    [(DIFFERENCES, 3), ([0.1, math.nan, 0.03], 2), ([0.1, math.nan, math.nan], 1), ([math.nan] * 3, 0)],
)
def test_a_difference_says_what_its_folds_could_have_shown(differences: list[float], folds: int) -> None:
    info = replace(sweep_info(), folds=[["a", "b"], ["c"], ["d", "e", "f"]])
    tested = contrast(differences, info)
    found = difference(tested, info)
    assert {name: getattr(found, name) for name in vars(tested)} == vars(tested) or math.isnan(tested.t)
    kept = [size for size, value in zip(info.fold_sizes, differences, strict=True) if value == value]
    if folds < 2:
        assert math.isnan(found.threshold) and math.isnan(found.detectable)
    else:
        se = math.sqrt(variance_factor(*zip(*kept, strict=True))) * tested.sd
        assert found.threshold == pytest.approx(significance_threshold(se, folds - 1))
        assert found.detectable == pytest.approx(detectable(se, folds - 1))
    assert found.noise is None


FOLDS = [0.01, 0.03, 0.02, 0.04, 0.02]


def test_the_folds_of_the_sweep_correct_the_test() -> None:
    assert contrast(FOLDS, sweep_info()) == corrected_t(FOLDS, [24] * 5, [6] * 5)


def test_a_mean_at_the_threshold_is_just_significant() -> None:
    found = difference(contrast(FOLDS, sweep_info()), sweep_info(), seed_noise([0.1, 0.2]))
    shifted = np.array(FOLDS) - np.mean(FOLDS) + found.threshold
    assert contrast(shifted, sweep_info()).low == pytest.approx(0, abs=1e-12)
    assert found.detectable > found.threshold and found.noise is not None
    assert {name: getattr(found, name) for name in vars(contrast(FOLDS, sweep_info()))} == vars(
        contrast(FOLDS, sweep_info())
    )


@pytest.mark.parametrize(("folds", "known"), [([math.nan] * 4 + [0.1], False), ([math.nan] * 3 + [0.1, 0.2], True)])
def test_fewer_than_two_folds_could_have_shown_nothing(folds: list[float], known: bool) -> None:
    found = difference(contrast(folds, sweep_info()), sweep_info())
    assert math.isnan(found.threshold) != known and math.isnan(found.detectable) != known

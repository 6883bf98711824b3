from __future__ import annotations

import math

import numpy as np
import pytest

from tests.tracking.made_up import sweep_info
from tracking.analysis.contrasts import contrast, difference
from tracking.analysis.seed_noise import seed_noise
from tracking.statistics import corrected_t

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

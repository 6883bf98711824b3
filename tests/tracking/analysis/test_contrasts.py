"""Fold differences are tested with the sweep's own fold sizes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.tracking.made_up import sweep_info
from tracking.analysis.contrasts import contrast
from tracking.statistics import corrected_t

DIFFERENCES = [0.1, 0.12, 0.03]


def test_a_contrast_takes_the_sizes_of_the_sweeps_folds() -> None:
    info = replace(sweep_info(), folds=[["a", "b"], ["c"], ["d", "e", "f"]])
    found = contrast(iter(DIFFERENCES), info)
    assert found == corrected_t(DIFFERENCES, [4, 5, 3], [2, 1, 3])
    assert found.se != pytest.approx(corrected_t(DIFFERENCES, [4, 4, 4], [2, 2, 2]).se)

from __future__ import annotations

import numpy as np
import pytest

from trainer.data.folds import make_folds
from trainer.errors import UserError

GROUPS = np.array([0, 0, 0, 1, 2, 2, *range(3, 60)], np.int64)
LABELS = tuple("malignant" if case % 3 == 0 else "benign" for case in range(len(GROUPS)))


@pytest.mark.parametrize("folds", [2, 3, 5, 10])
def test_groups_stay_whole_and_classes_even(folds: int) -> None:
    validated = make_folds(GROUPS, LABELS, folds, seed=0)
    assert validated.dtype == np.int64
    assert set(validated.tolist()) == set(range(folds))
    for group in np.unique(GROUPS):
        assert len(set(validated[group == GROUPS])) == 1
    malignant = np.bincount(validated[np.array(LABELS) == "malignant"], minlength=folds)
    assert np.ptp(malignant) <= 2
    assert np.ptp(np.bincount(validated)) <= 3


def test_folds_depend_on_the_seed_alone() -> None:
    first = make_folds(GROUPS, LABELS, 5, seed=0)
    np.testing.assert_array_equal(first, make_folds(GROUPS, LABELS, 5, seed=0))
    assert (first != make_folds(GROUPS, LABELS, 5, seed=1)).any()


@pytest.mark.parametrize(
    "labels",
    [
        pytest.param([""] * 12, id="unknown"),
        pytest.param(["a"] * 10 + ["b"] * 2, id="rare"),
        pytest.param(["a"] * 8 + ["b", "c", "d", "e"], id="several rare"),
        pytest.param([f"{case}" for case in range(12)], id="all different"),
    ],
)
def test_classes_too_small_to_spread_are_no_obstacle(labels: list[str]) -> None:
    validated = make_folds(np.arange(12), labels, 4, seed=0)
    assert np.bincount(validated).tolist() == [3, 3, 3, 3]


@pytest.mark.parametrize(
    ("groups", "folds", "words"),
    [
        (range(9), 1, r"at least 2 folds, but got folds=1"),
        (range(9), 10, r"folds=10 for 9 groups of 9 images. Set folds to 9 or fewer"),
        ([0, 0, 0, 0, 1, 1], 3, r"folds=3 for 2 groups of 6 images"),
        ([], 2, r"folds=2 for 0 groups"),
    ],
)
def test_impossible_folds_are_refused(groups: list[int], folds: int, words: str) -> None:
    with pytest.raises(UserError, match=words):
        make_folds(np.array(groups, np.int64), [""] * len(groups), folds, 0)

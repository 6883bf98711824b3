from __future__ import annotations

import numpy as np
import pytest

from trainer.data.folds import make_folds, strata
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


@pytest.mark.parametrize(
    ("labels", "folds", "classes"),
    [
        (["a", "b", "a", "b"], 2, [0, 1, 0, 1]),
        (["b", "a", "a", "b"], 3, [0, 0, 0, 0]),  # neither reaches every fold: one class
        (["a", "a", "b", "c", "a"], 2, [0, 0, 1, 1, 0]),  # b and c together do
        (["a", "a", "a", "b", "a"], 2, [0, 0, 0, 0, 0]),  # b alone joins the largest
        (["a", "a", "b", "b", "b", "c"], 2, [0, 0, 1, 1, 1, 1]),
        (["a", "a", "a", "b", "b", "b", "c", "d"], 3, [0, 0, 0, 1, 1, 1, 0, 0]),  # of equal ones the first
        (["", "", "x"], 2, [0, 0, 0]),
        ([], 2, []),
    ],
)
def test_strata_by_hand(labels: list[str], folds: int, classes: list[int]) -> None:
    found = strata(labels, folds)
    assert found.tolist() == classes and found.dtype == np.int64


def test_as_many_folds_as_groups_and_no_more() -> None:
    assert sorted(make_folds(np.arange(4), [""] * 4, 4, 0).tolist()) == [0, 1, 2, 3]
    assert sorted(make_folds(np.arange(2), [""] * 2, 2, 0).tolist()) == [0, 1]
    with pytest.raises(UserError, match=r"folds=2 for 1 groups of 5 images\. Set folds to 2 or fewer"):
        make_folds(np.zeros(5, np.int64), [""] * 5, 2, 0)


class Lopsided:
    """A splitter that leaves the second fold empty, as large groups may make it."""

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def split(self, cases: np.ndarray, *_: object) -> object:
        everything = np.arange(len(cases))
        return iter([(everything, everything), (everything, everything[:0]), (everything, everything[:1])])


def test_a_fold_without_a_case_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainer.data.folds.StratifiedGroupKFold", Lopsided)
    with pytest.raises(UserError, match="with folds=3 fold 2 would be empty, because some of the 6 groups are large"):
        make_folds(np.arange(6), [""] * 6, 3, 0)


def test_a_case_that_no_fold_validates_is_in_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the splitter does not hand out stays at -1 rather than joining a fold."""
    monkeypatch.setattr(Lopsided, "split", lambda self, cases, *_: iter([((), [0]), ((), [1])]))
    monkeypatch.setattr("trainer.data.folds.StratifiedGroupKFold", Lopsided)
    assert make_folds(np.arange(3), [""] * 3, 2, 0).tolist() == [0, 1, -1]

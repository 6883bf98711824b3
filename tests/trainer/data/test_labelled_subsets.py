"""Smaller labelled sets: nested, patients whole, classes even, another draw in each fold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from trainer.data.cases import Cases
from trainer.data.labelled_subsets import drawn_order, subset, subset_mistakes

N, FOLDS = 120, 5
FOLD_OF = np.arange(N) // 3 % FOLDS  # patients of three images, whole in a fold
LABELS = tuple("malignant" if case // 3 % 3 == 0 else "benign" for case in range(N))


def cases(groups: NDArray[np.int64] | None = None, empty: tuple[int, ...] = ()) -> Cases:
    masks = np.ones((N, 2, 2), np.uint8)
    masks[list(empty)] = 0
    names = tuple(f"case {case:03d}" for case in range(N))
    groups = np.arange(N) // 3 if groups is None else groups
    return Cases(np.zeros((N, 2, 2), np.float32), masks, names, LABELS, groups, "made", "made", True, (), "d1")


@pytest.mark.parametrize("fold", range(FOLDS))
def test_sets_are_nested_whole_even_and_of_their_share(fold: int) -> None:
    train = np.flatnonzero(fold != FOLD_OF)
    parts = [subset(cases(), train, images, fold, seed=0) for images in (15, 30, 60, 119)]
    for smaller, larger, wanted in zip(parts, [*parts[1:], train], (12, 24, 48, 95), strict=True):
        assert set(smaller) <= set(larger) and wanted <= len(smaller) < wanted + 3
        assert not (np.diff(smaller) <= 0).any()
        patients, counts = np.unique(smaller // 3, return_counts=True)
        assert (counts == 3).all() and set(FOLD_OF[smaller]) <= set(range(FOLDS)) - {fold}
        malignant = sum(patient % 3 == 0 for patient in patients) / len(patients)
        assert malignant == pytest.approx(1 / 3, abs=1.5 / len(patients))


def test_each_fold_and_seed_draws_its_own_and_the_listing_draws_nothing() -> None:
    train = np.flatnonzero(FOLD_OF > 1)  # in the training part of two folds
    draws = [tuple(subset(cases(), train, 30, fold, seed)) for fold, seed in ((0, 0), (1, 0), (0, 1), (0, 0))]
    assert draws[0] == draws[3] and len(set(draws)) == 3
    turned = replace(cases(), groups=N - cases().groups)
    assert tuple(subset(turned, train, 30, 0, 0)) == draws[0]


def test_a_rare_class_comes_early_enough() -> None:
    """Half of a class has come where half of the others has."""
    order = np.concatenate(drawn_order(cases(), np.arange(N), 0, 0))
    half = [LABELS[case] for case in order[: N // 2]]
    assert abs(half.count("malignant") - LABELS.count("malignant") / 2) <= 3


@pytest.mark.parametrize(
    ("groups", "empty", "sizes", "words"),
    [
        (np.arange(N), (), (20, 40, N), None),
        (np.arange(N), (), (20, 40, 121), "not be larger than the set of 120 images, but got 121"),
        (np.arange(N), (), (4, 40), "at least 4 groups (near-duplicates, the images of a patient, or single"),
        (np.arange(N), tuple(range(100)), (5,), "an image with something marked, but with 5 images fold"),
        (np.arange(N) // 3, (), (29, 30), "but 30 does not: groups are taken whole"),
        (np.arange(N) // 3, (), (30, 119), "but 119 does not: groups are taken whole"),
    ],
    ids=["none", "too large", "too few groups", "nothing marked", "the same twice", "all of them"],
)
def test_what_cannot_be_measured_is_said(
    groups: NDArray[np.int64], empty: tuple[int, ...], sizes: tuple[int, ...], words: str | None
) -> None:
    mistakes = list(subset_mistakes(cases(groups, empty), FOLD_OF, sizes, 0))
    assert mistakes == [] if words is None else words in " ".join(mistakes), mistakes

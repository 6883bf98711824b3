"""Which fold each case validates in: groups whole, classes even, the same for every trial of a sweep."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

from trainer.errors import UserError


def make_folds(groups: NDArray[np.int64], labels: Sequence[str], folds: int, seed: int) -> NDArray[np.int64]:
    """int64 (n,): the fold 0..folds-1 in which each case is validated; all other folds train on it.

    `groups` int64 (n,): cases of one group (near-duplicates, one patient) share a fold. `labels` (n,): classes are
    spread evenly, "" is a class like any other. The same arguments give the same folds. Raises `UserError` when no
    such folds exist.
    """
    distinct = len(np.unique(groups))
    if folds < 2:
        raise UserError(f"Cross-validation needs at least 2 folds, but got folds={folds}. Set folds to 2 or more.")
    if folds > distinct:
        raise UserError(
            "Every fold needs a group of its own (near-duplicates, the images of a patient, or a single image), but "
            f"got folds={folds} for {distinct} groups of {len(groups)} images. Set folds to {max(distinct, 2)} or "
            "fewer, or add images."
        )
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    validated = np.full(len(groups), -1, np.int64)
    for fold, (_, held_out) in enumerate(splitter.split(np.zeros(len(groups)), strata(labels, folds), groups)):
        validated[held_out] = fold
    empty = [str(fold + 1) for fold in range(folds) if not (validated == fold).any()]
    if empty:
        raise UserError(
            f"Every fold needs a case to validate, but with folds={folds} fold {', '.join(empty)} would be empty, "
            f"because some of the {distinct} groups are large. Set fewer folds."
        )
    return validated


def strata(labels: Sequence[str], folds: int) -> NDArray[np.int64]:
    """The class number of each case, int64 (n,); classes too small to reach every fold count as one."""
    sizes = Counter(labels)
    spread = sorted(label for label, size in sizes.items() if size >= folds)
    numbers = {label: number for number, label in enumerate(spread)}
    classes = np.array([numbers.get(label, len(spread)) for label in labels], np.int64)
    rest = int((classes == len(spread)).sum())
    # A remainder that is itself too small joins the largest class: scikit-learn warns about it otherwise.
    if 0 < rest < folds and spread:
        classes[classes == len(spread)] = numbers[max(spread, key=lambda label: sizes[label])]
    return classes

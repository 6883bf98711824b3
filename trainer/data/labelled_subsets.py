"""Smaller labelled sets inside a larger one: which cases of a fold's training part stand for `n` labelled images.

A labelled set of n images is one of which a fold of K would train on its n (K - 1) / K: so every fold keeps its share
of n. The cases of a fold come in one drawn order, group by group (near-duplicates and the images of a patient stay
together), and a subset is the beginning of that order: a smaller one lies within every larger one. The classes stand
evenly in the order, so that each subset has about their shares. Every fold draws an order of its own: the mean over
folds is then one over several small sets, not over the luck of one, and the spread over folds holds that luck.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from trainer.data.cases import Cases
from trainer.results import OBJECT

FEWEST_GROUPS = 2  # of a fold's subset, where there are but two folds


def subset(cases: Cases, train: NDArray[np.int64], images: int, fold: int, seed: int) -> NDArray[np.int64]:
    """The cases of `train`, rising, that a labelled set of `images` has in a fold (from 0): whole groups of the drawn
    order, until there are round(images * n_train / n).

    `train` int64: indices into `cases`. `seed` draws the order.
    """
    wanted = round(images * len(train) / len(cases))
    order = drawn_order(cases, train, fold, seed)
    sizes = np.cumsum([len(group) for group in order])
    groups = int(np.searchsorted(sizes, wanted)) + 1
    return np.sort(np.concatenate(order[:groups]))


def drawn_order(cases: Cases, train: NDArray[np.int64], fold: int, seed: int) -> list[NDArray[np.int64]]:
    """The groups of `train` in the order in which subsets take them, each with its cases.

    The groups of a class are shuffled by a hash of their names, `fold` and `seed`, and spread evenly: the one in whose
    midst a share s of the images of its class is reached comes at s. A group's class is that of most of its cases.
    """
    groups = [train[cases.groups[train] == group] for group in np.unique(cases.groups[train])]
    by_class: dict[str, list[tuple[str, NDArray[np.int64]]]] = {}
    for group in groups:
        drawn = hashlib.sha256(f"{seed}\0{fold}\0{min(cases.names[case] for case in group)}".encode()).hexdigest()
        by_class.setdefault(_class_of(cases, group), []).append((drawn, group))
    placed = []
    for members in by_class.values():
        members.sort(key=lambda member: member[0])
        total, before = sum(len(group) for _, group in members), 0
        for drawn, group in members:
            placed.append(((before + len(group) / 2) / total, drawn, group))
            before += len(group)
    return [group for _, _, group in sorted(placed, key=lambda one: one[:2])]


def subset_mistakes(cases: Cases, fold_of: NDArray[np.int64], sizes: Sequence[int], seed: int) -> Iterator[str]:
    """Why labelled sets of these rising `sizes` cannot be measured on folds of these cases, one sentence each.

    `fold_of` int64 (n,): the fold, from 0, in which each case validates.
    """
    if sizes and sizes[-1] > len(cases):
        yield f"a size must not be larger than the set of {len(cases)} images, but got {sizes[-1]}."
    marked = (cases.masks == OBJECT).any(axis=(1, 2))
    folds = int(fold_of.max()) + 1
    fewest = max(FEWEST_GROUPS, folds - 1)
    before: Mapping[int, int] = dict.fromkeys(range(folds), 0)
    for size in (size for size in sizes if size < len(cases)):
        parts = {fold: subset(cases, np.flatnonzero(fold_of != fold), size, fold, seed) for fold in range(folds)}
        groups = min(len(np.unique(cases.groups[part])) for part in parts.values())
        if groups < fewest:
            yield (
                f"every fold must train on at least {fewest} groups (near-duplicates, the images of a patient, or "
                f"single images), but with {size} images one has {groups}. Ask for larger sizes."
            )
        if empty := [str(fold + 1) for fold, part in parts.items() if not marked[part].any()]:
            yield (
                f"every fold must train on an image with something marked, but with {size} images fold "
                f"{', '.join(empty)} has none. Ask for larger sizes, or leave empty masks out (data.keep_empty)."
            )
        whole = {fold: int((fold_of != fold).sum()) for fold in parts}
        if any(not before[fold] < len(part) < whole[fold] for fold, part in parts.items()):
            yield (
                f"every size must take other images than the next smaller and larger one, but {size} does not: groups "
                "are taken whole. Ask for sizes that lie farther apart."
            )
        before = {fold: len(part) for fold, part in parts.items()}


def _class_of(cases: Cases, group: NDArray[np.int64]) -> str:
    counts: Counter[str] = Counter(cases.labels[case] for case in group)
    return max(sorted(counts), key=counts.__getitem__)

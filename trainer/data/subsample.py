"""Which cases of a larger set are used: a seeded draw that keeps the classes' shares."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from trainer.config import DataConfig


def sampled(labels: Sequence[str], config: DataConfig) -> tuple[list[int], tuple[str, ...]]:
    """A seeded draw of `config.images` cases with the classes' shares kept, as indices in order; all of them if 0.

    The note says what was drawn, and how to have all.
    """
    if not 0 < config.images < len(labels):
        return list(range(len(labels))), ()
    drawn = draw(labels, config.images, config.seed)
    classes = Counter(labels[case] for case in drawn)
    shares = f", stratified by class: {per_class(classes)}" if set(classes) != {""} else ""
    note = (
        f"{config.images} of {len(labels)} cases drawn (seed {config.seed}{shares}); use all with --set data.images=0"
    )
    return drawn, (note,)


def draw(labels: Sequence[str], n: int, seed: int) -> list[int]:
    """Sorted indices of `n` cases: each class gets its share, rounded down; the rest goes to the largest remainders.

    >>> draw(["a"] * 6 + ["b"] * 3, 3, seed=0)[2] >= 6
    True
    """
    classes = sorted(set(labels))
    shares = np.array([n * labels.count(label) / len(labels) for label in classes])
    counts = np.floor(shares).astype(int)
    counts[np.argsort(counts - shares, kind="stable")[: n - counts.sum()]] += 1
    rng = np.random.default_rng(seed)
    drawn: list[int] = []
    for label, number in zip(classes, counts, strict=True):
        members = [case for case, of_case in enumerate(labels) if of_case == label]
        drawn.extend(int(case) for case in rng.choice(members, number, replace=False))
    return sorted(drawn)


def per_class(labels: Counter[str]) -> str:
    """`benign 108, malignant 52`."""
    return ", ".join(f"{label or 'no class'} {number}" for label, number in sorted(labels.items()))

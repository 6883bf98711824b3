"""Of very many candidates an even draw: what grows with their square or cube would take minutes and gigabytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

MOST = 1500  # candidates that a model is fitted to: a few seconds, and 18 MB a matrix

T = TypeVar("T")


def drawn(candidates: Sequence[T], most: int = MOST) -> list[T]:
    """All candidates, or `most` of them in their order, each as likely as any other; the same ones every time."""
    if len(candidates) <= most:
        return list(candidates)
    return [candidates[index] for index in sorted(np.random.default_rng(0).permutation(len(candidates))[:most])]

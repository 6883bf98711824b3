"""The Pareto front: what cannot be had cheaper without losing score."""

from __future__ import annotations

import math
from collections.abc import Sequence


def front(costs: Sequence[float], values: Sequence[float]) -> list[int]:
    """Positions of the undominated points, cheapest first: each has a higher value than everything as cheap or cheaper.

    Points with a NaN are left out; of equal points the first stays.

    >>> front([10, 20, 30, 20], [0.5, 0.7, 0.6, 0.4])
    [0, 1]
    """
    points = [(cost, -value, place) for place, (cost, value) in enumerate(zip(costs, values, strict=True))
              if not math.isnan(cost + value)]  # fmt: skip
    kept: list[int] = []
    for _, negative, place in sorted(points):
        if not kept or -negative > values[kept[-1]]:
            kept.append(place)
    return kept

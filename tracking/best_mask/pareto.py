"""The Pareto front: what cannot be had cheaper without losing score."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tracking.best_mask.candidates import CandidateAt

Price = Literal["parameters", "seconds"]
PRICES: tuple[Price, ...] = ("parameters", "seconds")


@dataclass(frozen=True)
class Pareto:
    """By trained `parameters` and by `seconds` of training, each the candidates that nothing as cheap scores higher
    than, cheapest first; scores are not corrected for the choice.
    """

    parameters: tuple[CandidateAt, ...]
    seconds: tuple[CandidateAt, ...]

    def of(self, price: Price) -> tuple[CandidateAt, ...]:
        """The front by one of the two prices."""
        return self.parameters if price == "parameters" else self.seconds


def price_of(candidate: CandidateAt, price: Price) -> float:
    """What a candidate costs: trained parameters, or seconds of training (NaN where not recorded)."""
    return candidate.trainable_params if price == "parameters" else candidate.seconds


def pareto(candidates: Sequence[CandidateAt]) -> Pareto:
    """Both fronts of some candidates."""
    scores = [candidate.dice for candidate in candidates]
    fronts = [front([price_of(candidate, price) for candidate in candidates], scores) for price in PRICES]
    parameters, seconds = (tuple(candidates[index] for index in indices) for indices in fronts)
    return Pareto(parameters, seconds)


def front(costs: Sequence[float], values: Sequence[float]) -> list[int]:
    """Positions of the undominated points, cheapest first: each has a higher value than everything as cheap or cheaper.

    Points with a NaN are left out; of equal points the first stays.

    >>> front([10, 20, 30, 20], [0.5, 0.7, 0.6, 0.4])
    [0, 1]
    """
    points = [(cost, -value, index) for index, (cost, value) in enumerate(zip(costs, values, strict=True))]
    indices: list[int] = []
    for _, negative, index in sorted(point for point in points if not math.isnan(point[0] + point[1])):
        if not indices or -negative > values[indices[-1]]:
            indices.append(index)
    return indices

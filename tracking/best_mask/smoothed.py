"""The candidate that all scores together favour: a second opinion beside the one with the highest score.

A score is noisy, and the highest of many is high partly by luck. Sets that differ in one block are almost the same
training, so the scores of a set's neighbours inform its own: a Gaussian process (the model of `guided`,
`tracking.best_mask.gaussian_process`) predicts every measured candidate from all of them, or from an even draw of very
many. On a table of real ultrasound its highest prediction after 41 masks was 0.012 Dice better in the other seed than
the highest score, on phantoms no different (tests/benchmarks/search_regret.py).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tracking.best_mask.candidates import CandidateAt, Setting, plain_candidate
from tracking.best_mask.drawn import drawn
from tracking.best_mask.fanova import FEWEST
from tracking.best_mask.gaussian_process import Array, Points, fitted, places, signs
from tracking.best_mask.ranking import Ranking
from tracking.best_mask.sentences import digits, named, recommends_a_mask
from tracking.record import SweepInfo


@dataclass(frozen=True)
class Smoothed:
    """The `candidate` with the highest prediction, its predicted `dice`, that of the `best` (the highest score), and a
    `sentence` that says it.
    """

    candidate: CandidateAt
    dice: float
    best: float
    sentence: str


def smoothed(ranking: Ranking, info: SweepInfo) -> Smoothed | None:
    """The candidate that all scores together favour.

    None for fewer than 20 candidates, from which nothing can be learnt of sets, where networks learned nothing, and
    where no training at all is best.
    """
    scored = [candidate for candidate in ranking.compared if not math.isnan(candidate.dice)]
    if len(scored) < FEWEST or not recommends_a_mask(ranking):
        return None
    blocks = signs([candidate.blocks for candidate in scored], info.n_blocks)
    points = Points(blocks, setting_places(scored, info.spec.get("train") or {}))
    scores, learnt = np.array([candidate.dice for candidate in scored]), np.array(drawn(range(len(scored))))
    predicted = fitted(points.take(learnt), scores[learnt], np.zeros(len(learnt), bool)).means(points)
    top, highest = int(np.argmax(predicted)), int(np.argmax(scores))
    candidate, predictions = plain_candidate(scored[top]), (float(predicted[top]), float(predicted[highest]))
    return Smoothed(candidate, *predictions, _sentence(candidate, *predictions, len(learnt), ranking))


def setting_places(settings: Sequence[Setting], own: Mapping[str, Any]) -> Array:
    """(settings, columns): where each value stands on its axis (`gaussian_process.places`), numbers in their order.

    `own`: the sweep's training settings, which a candidate has where it names none.
    """
    names = sorted({name for setting in settings for name in setting.train})
    axes: list[list[Any]] = [[setting.epochs for setting in settings]]
    axes += [[setting.learning_rate for setting in settings]]
    axes += [[setting.train.get(name, own.get(name)) for setting in settings] for name in names]
    axes += [[setting.start for setting in settings]]
    columns = [_places(axis) for axis in axes]
    return np.array([list(itertools.chain.from_iterable(row)) for row in zip(*columns, strict=True)], np.float64)


def _places(axis: Sequence[Any]) -> list[tuple[float, ...]]:
    values = sorted(set(axis), key=_order)
    place_of = dict(zip(values, places(values), strict=True))
    return [place_of[value] for value in axis]


def _order(value: Any) -> tuple[float, str]:
    return (value, "") if isinstance(value, int | float) else (math.inf, str(value))


def _sentence(candidate: CandidateAt, predicted: float, predicted_best: float, learnt: int, ranking: Ranking) -> str:
    first, best = named(candidate, ranking), named(ranking.best, ranking)
    scores = f"all {learnt} scores"
    if learnt < len(ranking.compared):
        scores = f"{learnt:,} of the {len(ranking.compared):,} scores, drawn evenly,"
    head = f"Smoothed over similar sets, {scores} together speak for {first}"
    if first == best:
        return f"{head}, too."
    if digits(predicted, 3) == digits(predicted_best, 3):
        return f"{head} and {best} alike ({digits(predicted, 3)})."
    numbers = f"{digits(predicted, 3)}, and {digits(predicted_best, 3)} for {best}"
    return f"{head}: {numbers}. That is less prone to one lucky score."

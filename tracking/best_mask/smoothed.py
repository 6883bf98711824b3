"""The candidate that all scores together speak for: a second opinion beside the one with the highest score.

A score is noisy, and the highest of many is high partly by luck. Sets that differ in one block are almost the same
training, so a set's neighbours tell of it too: a Gaussian process (`tracking.best_mask.gaussian_process`, the model of
`guided`) predicts
every measured candidate from all of them. On a table of real ultrasound its highest prediction after 41 masks was 0.012
Dice better in the other seed than the highest score, on phantoms no different (tests/benchmarks/search_regret.py).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tracking.analysis.formatting import mask_name
from tracking.analysis.per_image import FAILURE
from tracking.best_mask.fanova import FEWEST
from tracking.best_mask.gaussian_process import Array, Points, fitted, signs
from tracking.best_mask.sentences import digits, setting_words
from tracking.record import Json, SweepInfo


def smoothed_object(answer: Json, info: SweepInfo) -> Json | None:
    """The field `smoothed` of an answer (`tracking.best_mask.answer`): `candidate`, the one with the highest
    prediction, its
    prediction `dice`, that of the `best`, and what to say of it.

    None for fewer than 20 candidates, from which nothing can be learnt of sets, where networks learned nothing, and
    where no training at all is best.
    """
    known = [one for one in answer["compared"] if not math.isnan(one["dice"])]
    untrained = any(one["name"] == "zero-shot" and one["mean"] <= 0 for one in answer["against"])
    if len(known) < FEWEST or answer["best"]["dice"] < FAILURE or untrained:
        return None
    blocks = signs([one["blocks"] for one in known], info.n_blocks)
    points = Points(blocks, places(known, info.spec.get("train") or {}))
    scores = np.array([one["dice"] for one in known])
    predicted, _ = fitted(points, scores, np.zeros(len(known), bool)).predict(points)
    first, highest = int(np.argmax(predicted)), int(np.argmax(scores))
    found: Json = {
        "candidate": {key: known[first][key] for key in answer["best"]},
        "dice": float(predicted[first]),
        "best": float(predicted[highest]),
    }
    return found | {"sentence": _sentence(found, answer)}


def places(known: Sequence[Json], own: Mapping[str, Any]) -> Array:
    """(candidates, axes with more than one value): the place of each setting, numbers in their order.

    `own`: the sweep's training settings, which a candidate has where it names none.
    """
    names = sorted({name for one in known for name in one["train"]})
    axes = [[one["epochs"] for one in known], [one["learning_rate"] for one in known]]
    axes += [[one["train"].get(name, own.get(name)) for one in known] for name in names]
    found = [[sorted(set(axis), key=_order).index(value) for value in axis] for axis in axes if len(set(axis)) > 1]
    return np.array(found, np.float64).T if found else np.zeros((len(known), 0))


def _order(value: Any) -> tuple[float, str]:
    return (value, "") if isinstance(value, int | float) else (math.inf, str(value))


def _sentence(found: Json, answer: Json) -> str:
    first, best = (_named(one, answer) for one in (found["candidate"], answer["best"]))
    head = f"Smoothed over similar sets, all {len(answer['compared'])} scores together speak for {first}"
    if first == best:
        return f"{head}, too."
    predicted = digits(found["dice"], 3)
    if predicted == digits(found["best"], 3):
        return f"{head} and {best} alike ({predicted})."
    return f"{head}: {predicted}, and {digits(found['best'], 3)} for {best}. That is less prone to one lucky score."


def _named(one: Json, answer: Json) -> str:
    return mask_name(one) + (f" at {setting_words(one)}" if len(answer["settings"]) > 1 else "")

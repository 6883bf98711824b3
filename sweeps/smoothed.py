"""The candidate that all scores together speak for: a second opinion beside the one with the highest score.

A score is noisy, and the highest of many is high partly by luck. Sets that differ in one block are almost the same
training, so a set's neighbours tell of it too: the Gaussian process of `guided` (`sweeps.surrogate`) predicts every
measured candidate from all of them. Taking its highest prediction was truly 0.012 Dice better than taking the highest
score after 41 masks of real ultrasound, and no different on phantoms (tests/benchmarks/search_regret.py, `model`).
"""

from __future__ import annotations

import math

import numpy as np

from sweeps.importance import FEWEST
from sweeps.surrogate import Points, fitted
from tracking.answer_words import digits, setting_words
from tracking.contrasts import Json
from tracking.images import FAILURE
from tracking.wording import mask_name


def smoothed_object(answer: Json, n_blocks: int) -> Json | None:
    """The field `smoothed` of an answer (`tracking.answer`): `candidate`, the one with the highest prediction, its
    prediction `dice`, that of the `best`, and what to say of it.

    None for fewer than 20 candidates, from which nothing can be learnt of sets, and where networks learned nothing.
    """
    known = [one for one in answer["compared"] if not math.isnan(one["dice"])]
    if len(known) < FEWEST or answer["best"]["dice"] < FAILURE:
        return None
    points = Points(np.array([_signs(one, n_blocks) for one in known]), _places(known))
    scores = np.array([one["dice"] for one in known])
    predicted, _ = fitted(points, scores, np.zeros(len(known), bool)).predict(points)
    first, highest = known[int(np.argmax(predicted))], known[int(np.argmax(scores))]
    found: Json = {
        "candidate": {key: first[key] for key in answer["best"]},
        "dice": float(predicted.max()),
        "best": float(predicted[known.index(highest)]),
    }
    return found | {"sentence": _sentence(found, first is highest, answer)}


def _signs(one: Json, n_blocks: int) -> list[float]:
    return [1.0 if block in one["blocks"] else -1.0 for block in range(1, n_blocks + 1)]


def _places(known: list[Json]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """(candidates, axes with more than one value): the place of each setting in its order."""
    axes = [[one["epochs"] for one in known], [one["learning_rate"] for one in known]]
    axes += [[repr(one["train"].get(name)) for one in known] for name in known[0]["train"]]
    places = [[sorted(set(axis)).index(value) for value in axis] for axis in axes if len(set(axis)) > 1]
    return np.array(places, np.float64).T if places else np.zeros((len(known), 0))


def _sentence(found: Json, same: bool, answer: Json) -> str:
    count = len(answer["compared"])
    if same:
        return f"Smoothed over similar sets, all {count} scores together speak for the same one."
    first = found["candidate"]
    which = mask_name(first) + (f" at {setting_words(first)}" if len(answer["settings"]) > 1 else "")
    return (
        f"Smoothed over similar sets, all {count} scores together speak for {which}: {digits(found['dice'], 3)}, and "
        f"{digits(found['best'], 3)} for the set above. With noisy scores that is the safer one to take."
    )

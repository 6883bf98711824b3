"""Dice, pixel error and adjusted Rand of one image from its four pixel counts (protocol.md, Metrics)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trainer.results import Score

THRESHOLD = 0.5


def score(image: str, label: str, truth: NDArray[np.uint8], probability: NDArray[np.float32]) -> Score:
    """Score one predicted probability map against its binary truth, both (H, W); foreground is probability > 0.5.

    Paper section 2.2: "pixels with the value above 0.5 were considered as 1".
    """
    tp, fp, fn, tn = counts(truth.astype(bool), probability > THRESHOLD)
    return Score(
        image, label, tp, fp, fn, tn, dice(tp, fp, fn), pixel_error(tp, fp, fn, tn), adjusted_rand(tp, fp, fn, tn)
    )


def counts(truth: NDArray[np.bool_], predicted: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """(TP, FP, FN, TN) in pixels, as Python integers because the pair counts of adjusted Rand overflow int64."""
    tp = int(np.count_nonzero(truth & predicted))
    fp = int(np.count_nonzero(predicted)) - tp
    fn = int(np.count_nonzero(truth)) - tp
    return tp, fp, fn, truth.size - tp - fp - fn


def dice(tp: int, fp: int, fn: int) -> float:
    """2 TP / (2 TP + FP + FN), no smoothing; NaN where the truth is empty.

    >>> dice(8, 2, 2), dice(0, 5, 0)
    (0.8, nan)
    """
    return 2 * tp / (2 * tp + fp + fn) if tp + fn else float("nan")


def pixel_error(tp: int, fp: int, fn: int, tn: int) -> float:
    """Share of wrong pixels in percent."""
    return 100 * (fp + fn) / (tp + fp + fn + tn)


def adjusted_rand(tp: int, fp: int, fn: int, tn: int) -> float:
    """Hubert and Arabie's adjusted Rand index of the two-cluster labelling, from pair counts; 1 when no pair differs.

    Equals scikit-learn's `adjusted_rand_score`. An inverted mask also scores 1, so it is reported, never optimised.
    """
    total = tp + fp + fn + tn
    n10 = tp * fn + fp * tn
    n01 = tp * fp + fn * tn
    n00 = tp * tn + fp * fn
    n11 = total * (total - 1) // 2 - n10 - n01 - n00
    if n10 == 0 and n01 == 0:
        return 1.0
    return 2 * (n11 * n00 - n10 * n01) / ((n11 + n10) * (n10 + n00) + (n11 + n01) * (n01 + n00))

"""A predicted image against its truth: four pixel counts, from which `trainer.results` makes the scores."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trainer.results import IGNORED, OBJECT, Score

THRESHOLD = 0.5


def score(image: str, label: str, truth: NDArray[np.uint8], probability: NDArray[np.float32]) -> Score:
    """Score one predicted probability map against its truth, both (H, W); foreground is probability > 0.5.

    The truth is 1 in the object, 0 elsewhere, and 255 where a pixel takes no part. Paper section 2.2: "pixels with the
    value above 0.5 were considered as 1".
    """
    predicted, judged = probability > THRESHOLD, truth != IGNORED
    if not judged.all():
        truth, predicted = truth[judged], predicted[judged]
    return Score.of_counts(image, label, *counts(truth == OBJECT, predicted))


def counts(truth: NDArray[np.bool_], predicted: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """(TP, FP, FN, TN) in pixels, as Python integers because the pair counts of adjusted Rand overflow int64."""
    tp = int(np.count_nonzero(truth & predicted))
    fp = int(np.count_nonzero(predicted)) - tp
    fn = int(np.count_nonzero(truth)) - tp
    return tp, fp, fn, truth.size - tp - fp - fn

"""Whether networks learned anything: one threshold for the verdict, the answer and the champion."""

from __future__ import annotations

from tracking.analysis.per_image import FAILURE


def learned_nothing(mean_dice: float) -> bool:
    """Whether networks with this mean Dice find almost nothing: it lies below what counts as a miss in one image.

    NaN, which is no score, is none of these.

    >>> learned_nothing(0.099), learned_nothing(0.1), learned_nothing(float("nan"))
    (True, False, False)
    """
    return mean_dice < FAILURE

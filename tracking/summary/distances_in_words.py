"""The distances between boundaries as every report says them: heads, rows and what they mean."""

from __future__ import annotations

import math

from tracking.analysis.formatting import number
from tracking.analysis.trial import FoldScores, TrialSummary
from tracking.summary.experimental_setup import DistanceScale
from tracking.summary.sweep import SweepSummary
from tracking.summary.wording import name_of

DISTANCES = "Distances between boundaries"  # the heading
NONE = "This sweep was recorded before distances between boundaries were measured."


def hd95_head(summary: SweepSummary) -> str:
    """`HD95 mm`; without a unit where no distances were measured."""
    return f"HD95 {summary.distances.unit}" if summary.distances else "HD95"


def distance_heads(summary: SweepSummary) -> list[str]:
    """The heads of a table of distances."""
    hd95 = hd95_head(summary)
    return ["mask", f"{hd95} ± SD", "SEM", f"median {hd95}", "surface Dice ± SD", "SEM", "nothing predicted"]


def distance_cells(trial: TrialSummary) -> list[str]:
    """One row under `distance_heads`; dashes where no distances were measured."""
    hd95 = [*_with_sd(trial.hd95, 1), number(trial.hd95_median, 1)]
    return [name_of(trial), *hd95, *_with_sd(trial.surface_dice, 3), str(trial.nothing_predicted)]


def distance_sentence(summary: SweepSummary) -> str:
    """What the columns are, and that nothing is decided by them."""
    scale = summary.distances
    if scale is None:
        return NONE
    unit = "pixels of the working size" if scale.unit == "px" else "mm"
    return (
        f"HD95: 95 % Hausdorff distance in {unit}. Surface Dice: share of both boundaries within {within(scale)} of "
        "the other. ± is the SD over folds (n − 1); the median is over all images. Where nothing was predicted, though "
        "there is a target, HD95 is the image's diagonal and surface Dice 0. An image without a target has neither. "
        "They decide nothing."
    )


def within(scale: DistanceScale) -> str:
    """The tolerance with its unit: `2 mm`."""
    return f"{scale.tolerance:g} {scale.unit}"


def _with_sd(scores: FoldScores, digits: int) -> list[str]:
    """`6.1 ± 0.4` and the SEM."""
    mean = number(scores.mean, digits)
    sd = "" if math.isnan(scores.mean) else f" ± {number(scores.sd, digits)}"
    return [mean + sd, number(scores.sem, digits)]

"""The images to look at, chosen by rule, with what both sides of the comparison scored on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tracking.analysis.comparisons import SIDES
from tracking.analysis.per_image import cases_by_rule
from tracking.analysis.winners_curse import dice_by_image
from tracking.record import SweepInfo, TrialRecord


@dataclass(frozen=True)
class ImageCase:
    """One image to look at. `rule`: why it was chosen (`best`, `median`, `worst` of the mean Dice of both masks,
    `contracting most ahead`, `expanding most ahead`). `image`: its name. `contracting`, `expanding`: its Dice with
    each; `contracting_hd95`, `expanding_hd95`: its 95 % Hausdorff distance, NaN where none was measured.
    """

    rule: str
    image: str
    contracting: float
    expanding: float
    contracting_hd95: float
    expanding_hd95: float


def image_cases(main: Sequence[TrialRecord], info: SweepInfo) -> tuple[ImageCase, ...]:
    """The images to look at among the trials at the main setting; none unless both masks scored images."""
    by_mask = {trial.info.candidate.mask: trial for trial in main}
    contracting, expanding = (by_mask.get(info.named_masks.get(name, "")) for name in SIDES)
    if contracting is None or expanding is None:
        return ()
    left, right = dice_by_image(contracting), dice_by_image(expanding)
    hd95 = [{score.image: score.hd95 for _, score in trial.scores} for trial in (contracting, expanding)]
    return tuple(
        ImageCase(rule, image, left[image], right[image], hd95[0][image], hd95[1][image])
        for rule, image in cases_by_rule(left, right)
    )

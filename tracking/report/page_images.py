"""The page's section on how the masks do image by image."""

from __future__ import annotations

from markupsafe import Markup

from tracking.analysis.cases import ImageCase
from tracking.analysis.comparisons import SIDES
from tracking.analysis.formatting import number
from tracking.analysis.trial import TrialSummary
from tracking.report.html import NOTHING, fill, table
from tracking.report.page_trials import best_rows
from tracking.summary.distances_in_words import hd95_head
from tracking.summary.sweep import SweepSummary
from tracking.summary.wording import is_shown, name_of

HEADS = ["mask", "images", "Dice", "95 % over images", "worst tenth", "below 0.1", "pooled Dice"]


def per_image_section(summary: SweepSummary) -> Markup:
    """Interval over images, worst tenth, failures, and the images to look at."""
    shown = [trial for trial in summary.trials if trial.per_image.n and is_shown(trial, summary)]
    if not shown:
        return NOTHING
    return fill("images.html", table=_scores(shown, summary.data.synthetic), cases=_cases(summary))


def per_image_cells(trial: TrialSummary) -> list[str]:
    """One row under `HEADS`."""
    images = trial.per_image
    interval = f"{number(images.low)} to {number(images.high)}"
    scores = [number(images.mean), interval, number(images.worst_decile)]
    return [name_of(trial), str(images.n), *scores, str(images.failures), number(trial.dice_pooled)]


def _scores(shown: list[TrialSummary], synthetic: bool) -> Markup:
    caption = (
        "Each image is scored by the network of the fold that did not train on it. Worst tenth: mean Dice of the "
        "lowest 10 % of the images. Below 0.1: images in which the target was missed. Pooled: Dice of all pixels, "
        "taken as one image."
    )
    best, limit = best_rows(shown)
    return table(HEADS, map(per_image_cells, best), caption + limit, synthetic, "sortable")


def _cases(summary: SweepSummary) -> Markup:
    if not summary.cases:
        return NOTHING
    caption = (
        "The images of figure 3 with their Dice and HD95. They are chosen by rule: best, median and worst of the mean "
        "Dice of both masks, and the largest difference either way."
    )
    heads = ["rule", "image", *(f"{side}{what}" for what in ("", f", {hd95_head(summary)}") for side in SIDES)]
    return table(heads, map(_case_cells, summary.cases), caption, summary.data.synthetic, "left")


def _case_cells(case: ImageCase) -> list[str]:
    dice = [number(case.contracting, 2), number(case.expanding, 2)]
    return [case.rule, case.image, *dice, number(case.contracting_hd95, 1), number(case.expanding_hd95, 1)]

"""What the figures show, taken out of the numbers of a report: the same points on the page and in the files."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from tracking.analysis.labelled_images import MaskCurve
from tracking.figures.canvas import Form, stamp
from tracking.figures.cost import CostPoint, draw_cost
from tracking.figures.curves import Curve, draw_comparisons
from tracking.figures.labelled_images import ImagesCurve, draw_labelled_images
from tracking.spec_view import view_spec
from tracking.statistics import Comparison, spread
from tracking.summary.external import ExternalSummary
from tracking.summary.labelled_images_in_words import last_gain
from tracking.summary.sweep import SweepSummary
from tracking.summary.wording import is_main

MOST_CURVES = 4  # of a figure: more are told apart in its table only
ORDERS = ("shallow-first", "deep-first", "outer-first", "inner-first")


def curves_of(summary: SweepSummary) -> list[Curve]:
    """The orders with a finished trial at the main setting; the two others only when the spec asks for them (some of
    their masks stand on the first two as well).
    """
    asked = {*ORDERS[:2], *view_spec(summary.settings).orders}
    curves = [_curve(order, summary) for order in ORDERS if order in asked]
    return [curve for curve in curves if curve.depths]


def _curve(order: str, summary: SweepSummary) -> Curve:
    by_depth = {
        depth: trial
        for trial in summary.trials
        for name, depth in trial.orders
        if name == order and trial.role == "trial" and is_main(trial, summary)
    }
    trials = [by_depth[depth] for depth in sorted(by_depth)]
    return Curve(
        order,
        tuple(sorted(by_depth)),
        tuple(trial.dice.folds for trial in trials),
        tuple(trial.mask for trial in trials),
    )


def external_curve(order: str, external: ExternalSummary) -> Curve:
    """An order on an external test set: the mean Dice of each network takes the place of the folds."""
    by_depth = {
        depth: trial
        for trial in external.trials
        for name, depth in trial.orders
        if name == order and trial.role == "trial"
    }
    trials = [by_depth[depth] for depth in sorted(by_depth)]
    return Curve(
        order,
        tuple(sorted(by_depth)),
        tuple(trial.networks for trial in trials),
        tuple(trial.mask for trial in trials),
    )


def baselines_of(summary: SweepSummary) -> dict[str, float]:
    """baseline -> mean Dice, those that are there."""
    baselines = summary.baselines
    named = {"zero_shot": baselines.zero_shot, "scratch": baselines.scratch, "all": baselines.all}
    return {name: trial.dice.mean for name, trial in named.items() if trial}


def score_limits(sweeps: Sequence[SweepSummary]) -> tuple[float, float] | None:
    """One score axis for curves, their bars and the baselines of several sweeps; None without any."""
    values = [value for sweep in sweeps for value in baselines_of(sweep).values()]
    for folds in (folds for sweep in sweeps for curve in curves_of(sweep) for folds in curve.folds):
        over_folds = spread(folds)
        values += [
            *folds,
            over_folds.mean - over_folds.sd,
            over_folds.mean + over_folds.sd,
        ]  # every point and both ends of the bar
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return None
    margin = 0.05 * (max(finite) - min(finite)) + 0.005
    return min(finite) - margin, max(finite) + margin


def comparison_rows(summary: SweepSummary) -> list[tuple[str, Comparison]]:
    """(name, comparison) of the co-primary comparisons that could be made."""
    return [(title.partition(" (")[0], comparison) for title, comparison in summary.comparison.titled]


def cost_points(summary: SweepSummary) -> list[CostPoint]:
    """Price and score of every trial at the main setting."""
    return [
        CostPoint(trial.order or "other", trial.mask, trial.trainable_params, trial.dice.mean)
        for trial in summary.trials
        if trial.role == "trial" and is_main(trial, summary) and not math.isnan(trial.dice.mean)
    ]


def images_curves(summary: SweepSummary) -> list[ImagesCurve]:
    """Dice against the number of labelled images, of the masks that do best with all of them."""
    labelled = summary.labelled_images
    return [_images_curve(curve) for curve in (labelled.curves[:MOST_CURVES] if labelled else ())]


def _images_curve(curve: MaskCurve) -> ImagesCurve:
    last, found = curve.points[-1], last_gain(curve)
    more = None
    if found:
        dice, low, high = (last.dice.mean + end for end in (found.mean, found.low, found.high))
        more = last.images + found.more, dice, low, high
    return ImagesCurve(
        curve.name,
        tuple(point.images for point in curve.points),
        tuple(point.dice.mean for point in curve.points),
        tuple(point.dice.sd for point in curve.points),
        more,
    )


def zero_shot_of(summary: SweepSummary) -> float:
    """The mean Dice before any training; NaN where it was not measured."""
    return baselines_of(summary).get("zero_shot", math.nan)


def figure_files(summary: SweepSummary) -> Mapping[str, bytes]:
    """file name -> bytes of the comparisons, the cost and the curves over the number of images, as SVG and PNG; what
    cannot be drawn is left out.
    """
    mark = stamp(summary.data.synthetic)
    rows, points = comparison_rows(summary), cost_points(summary)
    forms: tuple[Form, ...] = ("svg", "png")
    files: dict[str, bytes] = {}
    for form in forms:
        if rows:
            files[f"comparisons.{form}"] = draw_comparisons(rows, stamp=mark, form=form)
        if points:
            files[f"cost.{form}"] = draw_cost(points, stamp=mark, form=form)
        if curves := images_curves(summary):
            files[f"labelled-images.{form}"] = draw_labelled_images(curves, zero_shot_of(summary), mark, form)
    return files

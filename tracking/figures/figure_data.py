"""What the figures show, taken out of the numbers of a report: the same points on the page and in the files."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from tracking.analysis.formatting import COMPARISONS, is_main
from tracking.figures.canvas import Form, stamp
from tracking.figures.curves import Curve, draw_comparisons, draw_cost
from tracking.record import Json
from tracking.statistics import Comparison, spread

ORDERS = ("shallow-first", "deep-first", "outer-first", "inner-first")


def curves_of(found: Json) -> list[Curve]:
    """The orders with a finished trial at the main setting; the two others only when the spec asks for them (some of
    their masks stand on the first two as well).
    """
    asked = {*ORDERS[:2], *dict(found["settings"].get("search") or {}).get("orders", ())}
    curves = []
    for order in (one for one in ORDERS if one in asked):
        at = {
            depth: trial
            for trial in found["trials"]
            for name, depth in trial["orders"]
            if name == order and trial["role"] == "trial" and is_main(trial, found)
        }
        if at:
            depths = tuple(sorted(at))
            folds = tuple(tuple(at[depth]["dice"]["folds"]) for depth in depths)
            curves.append(Curve(order, depths, folds, tuple(at[depth]["mask"] for depth in depths)))
    return curves


def baselines_of(found: Json) -> dict[str, float]:
    """baseline -> mean Dice, those that are there."""
    return {key: one["dice"]["mean"] for key, one in found["baselines"].items() if one}


def score_limits(sweeps: Sequence[Json]) -> tuple[float, float] | None:
    """One score axis for curves, their bars and the baselines of several sweeps; None without any."""
    values = [value for one in sweeps for value in baselines_of(one).values()]
    for folds in (folds for one in sweeps for curve in curves_of(one) for folds in curve.folds):
        over = spread(folds)
        values += [*folds, over.mean - over.sd, over.mean + over.sd]  # every point and both ends of the bar
    kept = [value for value in values if math.isfinite(value)]
    if not kept:
        return None
    margin = 0.05 * (max(kept) - min(kept)) + 0.005
    return min(kept) - margin, max(kept) + margin


def comparison_rows(found: Json) -> list[tuple[str, Comparison]]:
    """(name, comparison) of the co-primary comparisons that could be made."""
    given = {key: found["comparison"][key] for key in COMPARISONS}
    return [(COMPARISONS[key].partition(" (")[0], rebuilt(one)) for key, one in given.items() if one is not None]


def cost_points(found: Json) -> list[tuple[str, str, int, float]]:
    """(order, written mask, parameters, mean Dice) of every trial at the main setting."""
    return [
        (trial["order"] or "other", trial["mask"], trial["trainable_params"], trial["dice"]["mean"])
        for trial in found["trials"]
        if trial["role"] == "trial" and is_main(trial, found) and not math.isnan(trial["dice"]["mean"])
    ]


def rebuilt(one: Json) -> Comparison:
    """The comparison that a comparison object was made of."""
    return Comparison(**{name: one[name] for name in Comparison.__dataclass_fields__})


def figure_files(found: Json) -> Mapping[str, bytes]:
    """file name -> bytes of the comparisons and the cost, as SVG and PNG; what cannot be drawn lacks."""
    mark = stamp(bool(found["data"]["synthetic"]))
    rows, points = comparison_rows(found), cost_points(found)
    forms: tuple[Form, ...] = ("svg", "png")
    files: dict[str, bytes] = {}
    for form in forms:
        if rows:
            files[f"comparisons.{form}"] = draw_comparisons(rows, stamp=mark, form=form)
        if points:
            files[f"cost.{form}"] = draw_cost(points, stamp=mark, form=form)
    return files

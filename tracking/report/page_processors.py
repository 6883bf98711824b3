"""The page's section on processors of different kinds, which is there only where a sweep mixed them."""

from __future__ import annotations

from markupsafe import Markup

from tracking.analysis.formatting import number
from tracking.report.html import NOTHING, fill, table
from tracking.summary.sweep import SweepSummary


def processors_section(summary: SweepSummary) -> Markup:
    """Which kinds trained how many folds, and whether their mixing shows."""
    found = summary.processors
    if found is None or not found.mixed:
        return NOTHING
    rows = [
        [kind.name, str(kind.folds), *(number(value, 4) for value in (kind.offset, kind.low, kind.high))]
        for kind in found.kinds
    ]
    caption = (
        "What trained the folds of all trials. Offset: how far the Dice of a fold lies above that of folds on the "
        "first kind, in masks that ran on both, the fold itself taken into account; with its 95 % interval."
    )
    heads = ["processor", "folds", "offset in Dice", "from", "to"]
    shown = table(heads, rows, caption, summary.data.synthetic)
    return fill("processors.html", sentence=found.sentence, table=shown)

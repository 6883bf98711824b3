"""The page's section on external test sets: what holds there, the curves and a table of each."""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import Markup

from tracking.figures.canvas import stamp
from tracking.figures.curves import draw_curves
from tracking.figures.figure_data import ORDERS, external_curve
from tracking.report.html import figure, paragraph, section, table
from tracking.summary.external import ExternalSummary
from tracking.summary.external_in_words import EXTERNAL, EXTERNAL_HEADS, EXTERNAL_NOTE, external_cells
from tracking.summary.sweep import SweepSummary
from tracking.summary.wording import setting
from tracking.units import unit_word


def external_section(summary: SweepSummary) -> Markup:
    """One part for each test set; nothing without any."""
    parts = [part for number, external in enumerate(summary.external) for part in _parts(number, external, summary)]
    return section(EXTERNAL, [*parts, paragraph(EXTERNAL_NOTE)] if parts else [])


def _parts(number: int, external: ExternalSummary, summary: SweepSummary) -> Iterator[Markup]:
    yield paragraph(external.sentence)
    synthetic = summary.data.synthetic or external.data.synthetic
    curves = [curve for curve in (external_curve(order, external) for order in ORDERS[:2]) if curve.depths]
    if curves:
        word = unit_word(summary.settings)
        caption = (
            f"Dice on {external.name} against the number of tuned {word}s ({setting(summary)}). Filled marks: mean "
            "over the networks of all folds. Bars: ± 1 SD over networks (n − 1). Open marks: single networks."
        )
        label = f"Dice on {external.name}"
        drawing = draw_curves(curves, {}, label, stamp(synthetic), name=f"external-{number}", unit=word)
        yield figure("", drawing, caption, synthetic)
    caption = f"Here: the sweep's own images, out of fold. There: {external.name}."
    yield table(EXTERNAL_HEADS, map(external_cells, external.trials), caption, synthetic, "sortable")

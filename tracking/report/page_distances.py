"""The page's section on the distances between boundaries."""

from __future__ import annotations

from markupsafe import Markup

from tracking.report.html import NOTHING, section, table
from tracking.report.page_trials import best_rows
from tracking.summary.distances_in_words import DISTANCES, distance_cells, distance_heads, distance_sentence
from tracking.summary.sweep import SweepSummary
from tracking.summary.wording import is_shown


def distances_section(summary: SweepSummary) -> Markup:
    """The distances of the trials at the main setting and of the baselines."""
    shown = [trial for trial in summary.trials if is_shown(trial, summary)]
    if not shown:
        return NOTHING
    best, limit = best_rows(shown)
    rows, caption = map(distance_cells, best), distance_sentence(summary) + limit
    return section(DISTANCES, [table(distance_heads(summary), rows, caption, summary.data.synthetic, "sortable")])

"""The page's section on the distances between boundaries."""

from __future__ import annotations

from markupsafe import Markup

from tracking.report.html import NOTHING, section, table
from tracking.summary.distances_in_words import DISTANCES, distance_cells, distance_heads, distance_sentence
from tracking.summary.sweep import SweepSummary
from tracking.summary.wording import is_shown

MOST = 100  # rows of the table


def distances_section(summary: SweepSummary) -> Markup:
    """The distances of the trials at the main setting and of the baselines."""
    shown = [trial for trial in summary.trials if is_shown(trial, summary)]
    if not shown:
        return NOTHING
    caption, left = distance_sentence(summary), len(shown) - MOST
    if left > 0:
        shown = sorted(shown, key=lambda trial: -trial.dice.mean)[:MOST]
        caption += f" The best {MOST} by Dice; {left} more: thaw report --format csv."
    rows = map(distance_cells, shown)
    return section(DISTANCES, [table(distance_heads(summary), rows, caption, summary.data.synthetic, "sortable")])

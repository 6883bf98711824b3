"""The page's section on starts: Dice by start and mask, what each does, and whether they depend on each other."""

from __future__ import annotations

from markupsafe import Markup

from tracking.best_mask.start_tables import STARTS, start_tables, starts_note
from tracking.best_mask.starts import StartTable
from tracking.best_mask.tables import Table
from tracking.figures.canvas import stamp
from tracking.figures.starts import StartSeries, draw_starts
from tracking.report.html import figure, paragraph, section, table
from tracking.summary.sweep import SweepSummary

CAPTION = "Dice of each mask from each start. Bars: ± 1 SD over folds (n − 1)."


def starts_section(summary: SweepSummary) -> Markup:
    """The section; nothing where a sweep has one start."""
    starts = summary.best_mask.starts if summary.best_mask else None
    if starts is None:
        return section(STARTS, [])
    synthetic = summary.data.synthetic
    parts = [paragraph(starts.sentence), figure("", draw(starts, stamp(synthetic)), CAPTION, synthetic)]
    parts += [_table(content, synthetic) for content in start_tables(starts)]
    return section(STARTS, [*parts, paragraph(starts_note(starts))])


def draw(starts: StartTable, mark: str) -> bytes:
    """The figure of a table."""
    cells = [cell for row in starts.rows for cell in row.cells]
    masks = list(starts.masks) or list(dict.fromkeys(cell.mask for cell in cells))
    series = []
    for row in starts.rows:
        shown = [cell for cell in row.cells if cell.mask in masks]
        places = tuple(masks.index(cell.mask) for cell in shown)
        dice, spread = tuple(cell.dice for cell in shown), tuple(cell.sd for cell in shown)
        series.append(StartSeries(row.name, places, dice, spread))
    return draw_starts(masks, series, mark)


def _table(content: Table, synthetic: bool) -> Markup:
    more = f" And {content.left:,} more: thaw best --format json." if content.left > 0 else ""
    return table(content.heads, content.rows, f"{content.title}.{more}", synthetic, "sortable")

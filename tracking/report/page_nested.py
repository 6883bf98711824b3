"""The page's section on a nested cross-validation: the score of the whole procedure, part by part."""

from __future__ import annotations

from markupsafe import Markup

from tracking.best_mask.tables import nested_note, nested_table
from tracking.report.html import NOTHING, paragraph, section, table
from tracking.summary.sweep import SweepSummary

NESTED = "How good the whole procedure is"


def nested_section(summary: SweepSummary) -> Markup:
    """Its sentence, a row for each outer part that is done, and how to read them; nothing without `outer`."""
    answer = summary.best_mask
    if answer is None or answer.nested is None:
        return NOTHING
    parts = nested_table(answer.nested)
    rows = table(parts.heads, parts.rows, f"{parts.title}.", answer.synthetic) if parts.rows else NOTHING
    return section(NESTED, [paragraph(answer.nested.sentence), rows, paragraph(nested_note(answer.nested))])

"""The page's section on the number of labelled images: figure, table, differences and where curves cross."""

from __future__ import annotations

from markupsafe import Markup

from tracking.figures.canvas import stamp
from tracking.figures.figure_data import images_curves, zero_shot_of
from tracking.figures.labelled_images import draw_labelled_images
from tracking.report.html import NOTHING, figure, paragraph, section, table
from tracking.summary.labelled_images_in_words import (
    GAIN_NOTE,
    LABELLED,
    PAIR_HEADS,
    PAIR_NOTE,
    crossing_sentences,
    gain_heads,
    gain_rows,
    labelled_note,
    pair_rows,
    refusals,
    size_heads,
    size_rows,
)
from tracking.summary.sweep import SweepSummary
from tracking.summary.wording import setting


def labelled_images_section(summary: SweepSummary) -> Markup:
    """What other numbers of labelled images give; nothing where none was measured."""
    labelled, synthetic = summary.labelled_images, summary.data.synthetic
    if labelled is None:
        return NOTHING
    parts = [paragraph(labelled.sentence)]
    if labelled.curves:
        caption = (
            f"Dice against the number of labelled images ({setting(summary)}). Filled marks: mean over "
            f"{len(summary.folds)} folds; bars: ± 1 SD over folds (n − 1). Open marks: what more images would give if "
            "the curve goes on as it rose; bars: 95 % interval of the gain."
        )
        drawing = draw_labelled_images(images_curves(summary), zero_shot_of(summary), stamp(synthetic))
        parts.append(figure("", drawing, caption, synthetic))
        caption = f"Mean Dice ± SD over folds. {labelled_note(summary)}"
        parts.append(table(size_heads(labelled), size_rows(labelled), caption, synthetic))
        parts.append(table(gain_heads(labelled), gain_rows(labelled), GAIN_NOTE, synthetic))
    parts += [paragraph(sentence) for sentence in (*crossing_sentences(labelled), *refusals(labelled))]
    if labelled.pairs:
        parts.append(table(PAIR_HEADS, pair_rows(labelled), PAIR_NOTE, synthetic))
    return section(LABELLED, parts)

"""The page's section with the paper's figures."""

from __future__ import annotations

from markupsafe import Markup

from tracking.analysis.seeds import Repeats, read
from tracking.record import SweepRecord
from tracking.report.html import NOTHING, figure, fill, image
from tracking.report.paper_figures import Drawn, study_figures
from tracking.report.shown_images import shown_trials
from tracking.summary.sweep import SweepSummary

DIRECTIONS = Markup('<p><a href="#directions">Figure 4</a>, the two directions: at the head of this page.</p>')


def figures_section(summary: SweepSummary, record: SweepRecord) -> Markup:
    """The paper's figures; without predictions, the montages that older sweeps have of both masks."""
    drawn = study_figures(summary, record)
    figures = [_shown(one, summary.data.synthetic) for one in drawn]
    if 3 not in {one.number for one in drawn}:
        figures += _montages(record, summary.data.synthetic)
    notes = record.seen.notes
    return fill("figures.html", figures=figures, notes=notes) if figures or notes else NOTHING


def _shown(drawn: Drawn, synthetic: bool) -> Markup:
    """A figure with its caption, inline where it is a drawing, else as a picture; a link to the curves above."""
    caption = f"Figure {drawn.number}: {drawn.title}. {drawn.caption}"
    if drawn.number == 4:
        return DIRECTIONS
    if drawn.number == 2:
        return figure("", drawn.draw("inline"), caption, synthetic)
    return image(drawn.draw("page"), drawn.alt, caption, synthetic)


def _montages(record: SweepRecord, synthetic: bool) -> list[Markup]:
    return [
        image(
            trial.montage,
            f"Validation images, truth and prediction, {name} tuned",
            f"{name.capitalize()} tuned ({trial.info.candidate.name}). Second row: the truth. Third row: the "
            "prediction of the fold that did not train on the image, with the truth dashed.",
            synthetic,
        )
        for name, trial in shown_trials(read(record).honest, Repeats()).items()
        if trial.montage is not None
    ]

"""The page's section with the paper's figures."""

from __future__ import annotations

from markupsafe import Markup

from tracking.analysis.seeds import Repeats, read
from tracking.record import SweepRecord
from tracking.report.html import NOTHING, figure, fill, image
from tracking.report.paper_figures import PaperFigure, figures_of_paper
from tracking.report.shown_images import shown_trials
from tracking.summary.sweep import SweepSummary

DIRECTIONS = Markup('<p><a href="#directions">Figure 4</a>, the two directions: at the head of this page.</p>')


def figures_section(summary: SweepSummary, record: SweepRecord) -> Markup:
    """The paper's figures; without predictions, the montages that older sweeps have of both masks."""
    paper_figures = figures_of_paper(summary, record)
    figures = [_show(paper_figure, summary.data.synthetic) for paper_figure in paper_figures]
    if 3 not in {paper_figure.number for paper_figure in paper_figures}:
        figures += _montages(record, summary.data.synthetic)
    notes = record.shown_images.notes
    return fill("figures.html", figures=figures, notes=notes) if figures or notes else NOTHING


def _show(paper_figure: PaperFigure, synthetic: bool) -> Markup:
    """A figure with its caption, inline as SVG or as a PNG; figure 4 is a link to the curves above."""
    caption = f"Figure {paper_figure.number}: {paper_figure.title}. {paper_figure.caption}"
    if paper_figure.number == 4:
        return DIRECTIONS
    if paper_figure.number == 2:
        return figure("", paper_figure.draw("inline"), caption, synthetic)
    return image(paper_figure.draw("page"), paper_figure.alt, caption, synthetic)


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

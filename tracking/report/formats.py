"""A sweep as a report: JSON, CSV, Markdown or one HTML page; from its summary and, for the images, its record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

from tracking.as_json import to_json
from tracking.figures.canvas import Form
from tracking.figures.figure_data import figure_files
from tracking.record import SweepRecord
from tracking.report.csv_rows import to_csv
from tracking.report.many_sweeps import many_sweeps_html, many_sweeps_markdown
from tracking.report.markdown import to_markdown
from tracking.report.methods import to_methods
from tracking.report.page import html
from tracking.report.page_two_sweeps import two_sweeps_files, two_sweeps_html, two_sweeps_markdown
from tracking.report.paper_figures import figures_of_paper
from tracking.summary.many_sweeps import ManySweeps
from tracking.summary.sweep import SweepSummary
from tracking.summary.two_sweeps import TwoSweeps
from trainer.errors import UserError

Format = Literal["html", "json", "csv", "markdown", "methods"]
SUFFIX: Mapping[str, str] = {"html": ".html", "json": ".json", "csv": ".csv", "markdown": ".md", "methods": ".md"}


def render(summary: SweepSummary, record: SweepRecord, form: str = "html") -> str:
    """The report of a sweep as `html`, `json`, `csv`, `markdown` or `methods`; `record` is what was summarised. Raises
    `UserError` for any other format.
    """
    match _check_format(form):
        case "html":
            return html(summary, record)
        case "json":
            return to_json(summary)
        case "csv":
            return to_csv(summary)
        case "markdown":
            return to_markdown(summary)
        case "methods":
            return to_methods(summary)


def render_two(two: TwoSweeps, form: str = "html") -> str:
    """Two sweeps side by side in one of the same formats."""
    match _check_format(form):
        case "html":
            return two_sweeps_html(two)
        case "json":
            return to_json(two)
        case "csv":  # both tables, one below the other; the last column says whose row it is
            return to_csv(*two.sweeps)
        case "markdown":
            return two_sweeps_markdown(two)
        case "methods":
            return "\n".join(map(to_methods, two.sweeps))


def render_many(many: ManySweeps, form: str = "html") -> str:
    """Three or more sweeps side by side as `html`, `json` or `markdown`. Raises `UserError` for any other format."""
    match _check_format(form):
        case "html":
            return many_sweeps_html(many)
        case "json":
            return to_json(many)
        case "markdown":
            return many_sweeps_markdown(many)
    raise UserError(f"Three or more sweeps are written as html, json or markdown, but got '{form}'.")


def figures(summary: SweepSummary, record: SweepRecord) -> Mapping[str, bytes]:
    """file name -> bytes of the paper's figures and the report's others, as SVG and PNG files."""
    forms: tuple[Form, ...] = ("svg", "png")
    files = {
        f"{figure.file}.{form}": figure.draw(form) for figure in figures_of_paper(summary, record) for form in forms
    }
    return files | dict(figure_files(summary))


def figures_of_two(two: TwoSweeps) -> Mapping[str, bytes]:
    """file name -> bytes of figure 4 with both sweeps, and of their comparisons, as SVG and PNG files."""
    return two_sweeps_files(two)


def _check_format(form: str) -> Format:
    for known in get_args(Format):
        if form == known:
            return known  # type: ignore[no-any-return]
    raise UserError(f"Unknown report format {form!r}. Formats: {', '.join(get_args(Format))}.")

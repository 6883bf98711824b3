"""Two sweeps on one page, and in Markdown: does the direction depend on the data?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from tracking.analysis.formatting import COMPARISON_HEADS, comparison_cells, noise_words
from tracking.analysis.seed_noise import SeedNoise
from tracking.analysis.simulated_rates import false_positives
from tracking.best_mask.answer import answer_sentences
from tracking.figures.canvas import STAMP, Form, stamp
from tracking.figures.curves import Panel, draw_comparisons, draw_curves, draw_panels
from tracking.figures.figure_data import baselines_of, curves_of, score_limits
from tracking.report.html import NOTHING, document, figure, fill, table
from tracking.report.many_sweeps import winners_markdown, winners_section
from tracking.report.markdown import markdown_table
from tracking.statistics import Comparison
from tracking.summary.sweep import SweepSummary
from tracking.summary.two_sweeps import PooledNoise, TwoSweeps
from tracking.summary.wording import setting
from tracking.units import unit_word

READING = (
    "The last row of each pair subtracts the second sweep's difference from the first's. The two data sets are assumed "
    "to be independent, so the squares of their corrected standard errors add up (degrees of freedom by Welch and "
    "Satterthwaite). A significant result in one sweep and not in the other shows nothing by itself: the interval of "
    "the last row decides. Two data sets differ in more than one way, so a dependence on the data is not yet a "
    "dependence on the modality. " + false_positives("two sweeps")
)


@dataclass(frozen=True)
class _Row:
    """One line of the comparisons: its `name`, the comparison, its noise over seeds (None: not measured)."""

    name: str
    comparison: Comparison
    noise: SeedNoise | PooledNoise | None


@dataclass(frozen=True)
class _SweepText:
    """What one of the sweeps says by itself."""

    name: str
    sentences: Sequence[str]
    command: str


def two_sweeps_html(two: TwoSweeps) -> str:
    """The page of two sweeps."""
    names = " against ".join(sweep.sweep for sweep in two.sweeps)
    parts = [
        _head(two, names),
        fill("two_notes.html", notes=two.notes) if two.notes else NOTHING,
        winners_section(two.best) if two.best else NOTHING,
        _curves(two.sweeps),
        _comparisons(two),
        fill("two_each.html", sweeps=[_sweep_text(sweep) for sweep in two.sweeps]),
    ]
    return document(f"{names}: which blocks to fine-tune", parts, two.synthetic, broad=True)


def _head(two: TwoSweeps, names: str) -> Markup:
    headline = (two.finding or "no verdict yet").capitalize()
    sentence = two.sentence.removeprefix(f"{headline}: ")
    return fill("head.html", kicker=names, headline=headline, sentence=sentence[:1].upper() + sentence[1:])


def _curves(sweeps: Sequence[SweepSummary]) -> Markup:
    """Both curves on one scale, each marked by itself when its data are synthetic."""
    limits = score_limits(sweeps)
    drawings = [_curve(sweep, f"curves{number}", limits) for number, sweep in enumerate(sweeps) if curves_of(sweep)]
    return fill("two_curves.html", drawings=drawings) if drawings else NOTHING


def _curve(sweep: SweepSummary, name: str, limits: tuple[float, float] | None) -> Markup:
    synthetic, unit = sweep.data.synthetic, unit_word(sweep.settings)
    svg = draw_curves(
        curves_of(sweep), baselines_of(sweep), stamp=stamp(synthetic), name=name, limits=limits, unit=unit
    )
    caption = f"Figure 4: {sweep.sweep} ({setting(sweep)}, {sweep.data.images} images). Bars: ± 1 SD over folds."
    return figure("", svg, caption, synthetic)


def two_sweeps_files(two: TwoSweeps) -> dict[str, bytes]:
    """file name -> bytes of figure 4 with both sweeps on one scale, and of the comparisons, as SVG and PNG."""
    panels = [_panel(sweep) for sweep in two.sweeps if curves_of(sweep)]
    rows = [(_folded(row.name), row.comparison) for row in _rows(two)]
    forms: tuple[Form, ...] = ("svg", "png")
    limits, mark = score_limits(two.sweeps), stamp(two.synthetic)
    files = {f"figure-4-curve.{form}": draw_panels(panels, limits, form) for form in forms if panels}
    return files | {f"comparisons.{form}": draw_comparisons(rows, mark, form) for form in forms if rows}


def _panel(sweep: SweepSummary) -> Panel:
    mark, unit = stamp(sweep.data.synthetic), unit_word(sweep.settings)
    return Panel(curves_of(sweep), baselines_of(sweep), mark, _short(sweep.sweep), unit)


def _rows(two: TwoSweeps) -> list[_Row]:
    """Per co-primary comparison: in the first sweep, in the second, and the first minus the second."""
    rows = []
    for pair in two.pairs:
        title = pair.title.partition(" (")[0]
        for sweep, comparison in zip(two.sweeps, (pair.first, pair.second), strict=True):
            if comparison is not None:
                rows.append(_Row(f"{title}, {sweep.sweep}", comparison, comparison.noise))
        if pair.apart is not None:
            rows.append(_Row(f"{title}: first − second", pair.apart, pair.apart.noise))
    return rows


def _table(two: TwoSweeps) -> tuple[list[str], list[list[str]]]:
    """Heads and rows; the noise has a column when any of them was measured."""
    rows = _rows(two)
    noisy = any(row.noise for row in rows)
    cells = [[row.name, *comparison_cells(row.comparison), *([_noise(row)] if noisy else [])] for row in rows]
    return ["difference in Dice", *COMPARISON_HEADS, *(["seed SD (SE)"] if noisy else [])], cells


def _noise(row: _Row) -> str:
    return noise_words(row.noise.sd, row.noise.se) if row.noise else "not measured"


def _comparisons(two: TwoSweeps) -> Markup:
    rows = _rows(two)
    if not rows:
        return NOTHING
    svg = draw_comparisons([(_folded(row.name), row.comparison) for row in rows], stamp=stamp(two.synthetic))
    caption = (
        "Diamond: mean. Line: corrected 95 % interval. Ticks: the folds. Grey: ± 0.01 Dice, not practically relevant."
    )
    heads, cells = _table(two)
    return fill(
        "two_comparisons.html",
        drawing=figure("", svg, caption, two.synthetic),
        table=table(heads, cells, "The co-primary comparisons of both sweeps, and how they differ.", two.synthetic),
        reading=READING,
    )


def _folded(name: str, longest: int = 30) -> str:
    """A name on two lines, its end elided, so that the drawing keeps its width."""
    short, comma, sweep = name.partition(", ")
    return f"{short},\n{_short(sweep, longest)}" if comma else name


def _short(sweep: str, longest: int = 40) -> str:
    return sweep if len(sweep) <= longest else sweep[: longest - 1] + "…"


def _sweep_text(sweep: SweepSummary) -> _SweepText:
    sentences = [sweep.data.statement, sweep.verdict.sentence, *answer_sentences(sweep.best_mask)]
    return _SweepText(sweep.sweep, sentences, sweep.provenance.command)


def two_sweeps_markdown(two: TwoSweeps) -> str:
    """The same numbers for an issue or a supplement."""
    names = [sweep.sweep for sweep in two.sweeps]
    stamped = [f"{STAMP}: {sweep.sweep}" for sweep in two.sweeps if sweep.data.synthetic]
    lines = [f"# {' against '.join(names)}", "", *stamped, "", f"**{two.sentence}**", ""]
    lines += [*(f"- {note}" for note in two.notes), "", *(winners_markdown(two.best) if two.best else ()), ""]
    lines += [*markdown_table(*_table(two)), "", READING, ""]
    for sweep in two.sweeps:
        lines += [f"## {sweep.sweep}", "", sweep.data.statement, "", sweep.verdict.sentence, ""]
    return "\n".join(lines)

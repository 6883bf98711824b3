"""The page's sections on differences: how sure the two comparisons are, and what more epochs bring."""

from __future__ import annotations

import math

from markupsafe import Markup

from tracking.analysis.contrasts import Difference
from tracking.analysis.convergence import BudgetStep
from tracking.analysis.formatting import COMPARISON_HEADS, comparison_cells, mask_name, number, p_value
from tracking.analysis.simulated_rates import Test, false_positives
from tracking.figures.canvas import stamp
from tracking.figures.curves import draw_comparisons
from tracking.figures.figure_data import comparison_rows
from tracking.report.html import NOTHING, figure, fill, table
from tracking.report.page_seeds import differences_table
from tracking.summary.sweep import SweepSummary
from tracking.summary.wording import convergence_sentence, noise_cells, noise_heads
from tracking.units import unit_word

CO_PRIMARY: tuple[Test, ...] = ("contracting − expanding", "area between the curves", "both after Holm")


def comparisons_section(summary: SweepSummary) -> Markup:
    """The two co-primary comparisons, how to read them, and the depths one by one."""
    titled, missing = summary.comparison.titled, summary.comparison.missing
    if not titled:
        return fill("comparisons.html", compared=NOTHING, missing=missing)
    return fill(
        "comparisons.html",
        compared=_co_primary(summary) + differences_table(summary),
        missing=missing,
        drawing=_drawing(summary),
        reach=_reach(titled[0][1]),
        rates=false_positives(*CO_PRIMARY),
        by_depth=_by_depth(summary),
    )


def _co_primary(summary: SweepSummary) -> Markup:
    rows = [[title, *comparison_cells(comparison)] for title, comparison in summary.comparison.titled]
    heads = ["difference in Dice", *COMPARISON_HEADS]
    return table(heads, rows, "The two co-primary comparisons.", summary.data.synthetic)


def _drawing(summary: SweepSummary) -> Markup:
    synthetic = summary.data.synthetic
    caption = (
        "Diamond: mean difference over folds. Line: its corrected 95 % interval. Ticks: the folds. Grey band: "
        "± 0.01 Dice, a difference without practical relevance."
    )
    return figure("", draw_comparisons(comparison_rows(summary), stamp=stamp(synthetic)), caption, synthetic)


def _reach(first: Difference) -> str:
    """The smallest difference that this sweep could have shown."""
    if math.isnan(first.low):
        return ""
    return (
        f" At this SD over folds a mean difference of {number(first.threshold)} Dice or more in the first comparison "
        f"would be significant. The test detects a true difference of {number(first.detectable)} with a power of 80 %."
    )


def _by_depth(summary: SweepSummary) -> Markup:
    rows = []
    for difference in summary.comparison.by_depth:
        cells = comparison_cells(difference)
        rows.append(
            [
                f"{difference.depth}",
                *cells[:2],
                *noise_cells(difference.noise, summary),
                p_value(difference.p),
                cells[3],
            ]
        )
    if not rows:
        return NOTHING
    heads = ["k", "shallow-k − deep-k", "95 % interval", *noise_heads(summary), "p", f"Holm p ({len(rows)})"]
    caption = (
        f"Secondary: the two directions at equal numbers of tuned {unit_word(summary.settings)}s. "
        f"{false_positives('eight depths after Holm')}"
    )
    return table(heads, rows, caption, summary.data.synthetic)


def convergence_section(summary: SweepSummary) -> Markup:
    """What each larger budget changed, mask by mask."""
    steps = [(convergence_sentence(step, summary), _step(step, summary)) for step in summary.convergence]
    rates = false_positives("17 masks at two budgets after Holm")
    return fill("convergence.html", steps=steps, rates=rates) if steps else NOTHING


def _step(step: BudgetStep, summary: SweepSummary) -> Markup:
    rows = []
    for change in step.masks:
        cells = comparison_cells(change)
        rows.append([mask_name(change), *cells[:2], *noise_cells(change.noise, summary), p_value(change.p), cells[3]])
    tested = sum(not math.isnan(change.p) for change in step.masks)
    head = f"Dice at {step.longer} − at {step.shorter} epochs"
    heads = ["mask", head, "95 % interval", *noise_heads(summary), "p", f"Holm p ({tested})"]
    caption = f"Change in Dice from {step.shorter} to {step.longer} epochs, in the same folds."
    return table(heads, rows, caption, summary.data.synthetic, "sortable")

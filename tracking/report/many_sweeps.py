"""Several sweeps on the same folds as a page and in Markdown: their winners, and every two of them compared."""

from __future__ import annotations

from markupsafe import Markup

from tracking.analysis.formatting import COMPARISON_HEADS, SYNTHETIC, comparison_cells, from_start, mask_name, number
from tracking.figures.canvas import stamp
from tracking.figures.curves import draw_comparisons
from tracking.report.html import document, figure, fill, paragraph, section, table
from tracking.report.markdown import markdown_table
from tracking.summary.many_sweeps import BestAgainst, ManySweeps, SweepBest

HEADS = ["sweep", "network", "parameters", "start", "best mask", "trained parameters", "epochs", "Dice", "chosen among"]
PAIR_HEADS = ["difference in Dice", "as measured", *COMPARISON_HEADS]


def many_sweeps_html(many: ManySweeps) -> str:
    """The page."""
    names = ", ".join(best.sweep for best in many.sweeps)
    headline, _, sentence = many.sentence.partition(", with ")
    rows = [(f"{pair.first} − {pair.second}", pair) for pair in many.pairs]
    caption = (
        "Diamond: mean, corrected for the choice of both winners. Line: corrected 95 % interval. Ticks: the folds. "
        "Grey: ± 0.01 Dice, not practically relevant."
    )
    drawing = draw_comparisons(rows, stamp=stamp(many.synthetic))
    parts = [
        fill("head.html", kicker=names, headline=headline, sentence=f"With {sentence}"),
        section(
            "The winners", [table(HEADS, map(_cells, many.sweeps), "Dice as measured.", many.synthetic, "sortable")]
        ),
        figure("Every two of them", drawing, caption, many.synthetic),
        section("", [table(PAIR_HEADS, map(_pair_cells, many.pairs), "Holm over all pairs.", many.synthetic)]),
    ]
    return document(f"{names}: whose mask is best", parts, many.synthetic)


def winners_section(many: ManySweeps) -> Markup:
    """The winners and their differences, as a part of another page."""
    tables = [
        table(HEADS, map(_cells, many.sweeps), "Dice as measured.", many.synthetic),
        table(PAIR_HEADS, map(_pair_cells, many.pairs), "The winners, paired by fold.", many.synthetic),
    ]
    return section("Whose best mask is better?", [paragraph(many.sentence), *tables])


def many_sweeps_markdown(many: ManySweeps) -> str:
    """The same without the figure."""
    lines = [f"# {', '.join(best.sweep for best in many.sweeps)}", ""]
    lines += [f"**{SYNTHETIC}**", ""] if many.synthetic else []
    return "\n".join([*lines, *winners_markdown(many)]) + "\n"


def winners_markdown(many: ManySweeps) -> list[str]:
    """The winners and their differences, line by line."""
    lines = [f"**{many.sentence}**", "", *markdown_table(HEADS, map(_cells, many.sweeps)), ""]
    return [*lines, *markdown_table(PAIR_HEADS, map(_pair_cells, many.pairs))]


def _cells(best: SweepBest) -> list[str]:
    winner = best.winner
    return [
        *(best.sweep, best.network, f"{best.parameters:,}", best.start, from_start(mask_name(winner), winner.start)),
        *(f"{winner.trainable_params:,}", str(winner.epochs), number(winner.dice), str(best.candidates)),
    ]


def _pair_cells(pair: BestAgainst) -> list[str]:
    return [f"{pair.first} − {pair.second}", f"{pair.apparent:+.3f}", *comparison_cells(pair)]

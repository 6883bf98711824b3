"""The page's section "Which set is best", and the figures of the same answer as files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup

from tracking.analysis.simulated_rates import false_positives
from tracking.best_mask.answer import BestMask, answer_sentences
from tracking.best_mask.measured_effects import MeasuredEffects
from tracking.best_mask.pareto import PRICES
from tracking.best_mask.tables import Table, effect_table, front_table, not_told_apart, pair_table, tie_table
from tracking.figures.canvas import Form, stamp
from tracking.figures.effects import draw_effects, draw_pareto
from tracking.record import SweepInfo
from tracking.report.html import NOTHING, figure, fill, paragraph, section, table
from tracking.spec_view import view_spec
from tracking.summary.sweep import SweepSummary
from tracking.units import unit_word

SHOWN = 20  # rows of a table; a search has hundreds of masks
HEADING = "Which set is best"
TIES = (
    "Behind: distance from the best in Dice. 95 %: interval of that distance, from the pooled variance of all masks, "
    "corrected for the choice of the best. Chosen: share of the bootstrap draws of the images in which the mask wins. "
    "p: corrected t-test with the pooled variance, times the number of pairs. "
    + false_positives("any mask not tied with the best, all pairs", "the winner against three references after Holm")
)
READING = (
    "How to read it: a mask that ties was not shown to be worse, which is not the same as being as good. With few "
    "folds many masks tie. The column “chosen” and the corrected score account for the choice of images, not for the "
    "randomness of one training: only several seeds do."
)
PRICE = (
    "Dice of every candidate against its trained parameters. The line joins the Pareto front: no candidate as cheap "
    "scores higher. The scores are not corrected for the search, so the upper end is too optimistic."
)
EFFECTS = (
    "Filled mark: the 95 % interval (corrected resampled t over folds) excludes 0. Grey band: ± 0.01 Dice. "
    + false_positives("effects of blocks after Holm", "effects of pairs of blocks after Holm")
)


@dataclass(frozen=True)
class Drawing:
    """A figure as SVG, and its caption."""

    svg: bytes
    caption: str


@dataclass(frozen=True)
class EffectsView:
    """What the section shows of the blocks: a figure, the effects, the largest interactions (None: they cannot be told
    apart), and `confounded`, which effects cannot be told apart (empty: none).
    """

    figure: Drawing
    effects: Table
    pairs: Table | None
    confounded: str


@dataclass(frozen=True)
class BestMaskView:
    """What the section shows, in its order: `sentences` (the answer, the smoothed one, the cheapest choice), what
    `ties` with its `ties_caption`, Dice against `price`, the `fronts` by parameters and seconds, `effects` (None: the
    masks never vary one block without another), the fANOVA sentence `importance`, and `notes` in small print.
    """

    sentences: tuple[str, ...]
    ties: Table
    ties_caption: str
    price: Drawing
    fronts: tuple[Table, ...]
    effects: EffectsView | None
    importance: str
    notes: tuple[str, ...]


def leads(summary: SweepSummary) -> bool:
    """Whether the answer heads the page, rather than the verdict: of a sweep that searched sets of blocks, or measured
    more masks than a table can show.
    """
    answer = summary.best_mask
    if answer is None:
        return False
    return view_spec(summary.settings).space == "subsets" or answer.masks > 2 * SHOWN


def best_mask_view(answer: BestMask, unit: str = "block") -> BestMaskView:
    """The answer as a page shows it, short for any number of masks; `unit`: what masks count."""
    mark = stamp(answer.synthetic)
    return BestMaskView(
        sentences=answer_sentences(answer),
        ties=tie_table(answer, SHOWN, tests=True),
        ties_caption=f"{len(answer.tied)} of {answer.candidates}. {TIES}",
        price=Drawing(draw_pareto(answer, "parameters", mark), PRICE),
        fronts=tuple(front_table(answer, price, SHOWN) for price in PRICES),
        effects=_effects_view(answer.effects, mark, unit) if answer.effects else None,
        importance=answer.importance.sentence,
        notes=(*answer.notes, READING),
    )


def best_mask_section(summary: SweepSummary) -> Markup:
    """The section of a sweep: its answer, and how many parameters the two halves hold."""
    parameters = summary.parameters.note if summary.parameters else ""
    if summary.best_mask:
        return answer_section(summary.best_mask, unit_word(summary.settings), parameters)
    return section(HEADING, [paragraph(parameters)] if parameters else [])


def answer_section(answer: BestMask, unit: str = "block", parameters: str = "") -> Markup:
    """The section as HTML; `parameters`: what to say of the parameters of the two halves."""
    view = best_mask_view(answer, unit)
    synthetic, effects = answer.synthetic, view.effects
    return fill(
        "best_mask.html",
        heading=HEADING,
        view=view,
        ties=_table(view.ties, synthetic, f", {view.ties_caption}"),
        price=figure("", view.price.svg, view.price.caption, synthetic),
        fronts=[_table(front, synthetic) for front in view.fronts],
        drawn_effects=figure("", effects.figure.svg, effects.figure.caption, synthetic) if effects else NOTHING,
        effects=_table(effects.effects, synthetic) if effects else NOTHING,
        pairs=_table(effects.pairs, synthetic) if effects and effects.pairs else NOTHING,
        parameters=parameters,
    )


def answer_files(answer: BestMask, info: SweepInfo) -> Mapping[str, bytes]:
    """file name -> bytes of the answer's figures, as SVG and PNG; what cannot be drawn is left out."""
    mark, files = stamp(answer.synthetic), {}
    forms: tuple[Form, ...] = ("svg", "png")
    for form in forms:
        for price in PRICES:
            if answer.pareto.of(price):
                files[f"pareto-{price}.{form}"] = draw_pareto(answer, price, mark, form)
        if answer.effects:
            files[f"effects.{form}"] = draw_effects(answer.effects, mark, form, unit_word(info.spec))
    return files


def _effects_view(effects: MeasuredEffects, mark: str, unit: str) -> EffectsView:
    drawing = Drawing(draw_effects(effects, mark, unit=unit), f"{' '.join(effects.sentences)} {EFFECTS}")
    return EffectsView(drawing, effect_table(effects), pair_table(effects), not_told_apart(effects))


def _table(content: Table, synthetic: bool, caption: str = "") -> Markup:
    more = f" And {content.left:,} more: thaw best --format json." if content.left > 0 else ""
    stop = "" if caption else "."
    return table(content.heads, content.rows, f"{content.title}{caption}{stop}{more}", synthetic, "sortable")

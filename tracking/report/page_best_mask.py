"""The page's section "Which set is best", and the figures of the same answer as files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape

from tracking.analysis.seeds import read
from tracking.best_mask.answer import BestMask, best_mask
from tracking.best_mask.measured_effects import MeasuredEffects
from tracking.best_mask.pareto import PRICES
from tracking.best_mask.sentences import cheapest_choice
from tracking.best_mask.tables import Table, effect_table, front_table, not_told_apart, pair_table, tie_table
from tracking.figures.canvas import Form, stamp
from tracking.figures.effects import draw_effects, draw_pareto
from tracking.record import SweepInfo, SweepRecord
from tracking.report.html import figure, table
from tracking.units import WORDS, unit_of

SHOWN = 20  # rows of a table; a search has hundreds of masks
HEADING = "Which set is best"
TIES = (
    "95 %: interval of the distance, by the spread of all together, once the choice of the best is allowed for; "
    "chosen: how often it wins when the images are drawn anew; p: corrected t with the spread of all masks together, "
    "times the number of pairs."
)
READING = (
    "How to read it: a mask that ties was not shown to be worse, which is not the same as being as good; with few "
    "folds much ties. The chosen column and the corrected score allow for the luck of the images, not for that of one "
    "training: seeds do that."
)
PRICE = (
    "Dice of every candidate against its price; joined: those that nothing as cheap scores higher than. The scores "
    "are those measured, so the upper end looks better than it is."
)
EFFECTS = "Filled: the 95 % interval (corrected resampled t over folds) excludes 0; grey band: ± 0.01 Dice."


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


def answer_of(record: SweepRecord) -> BestMask | None:
    """The answer of a sweep that searched sets of blocks, or measured more masks than a table can show; None for one
    that compared a short list, and with fewer than two masks done.
    """
    search = dict(record.info.spec.get("search") or {})
    masks = {trial.info.candidate.mask for trial in record.finished if trial.info.role == "trial"}
    if search.get("space") != "subsets" and len(masks) <= 2 * SHOWN:
        return None
    return best_mask(read(record))


def best_mask_view(answer: BestMask, unit: str = "block") -> BestMaskView:
    """The answer as a page shows it, short for any number of masks; `unit`: what masks count."""
    mark = stamp(answer.synthetic)
    smoothed = answer.smoothed.sentence if answer.smoothed else ""
    return BestMaskView(
        sentences=tuple(words for words in (answer.sentence, smoothed, cheapest_choice(answer)) if words),
        ties=tie_table(answer, SHOWN, tests=True),
        ties_caption=f"{len(answer.tied)} of {answer.candidates}. {TIES}",
        price=Drawing(draw_pareto(answer, "parameters", mark), PRICE),
        fronts=tuple(front_table(answer, price, SHOWN) for price in PRICES),
        effects=_effects_view(answer.effects, mark, unit) if answer.effects else None,
        importance=answer.importance.sentence,
        notes=(*answer.notes, READING),
    )


def answer_section(answer: BestMask, unit: str = "block") -> str:
    """The section as HTML."""
    view = best_mask_view(answer, unit)
    body = "\n".join(_parts(view, answer.synthetic))
    return f"<section>\n<h2>{HEADING}</h2>\n{body}\n</section>"


def answer_files(answer: BestMask, info: SweepInfo) -> Mapping[str, bytes]:
    """file name -> bytes of the answer's figures, as SVG and PNG; what cannot be drawn is left out."""
    mark, files = stamp(answer.synthetic), {}
    forms: tuple[Form, ...] = ("svg", "png")
    for form in forms:
        for price in PRICES:
            if answer.pareto.of(price):
                files[f"pareto-{price}.{form}"] = draw_pareto(answer, price, mark, form)
        if answer.effects:
            files[f"effects.{form}"] = draw_effects(answer.effects, mark, form, WORDS[unit_of(info.spec)])
    return files


def _effects_view(effects: MeasuredEffects, mark: str, unit: str) -> EffectsView:
    drawing = Drawing(draw_effects(effects, mark, unit=unit), f"{' '.join(effects.sentences)} {EFFECTS}")
    return EffectsView(drawing, effect_table(effects), pair_table(effects), not_told_apart(effects))


def _parts(view: BestMaskView, synthetic: bool) -> Iterator[str]:
    for sentence in view.sentences:
        yield _paragraph(sentence)
    yield _table(view.ties, synthetic, f", {view.ties_caption}")
    yield figure("", view.price.svg, view.price.caption, synthetic)
    for front in view.fronts:
        yield _table(front, synthetic)
    if view.effects:
        yield figure("", view.effects.figure.svg, view.effects.figure.caption, synthetic)
        yield _table(view.effects.effects, synthetic)
        if view.effects.pairs:
            yield _table(view.effects.pairs, synthetic)
        if view.effects.confounded:
            yield _paragraph(view.effects.confounded)
    else:
        yield _paragraph("No block effects: these masks never vary one block without another.")
    yield _paragraph(view.importance)
    for note in view.notes:
        yield f"<p class=note>{escape(note)}</p>"


def _paragraph(words: str) -> str:
    return f"<p>{escape(words)}</p>"


def _table(shown: Table, synthetic: bool, caption: str = "") -> str:
    more = f" And {shown.left:,} more: thaw best --format json." if shown.left > 0 else ""
    stop = "" if caption else "."
    return table(shown.heads, shown.rows, f"{shown.title}{caption}{stop}{more}", synthetic, "sortable")

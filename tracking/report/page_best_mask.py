"""The page's section "Which set is best" for a sweep that searched sets of blocks, and the same as files."""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape

from tracking.analysis.formatting import mask_name, number
from tracking.best_mask.answer import answer_object
from tracking.best_mask.sentences import percent, setting_words, span
from tracking.figures.canvas import Form, stamp
from tracking.figures.effects import draw_effects, draw_pareto
from tracking.record import Json, SweepInfo, SweepRecord
from tracking.report.html import figure, table
from tracking.units import WORDS, unit_of
from trainer.errors import UserError

SHOWN = 20  # rows of a table; a search has hundreds of masks


def answer_of(record: SweepRecord) -> Json | None:
    """The answer of a sweep that searched sets of blocks, or measured more masks than a table can show; null for one
    that compared a short list, and with fewer than two masks done.
    """
    search = dict(record.info.spec.get("search") or {})
    masks = {one.info.candidate.mask for one in record.finished if one.info.role == "trial"}
    if len(masks) < 2 or (search.get("space") != "subsets" and len(masks) <= 2 * SHOWN):
        return None
    try:
        return answer_object(record)
    except UserError:
        return None


def answer_section(found: Json, unit: str = "block") -> str:
    """Sentence, ties, price and effects of an answer (`tracking.best_mask.answer`), short for any number of masks."""
    synthetic, mark = found["synthetic"], stamp(found["synthetic"])
    parts = [f"<p>{escape(found['sentence'])}</p>", _ties(found)]
    caption = (
        "Dice of every candidate against its price; joined: those that nothing as cheap scores higher than. The scores "
        "are those measured, so the upper end looks better than it is."
    )
    parts.append(figure("", draw_pareto(found, "parameters", mark), caption, synthetic))
    if found["effects"]:
        words = " ".join(found["effects"]["sentences"])
        caption = (
            f"{words} Filled: the 95 % interval (corrected resampled t over folds) excludes 0; grey band: ± 0.01 Dice."
        )
        parts.append(figure("", draw_effects(found["effects"], mark, unit=unit), caption, synthetic))
    if found["importance"]:
        parts.append(f"<p>{escape(found['importance']['sentence'])}</p>")
    parts += [f"<p class=note>{escape(note)}</p>" for note in found["notes"]]
    return "<section>\n<h2>Which set is best</h2>\n" + "\n".join(parts) + "\n</section>"


def answer_files(found: Json, info: SweepInfo) -> Mapping[str, bytes]:
    """file name -> bytes of the answer's pictures, as SVG and PNG; what cannot be drawn lacks."""
    mark, files = stamp(found["synthetic"]), {}
    forms: tuple[Form, ...] = ("svg", "png")
    for form in forms:
        for price in ("parameters", "seconds"):
            if found["pareto"][price]:
                files[f"pareto-{price}.{form}"] = draw_pareto(found, price, mark, form)
        if found["effects"]:
            files[f"effects.{form}"] = draw_effects(found["effects"], mark, form, WORDS[unit_of(info.spec)])
    return files


def _ties(found: Json) -> str:
    several = len(found["settings"]) > 1
    heads = ["mask, cheapest first", *(["setting"] if several else []), "parameters", "share", "Dice",
             "behind the best", "distance", "chosen"]  # fmt: skip
    best = found["best"]
    tied = [one for one in found["compared"] if one["tied"]]
    rows = [
        [mask_name(one), *([setting_words(one)] if several else []), f"{one['trainable_params']:,}",
         percent(one["share"]), number(one["dice"]), number(one["behind"]), span(one),
         "" if math.isnan(one["chosen"]) else f"{100 * one['chosen']:.0f} %"]
        for one in tied[:SHOWN]
    ]  # fmt: skip
    more = f" And {len(tied) - SHOWN:,} more: thaw best --format json." if len(tied) > SHOWN else ""
    caption = (
        f"{mask_name(best)} and what ties with it, {len(tied)} of {found['candidates']}.{more} distance: 95 % "
        "interval, by the spread of all together, once the choice of the best is allowed for; chosen: how often it "
        "wins when the images are drawn anew."
    )
    return table(heads, rows, caption, found["synthetic"], "sortable")

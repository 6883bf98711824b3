"""The page's section on choosing: which mask to take, what ties with it, and the cheap choice."""

from __future__ import annotations

from markupsafe import Markup

from tracking.analysis.formatting import mask_name, noise_words, number, p_value, winner_sentences
from tracking.record import Json
from tracking.report.html import paragraph, section, table
from tracking.summary.sweep import SweepSummary
from tracking.summary.wording import noise_heads


def choice_section(summary: SweepSummary) -> Markup:
    """Winner, ties, the cheap choice, the drawn masks."""
    choice = summary.choice
    parts = [paragraph(sentence) for sentence in winner_sentences(choice)]
    if choice:
        heads = ["mask, cheapest first", "parameters", "Dice", "behind the best", *noise_heads(summary),
                 "p (all pairs)", "tied", "chosen"]  # fmt: skip
        shares = {one["mask"]: one["chosen"] for one in (choice["winner"] or {"frequencies": []})["frequencies"]}
        rows = []
        for one in choice["compared"]:
            share = shares.get(one["mask"], 0)
            first = one["mask"] == choice["best"]["mask"]
            noise = behind_noise(one, summary)
            behind = [number(one["behind"]), *noise, p_value(one["p_adjusted"])] if not first else ["", *noise, ""]
            tied = "the best" if first else "tied" if one["tied"] else ""
            rows.append([mask_name(one), f"{one['trainable_params']:,}", number(one["dice"]), *behind, tied,
                         f"{100 * share:.0f} %" if choice["winner"] else ""])  # fmt: skip
        caption = (
            "Every mask against the best. p: corrected t with the spread of all masks together, times the number of "
            "pairs. chosen: how often the mask wins when the images are drawn anew."
        )
        parts.append(table(heads, rows, caption, summary.data.synthetic, "sortable"))
        parts.append(
            Markup(
                "<p class=note>How to read it: a mask that is <em>tied</em> was not shown to be worse, which is not "
                "the same as being as good; with few folds much ties. The chosen column and the corrected score allow "
                "for the luck of the images, not for that of one training: seeds do that.</p>"
            )
        )
    if summary.parameters:
        parts.append(paragraph(summary.parameters.note))
    return section("Which mask to take", parts)


def behind_noise(one: Json, summary: SweepSummary) -> list[str]:
    """How far another seed moves a mask's distance from the best."""
    if not noise_heads(summary):
        return []
    return ["" if one["noise"] is None else noise_words(one["noise"]["sd"], one["noise"]["se"])]

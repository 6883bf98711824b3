"""The page's sections on the noise floor and on what augmenting before splitting would have shown."""

from __future__ import annotations

from html import escape

from tracking.analysis.formatting import (
    COMPARISONS,
    HEADS,
    is_main,
    leakage_heads,
    leakage_rows,
    name_of,
    number,
    trial_cells,
)
from tracking.record import Json
from tracking.report.html import table


def differences_table(found: Json, synthetic: bool) -> str:
    """How far another seed moves the co-primary differences; empty where trials were not repeated."""
    given = [(title, found["comparison"][key]) for key, title in COMPARISONS.items() if found["comparison"][key]]
    rows = [
        [title, f"{one['mean']:+.4f}", f"±{number(one['noise']['sd'], 4)}", number(one["noise"]["se"], 4),
         " · ".join(f"{value:+.4f}" for value in one["noise"]["per_seed"])]
        for title, one in given
        if one["noise"]
    ]  # fmt: skip
    if not rows:
        return ""
    caption = "How far another training seed moves them (see “The noise floor”)."
    return table(["difference in Dice", "mean", "SD over seeds", "SE", "with each seed"], rows, caption, synthetic)


def noise_section(found: Json, synthetic: bool) -> str:
    """How far another seed moves the numbers, mask by mask, or how to measure it."""
    noise = found["noise"]
    if not found["trials"]:
        return ""
    parts = [f"<p>{escape(noise['sentence'])}</p>"]
    rows = [
        [name_of(one), number(one["dice"]["mean"]), number(one["noise"]["sd"]), number(one["noise"]["se"]),
         " · ".join(map(number, one["noise"]["per_seed"]))]
        for one in found["trials"]
        if one["noise"] and is_main(one, found)
    ]  # fmt: skip
    if rows:
        seeds = ", ".join(map(str, noise["seeds"]))
        caption = (
            f"Every trial trained once with each of the seeds {seeds}, on the same folds. A fold's and an image's "
            "score is the mean over the seeds; SD over seeds (n − 1) of the mean Dice, SE = SD / √seeds."
        )
        heads = ["mask", "Dice", "SD over seeds", "SE", "Dice with each seed"]
        parts.append(table(heads, rows, caption, synthetic, "sortable"))
        parts.append(
            "<p class=note>How to read it: the seed draws the augmented copies, the order of the batches, the dropout "
            "and fresh weights. <em>Seed SD</em> beside a difference is the spread of that same difference over the "
            "seeds, both sides of one seed: a difference well below it is not worth reporting from one training. It is "
            "described, not tested; the tests allow for the folds.</p>"
        )
    if noise["others"]:
        left_out = escape(", ".join(noise["others"]))
        parts.append(
            f'<p class="gap">Left out, for their seeds are not in the plan or not done for every mask: {left_out}.</p>'
        )
    return "<section>\n<h2>The noise floor</h2>\n" + "\n".join(parts) + "\n</section>"


def leakage_section(found: Json, synthetic: bool) -> str:
    """The inflation beside the honest number, and the leaky trials in a table of their own."""
    leakage = found["leakage"]
    if not leakage:
        return ""
    parts = [f"<p><strong>{escape(leakage['sentence'])}</strong> {escape(leakage['detail'])}</p>"]
    if leakage["compared"]:
        caption = (
            "Dice of each mask on both splits, otherwise trained alike. By image: mean over the original images of the "
            "Dice of an image's scored versions on the leaky split, minus its honest Dice; its interval is descriptive."
        )
        parts.append(table(leakage_heads(found), leakage_rows(found), caption, synthetic, "sortable"))
    caption = "Leaky trials. They enter no curve, no comparison and no choice. ± is the SD over folds (n − 1)."
    parts.append(table(HEADS, map(trial_cells, leakage["trials"]), caption, synthetic, "sortable"))
    if leakage["without_honest"]:
        names = ", ".join(leakage["without_honest"])
        parts.append(f'<p class="gap">Without an honest trial beside it: {escape(names)}.</p>')
    parts.append(
        "<p class=note>How to read it: when all images are augmented first and split afterwards, copies of one image "
        "are trained on and scored, so the score says how well images are remembered. The interval draws the images "
        "anew and describes these networks only.</p>"
    )
    return "<section>\n<h2>If the images were augmented before the split</h2>\n" + "\n".join(parts) + "\n</section>"

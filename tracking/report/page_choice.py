"""The page's sections on choosing: which mask to take, how it does image by image, what more epochs bring."""

from __future__ import annotations

import math
from html import escape

from tracking.analysis.formatting import (
    comparison_cells,
    convergence_sentence,
    is_shown,
    mask_name,
    name_of,
    noise_cells,
    noise_heads,
    number,
    p_value,
    winner_sentences,
)
from tracking.record import Json
from tracking.report.html import table

MOST = 100  # rows of the table of images' scores


def choice_section(found: Json, synthetic: bool) -> str:
    """Winner, ties, the cheap choice, the drawn masks."""
    choice = found["choice"]
    parts = [f"<p>{escape(sentence)}</p>" for sentence in winner_sentences(found)]
    if choice:
        heads = ["mask, cheapest first", "parameters", "Dice", "behind the best", *noise_heads(found), "p (all pairs)",
                 "tied", "chosen"]  # fmt: skip
        shares = {one["mask"]: one["chosen"] for one in (choice["winner"] or {"frequencies": []})["frequencies"]}
        rows = []
        for one in choice["compared"]:
            share = shares.get(one["mask"], 0)
            first = one["mask"] == choice["best"]["mask"]
            noise = noise_cells(one, found)
            behind = [number(one["behind"]), *noise, p_value(one["p_adjusted"])] if not first else ["", *noise, ""]
            tied = "the best" if first else "tied" if one["tied"] else ""
            rows.append([mask_name(one), f"{one['trainable_params']:,}", number(one["dice"]), *behind, tied,
                         f"{100 * share:.0f} %" if choice["winner"] else ""])  # fmt: skip
        caption = (
            "Every mask against the best. p: corrected t with the spread of all masks together, times the number of "
            "pairs. chosen: how often the mask wins when the images are drawn anew."
        )
        parts.append(table(heads, rows, caption, synthetic, "sortable"))
        parts.append(
            "<p class=note>How to read it: a mask that is <em>tied</em> was not shown to be worse, which is not the "
            "same as being as good; with few folds much ties. The chosen column and the corrected score allow for the "
            "luck of the images, not for that of one training: seeds do that.</p>"
        )
    if found["parameters"]:
        parts.append(f"<p>{escape(found['parameters']['note'])}</p>")
    return "<section>\n<h2>Which mask to take</h2>\n" + "\n".join(parts) + "\n</section>" if parts else ""


def per_image_section(found: Json, synthetic: bool) -> str:
    """Interval over images, worst tenth, failures, and the images to look at."""
    shown = [one for one in found["trials"] if one["per_image"]["n"] and is_shown(one, found)]
    if not shown:
        return ""
    left = len(shown) - MOST
    if left > 0:
        shown = sorted(shown, key=lambda one: -one["dice"]["mean"])[:MOST]
    heads = ["mask", "images", "Dice", "95 % over images", "worst tenth", "below 0.1", "pooled Dice"]
    rows = []
    for one in shown:
        per = one["per_image"]
        rows.append([name_of(one), str(per["n"]), number(per["mean"]), f"{number(per['low'])} to {number(per['high'])}",
                     number(per["worst_decile"]), str(per["failures"]), number(one["dice_pooled"])])  # fmt: skip
    caption = (
        "Every image predicted by the fold that did not train on it. Worst tenth: mean Dice of the lowest 10 % of the "
        "images; below 0.1: images in which the target was missed; pooled: all pixels as one image."
        + (f" The best {MOST}; {left} more: thaw report --format csv." if left > 0 else "")
    )
    parts = [table(heads, rows, caption, synthetic, "sortable")]
    parts.append(
        "<p class=note>The interval over images is descriptive: it says how far the mean would move with other images "
        "under these trained networks, and leaves out that other training images give other networks. Do not compare "
        "masks by whether these intervals overlap: the masks share their images.</p>"
    )
    if found["cases"]:
        rows = [[one["rule"], one["image"], number(one["contracting"], 2), number(one["expanding"], 2)]
                for one in found["cases"]]  # fmt: skip
        caption = (
            "Images to look at, chosen by rule (best, median and worst of the mean of both masks, largest "
            "disagreement), with their Dice: those of figure 3."
        )
        parts.append(table(["rule", "image", "contracting", "expanding"], rows, caption, synthetic, "left"))
    return "<section>\n<h2>Image by image</h2>\n" + "\n".join(parts) + "\n</section>"


def convergence_section(found: Json, synthetic: bool) -> str:
    """What each larger budget changed, mask by mask."""
    parts = []
    for step in found["convergence"]:
        parts.append(f"<p>{escape(convergence_sentence(step, found))}</p>")
        rows = []
        for one in step["masks"]:
            cells = comparison_cells(one)
            rows.append([mask_name(one), *cells[:2], *noise_cells(one, found), p_value(one["p"]), cells[3]])
        heads = ["mask", f"Dice at {step['to']} − at {step['from']} epochs", "95 % interval", *noise_heads(found), "p",
                 f"Holm p ({sum(not math.isnan(one['p']) for one in step['masks'])})"]  # fmt: skip
        caption = f"What {step['to']} epochs change over {step['from']}, in the same folds."
        parts.append(table(heads, rows, caption, synthetic, "sortable"))
    if not parts:
        return ""
    parts.append(
        "<p class=note>How to read it: a mask that still gains was not trained out, so its place on the curve is a "
        "lower bound; one that loses is past its best. Both trainings of a row are one and the same up to the smaller "
        "budget.</p>"
    )
    return "<section>\n<h2>Was it trained long enough?</h2>\n" + "\n".join(parts) + "\n</section>"

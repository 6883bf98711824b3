"""The HTML report: one self-contained page, verdict first, nothing loaded from a network, printable."""

from __future__ import annotations

import json
import math
from html import escape

from tracking.analysis.formatting import (
    COMPARISONS,
    HEADS,
    comparison_cells,
    counted,
    is_main,
    is_shown,
    name_of,
    noise_cells,
    noise_heads,
    number,
    p_value,
    setting,
    trial_cells,
)
from tracking.analysis.seeds import Repeats
from tracking.best_mask.answer import BestMask
from tracking.figures.canvas import stamp
from tracking.figures.curves import draw_comparisons, draw_cost, draw_curves
from tracking.figures.figure_data import baselines_of, comparison_rows, cost_points, curves_of
from tracking.record import Json, SweepRecord
from tracking.report.html import document, figure, image, table
from tracking.report.page_best_mask import answer_section
from tracking.report.page_choice import choice_section, convergence_section, per_image_section
from tracking.report.page_seeds import differences_table, leakage_section, noise_section
from tracking.report.paper_figures import study_figures
from tracking.report.shown_images import shown_trials
from tracking.units import unit_word

MOST = 100  # rows of the table of trials


def html(record: SweepRecord, found: Json, answer: BestMask | None = None) -> str:
    """The page for a sweep and its `summarise`d numbers; `answer` (`page_best_mask.answer_of`) takes the place of the
    verdict and of the table of all masks.
    """
    synthetic = bool(found["data"]["synthetic"])
    parts = [
        _head(found, answer),
        _data(found),
        _curves(found, synthetic),
        _comparisons(found, synthetic),
        noise_section(found, synthetic),
        answer_section(answer, unit_word(found)) if answer else choice_section(found, synthetic),
        _figures(record, found, synthetic),
        "" if answer else _cost(found, synthetic),  # the answer has its own picture of it
        _trials(found, synthetic),
        _by_class(found, synthetic),
        per_image_section(found, synthetic),
        convergence_section(found, synthetic),
        leakage_section(found, synthetic),
        _gaps(found),
        _repeat(found),
    ]
    return document(f"{found['sweep']}: which {unit_word(found)}s to fine-tune", parts, synthetic)


def _head(found: Json, answer: BestMask | None) -> str:
    word, _, sentence = (answer.sentence if answer else found["verdict"]["sentence"]).partition(": ")
    state = "" if found["finished"] else " · not finished"
    kicker = f"Sweep “{found['sweep']}” · {setting(found)} · {len(found['folds'])} folds{state}"
    return (
        f'<header>\n<p class="kicker">{escape(kicker)}</p>\n<h1>{escape(word)}</h1>\n'
        f'<p class="verdict">{escape(sentence[:1].upper() + sentence[1:])}</p>\n</header>'
    )


def _data(found: Json) -> str:
    data = found["data"]
    counts = [("images", data["images"]), ("groups", data["groups"]), ("near-duplicates", data["duplicates"]),
              ("empty masks", data["empty_masks"])]  # fmt: skip
    counts += [(f"{label}", count) for label, count in sorted((data.get("classes") or {}).items()) if label]
    facts = "".join(f"<div><dt>{escape(str(name))}</dt><dd>{value}</dd></div>" for name, value in counts)
    statement = escape(data["statement"]).replace("SYNTHETIC data", "<strong>SYNTHETIC data</strong>", 1)
    return f'<section class="data">\n<p>{statement}</p>\n<dl class="facts">{facts}</dl>\n</section>'


def _curves(found: Json, synthetic: bool) -> str:
    curves = curves_of(found)
    if not curves:
        return ""
    scratch = found["baselines"]["scratch"]
    aside = ""
    if scratch and scratch["epochs"] != found["main"]["epochs"]:
        aside = f" The from-scratch line was trained for {scratch['epochs']} epochs."
    caption = (
        f"Figure 4: Dice against the number of tuned {unit_word(found)}s ({setting(found)}). Filled marks: mean over "
        f"{len(found['folds'])} folds; bars: ± 1 SD over folds (n − 1); open marks: every fold. Horizontal lines: the "
        f"baselines.{aside}"
    )
    drawn = draw_curves(curves, baselines_of(found), stamp=stamp(synthetic), unit=unit_word(found))
    return figure("The two directions", drawn, caption, synthetic, "directions")


def _comparisons(found: Json, synthetic: bool) -> str:
    comparison = found["comparison"]
    given = {key: comparison[key] for key in COMPARISONS if comparison[key] is not None}
    lacking = ""
    if comparison["missing"]:
        names = ", ".join(comparison["missing"])
        lacking = f'<p class="gap">Not measured, so missing from a comparison: {escape(names)}.</p>'
    if not given:
        return (
            f"<section>\n<h2>Comparisons</h2>\n{lacking or '<p>None of the masks to compare is here.</p>'}\n</section>"
        )
    heads = ["difference in Dice", "mean", "95 % interval", "p", "Holm p", "P(> 0.01)", "P(± 0.01)", "P(< −0.01)"]
    rows = [[COMPARISONS[key], *comparison_cells(one)] for key, one in given.items()]
    compared = table(heads, rows, "The two co-primary comparisons.", synthetic) + differences_table(found, synthetic)
    caption = (
        "Diamond: mean difference over folds; line: its corrected 95 % interval; ticks: the folds. "
        "The grey band is ± 0.01 Dice, a difference of no practical use."
    )
    drawn_as = figure("", draw_comparisons(comparison_rows(found), stamp=stamp(synthetic)), caption, synthetic)
    parts = [compared, lacking, drawn_as, _reading(next(iter(given.values()))), _by_depth(found, synthetic)]
    return "<section>\n<h2>How sure is it?</h2>\n" + "\n".join(part for part in parts if part) + "\n</section>"


def _reading(first: Json) -> str:
    """How to read the comparisons, and how small a difference this sweep could have found."""
    reach = ""
    if not math.isnan(first["low"]):
        reach = (
            f" With this spread a mean difference of {number(first['threshold'])} Dice or more in the first comparison "
            f"would be significant, and a true one of {number(first['detectable'])} would be found four times in five."
        )
    return (
        "<p>Folds share training images, so a plain t-test would be too sure of itself: the corrected resampled t-test "
        "(Nadeau and Bengio, 2003) multiplies the variance of the fold differences by 1/n + n<sub>test</sub>/"
        "n<sub>train</sub> instead of 1/n. Both comparisons were fixed in advance; <em>Holm p</em> allows for there "
        "being two. P(&gt; 0.01), P(± 0.01) and P(&lt; −0.01) say how probable it is, given these folds and no earlier "
        "opinion, that the true difference is a gain of more than 0.01 Dice for the shallow side, practically nothing, "
        f"or a loss.{reach}</p>"
    )


def _by_depth(found: Json, synthetic: bool) -> str:
    rows = []
    for one in found["comparison"]["by_depth"]:
        cells = comparison_cells(one)
        rows.append([f"{one['depth']}", *cells[:2], *noise_cells(one, found), p_value(one["p"]), cells[3]])
    if not rows:
        return ""
    heads = ["k", "shallow-k − deep-k", "95 % interval", *noise_heads(found), "p", f"Holm p ({len(rows)})"]
    caption = f"Secondary: the two directions at equal numbers of tuned {unit_word(found)}s."
    return table(heads, rows, caption, synthetic)


def _figures(record: SweepRecord, found: Json, synthetic: bool) -> str:
    """The study's figures; without predictions, the montages that older sweeps have of both masks."""
    parts = []
    drawn = {one.number: one for one in study_figures(record, found)}
    for place, one in drawn.items():
        caption = f"Figure {place}: {one.title}. {one.caption}"
        if place == 4:
            parts.append('<p><a href="#directions">Figure 4</a>, the two directions: at the head of this page.</p>')
        elif place == 2:
            parts.append(figure("", one.draw("inline"), caption, synthetic))
        else:
            parts.append(image(one.draw("page"), one.alt, caption, synthetic))
    if 3 not in drawn:
        parts += _montages(record, synthetic)
    parts += [f'<p class="gap">{escape(note)}</p>' for note in record.seen.notes]
    return "<section>\n<h2>The figures</h2>\n" + "\n".join(parts) + "\n</section>" if parts else ""


def _montages(record: SweepRecord, synthetic: bool) -> list[str]:
    return [
        image(
            trial.montage,
            f"Validation images, truth and prediction, {name} tuned",
            f"{name.capitalize()} tuned ({trial.info.candidate.name}). Second row: the truth. Third row: the "
            "prediction of the fold that did not train on the image, with the truth dashed.",
            synthetic,
        )
        for name, trial in shown_trials(record, Repeats()).items()
        if trial.montage is not None
    ]


def _cost(found: Json, synthetic: bool) -> str:
    points = cost_points(found)
    if not points:
        return ""
    caption = (
        f"Mean Dice against the number of trained parameters ({setting(found)}); the labels are the tuned "
        f"{unit_word(found)}s, where there is room for one."
    )
    return figure("What it costs", draw_cost(points, stamp=stamp(synthetic)), caption, synthetic)


def _trials(found: Json, synthetic: bool) -> str:
    main = [one for one in found["trials"] if one["role"] == "trial" and is_main(one, found)]
    base = [one for one in found["trials"] if one["role"] != "trial" and is_shown(one, found)]
    rest = [one for one in found["trials"] if not is_shown(one, found)]
    tables = []
    if main or base:
        caption = f"Trials at {setting(found)}, then the baselines. ± is the SD over folds (n − 1); SEM = SD / √n."
        if len(main) > MOST:
            caption += f" The best {MOST} of {len(main)}; all of them: thaw report --format csv."
            main = sorted(main, key=lambda one: -one["dice"]["mean"])[:MOST]
        tables.append(table(HEADS, map(trial_cells, main + base), caption, synthetic, "sortable filterable"))
    if len(main) > 2:
        tables.append(
            "<p class=note>The highest of many scores is partly luck: the best row looks better here than it "
            "will be on new images (see “Which mask to take”). The two comparisons were fixed in advance and do not "
            "suffer from that.</p>"
        )
    if rest:
        tables.append(table(HEADS, map(trial_cells, rest), "Other budgets and learning rates.", synthetic, "sortable"))
    return "<section>\n<h2>All trials</h2>\n" + "\n".join(tables) + "\n</section>" if tables else ""


def _by_class(found: Json, synthetic: bool) -> str:
    trials = [one for one in found["trials"] if one["by_class"] and is_shown(one, found)]
    labels = sorted({label for one in trials for label in one["by_class"]})
    if not trials or (len(labels) < 2 and not any(one["empty_truths"] for one in trials)):
        return ""
    sizes = {label: max(one["by_class"].get(label, {"images": 0})["images"] for one in trials) for label in labels}
    heads = ["mask", *(f"{label} ({sizes[label]})" for label in labels)]
    empty = max(one["empty_truths"] for one in trials)
    caption = "Dice by class: mean over the images of the class."
    if empty:
        heads.append("false-positive area %")
        caption += f" Where the truth is empty ({counted(empty, 'image')}) there is no Dice, but a false-positive area."
    rows = []
    for one in trials:
        row = [name_of(one), *(number(one["by_class"].get(label, {"dice": math.nan})["dice"]) for label in labels)]
        row += [number(one["false_positive_percent"], 2)] if empty else []
        rows.append(row)
    return f"<section>\n<h2>By class</h2>\n{table(heads, rows, caption, synthetic, 'sortable')}\n</section>"


def _gaps(found: Json) -> str:
    blocks = [
        ("Left out of the data", found["data"].get("notes", [])),
        ("Failed trials", [f"{one['name']}: {one['reason']}" for one in found["failed"]]),
        ("Unfinished trials", [f"{one['name']}: {one['folds_done']} of {len(found['folds'])} folds done"
                               for one in found["unfinished"]]),
        ("Dropped early", [found["dropped"]["sentence"]] if found["dropped"] else []),
        ("Not begun", found["missing"]),
    ]  # fmt: skip
    parts = [
        f"<h3>{title}</h3>\n<ul>{''.join(f'<li>{escape(str(item))}</li>' for item in items)}</ul>"
        for title, items in blocks
        if items
    ]
    return "<section>\n<h2>What is not in these numbers</h2>\n" + "\n".join(parts) + "\n</section>" if parts else ""


def _repeat(found: Json) -> str:
    provenance, weights = found["provenance"], found["weights"]
    facts = [("commit", provenance["commit"]), ("seed", found["seed"]), ("digest", found["digest"][:16]),
             ("data digest", str(found["data"].get("digest", ""))[:16]),
             ("starting weights", f"{weights.get('source', '')} ({str(weights.get('digest', ''))[:12]})"),
             ("begun", provenance["started"]), ("MLflow run", provenance["run_id"])]  # fmt: skip
    facts += [(name, version) for name, version in sorted(provenance["versions"].items())]
    rows = "".join(f"<div><dt>{escape(str(key))}</dt><dd>{escape(str(value))}</dd></div>" for key, value in facts)
    spec = escape(json.dumps(found["settings"], indent=2, sort_keys=True))
    return (
        f"<section>\n<h2>How to repeat it</h2>\n<pre>{escape(provenance['command'])}</pre>\n"
        f'<dl class="facts small">{rows}</dl>\n<details><summary>The whole spec</summary><pre>{spec}</pre></details>\n'
        "</section>"
    )

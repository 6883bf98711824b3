"""A sweep as a report: JSON, CSV, Markdown, one HTML page, or a table for the terminal; from a `SweepRecord` alone."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Mapping
from typing import Any, Literal, get_args

from tracking.analysis.formatting import (
    COMPARISONS,
    HEADS,
    SYNTHETIC,
    cheap_choice,
    comparison_cells,
    convergence_sentence,
    counted,
    is_shown,
    leakage_heads,
    leakage_rows,
    mask_name,
    name_of,
    noise_cells,
    noise_heads,
    number,
    orders_of,
    p_value,
    score_cells,
    setting,
    trial_cells,
    winner_sentences,
)
from tracking.analysis.seeds import read
from tracking.analysis.summary import summarise
from tracking.analysis.two_sweeps import versus
from tracking.figures.canvas import Form
from tracking.figures.figure_data import figure_files
from tracking.record import METRICS, Json, SweepRecord
from tracking.report.page import html
from tracking.report.page_best_mask import answer_of
from tracking.report.page_two_sweeps import versus_files, versus_html, versus_markdown
from tracking.report.paper_figures import study_figures
from trainer.errors import UserError

Format = Literal["html", "json", "csv", "markdown"]
PER_IMAGE = ("low", "high", "worst_decile", "failures")
SUFFIX: Mapping[str, str] = {"html": ".html", "json": ".json", "csv": ".csv", "markdown": ".md"}


def render(record: SweepRecord, form: str = "html") -> str:
    """The report in one of the formats `html`, `json`, `csv`, `markdown`."""
    if form not in get_args(Format):
        raise UserError(f"Unknown report format {form!r}. Formats: {', '.join(get_args(Format))}.")
    found = summarise(record)
    if form == "html":
        return html(read(record).honest, found, answer_of(record))
    write: Mapping[str, Callable[[Json], str]] = {"json": to_json, "csv": to_csv, "markdown": to_markdown}
    return write[form](found)


def render_two(first: SweepRecord, second: SweepRecord, form: str = "html") -> str:
    """Two sweeps side by side in one of the same formats. Raises `UserError` when they cannot be compared."""
    if form not in get_args(Format):
        raise UserError(f"Unknown report format {form!r}. Formats: {', '.join(get_args(Format))}.")
    found = versus(first, second)
    if form == "csv":  # both tables, one below the other; the last column says whose row it is
        return to_csv(*found["sweeps"])
    write: Mapping[str, Callable[[Json], str]] = {"html": versus_html, "json": to_json, "markdown": versus_markdown}
    return write[form](found)


def figures(record: SweepRecord) -> Mapping[str, bytes]:
    """file name -> bytes of the study's figures and the report's others, as SVG and PNG files."""
    found = summarise(record)
    forms: tuple[Form, ...] = ("svg", "png")
    drawn = {f"{one.file}.{form}": one.draw(form) for one in study_figures(record, found) for form in forms}
    return drawn | dict(figure_files(found))


def figures_of_two(first: SweepRecord, second: SweepRecord) -> Mapping[str, bytes]:
    """file name -> bytes of figure 4 with both sweeps, and of their comparisons, as SVG and PNG files."""
    return versus_files(versus(first, second))


def to_json(found: Json) -> str:
    """`summarise` as text: keys sorted, full precision, NaN as null, so equal numbers are equal bytes."""
    return json.dumps(_finite(found), indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def to_csv(*sweeps: Json) -> str:
    """One row per trial; the folds of every metric in columns of their own. A missing value is an empty cell."""
    folds = range(1, max(len(found["folds"]) for found in sweeps) + 1)
    plain = ["mask", "role", "start", "split", "order", "depth", "epochs", "learning_rate", "trainable_params"]
    heads = (
        plain
        + ["aliases", "blocks", "train"]
        + [f"{metric}_{part}" for metric in METRICS for part in ("mean", "sd", "sem")]
    )
    heads += [f"{metric}_fold_{fold}" for metric in METRICS for fold in folds]
    heads += ["dice_pooled", *(f"dice_images_{part}" for part in PER_IMAGE)]
    heads += ["seeds", "dice_seed_sd", "synthetic", "sweep"]
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(heads)
    for found in sweeps:
        for trial in (*found["trials"], *(found["leakage"] or {"trials": ()})["trials"]):
            row = [trial[name] for name in plain] + [" ".join(trial["aliases"]), " ".join(map(str, trial["blocks"]))]
            row += [" ".join(f"{name}={value}" for name, value in trial["train"].items())]
            row += [trial[metric][part] for metric in METRICS for part in ("mean", "sd", "sem")]
            row += [value for metric in METRICS for value in trial[metric]["folds"]]
            row += [trial["dice_pooled"], *(trial["per_image"][part] for part in PER_IMAGE)]
            row += [" ".join(map(str, trial["seeds"])), (trial["noise"] or {"sd": None})["sd"]]
            row += [str(found["data"]["synthetic"]).lower(), found["sweep"]]
            writer.writerow([_cell(value) for value in row])
    return buffer.getvalue()


def to_markdown(found: Json) -> str:
    """Verdict, data, comparisons and table, for an issue or a paper's supplement."""
    comparison = found["comparison"]
    lines = [f"# Sweep {found['sweep']}", "", f"**{found['verdict']['sentence']}**", "", found["data"]["statement"], ""]
    lines += [f"- left out: {note}" for note in found["data"].get("notes", [])]
    lines += ["", f"## Comparisons ({setting(found)})", ""]
    lines += _table(
        ["difference in Dice", "mean", "95 % interval", "p", "Holm p", "P(> 0.01)", "P(±0.01)", "P(< −0.01)",
         *noise_heads(found)],
        [
            [name, *comparison_cells(comparison[key]), *noise_cells(comparison[key], found)]
            for key, name in COMPARISONS.items()
            if comparison[key] is not None
        ],
    )  # fmt: skip
    lines += ["", found["noise"]["sentence"], ""]
    lines += _list("Left out, for their seeds are not in the plan or not done for every mask", found["noise"]["others"])
    lines += _list("Missing for a comparison", comparison["missing"])
    lines += _choice(found)
    lines += ["", f"## Trials{' (' + SYNTHETIC + ')' if found['data']['synthetic'] else ''}", ""]
    lines += _table(HEADS, [trial_cells(trial) for trial in found["trials"]])
    lines += ["", "± is the SD over folds (n − 1); SEM = SD / √n.", ""]
    lines += _images(found)
    lines += _leakage(found)
    lines += _list("Failed", [f"{one['name']}: {one['reason']}" for one in found["failed"]])
    lines += _list(
        "Unfinished", [f"{one['name']} ({counted(one['folds_done'], 'fold')} done)" for one in found["unfinished"]]
    )
    lines += _list("Dropped early", [found["dropped"]["sentence"]] if found["dropped"] else [])
    lines += _list("Not begun", found["missing"])
    lines += [
        f"To repeat it: `{found['provenance']['command']}` (seed {found['seed']}, {found['provenance']['commit']})"
    ]
    return "\n".join(lines) + "\n"


def _choice(found: Json) -> list[str]:
    """Which mask to take, the parameters, and whether it was trained long enough."""
    lines = [line for sentence in winner_sentences(found) for line in (sentence, "")]
    if found["choice"]:
        heads = ["mask, cheapest first", "parameters", "Dice", "behind the best", *noise_heads(found), "p (all pairs)",
                 "tied"]  # fmt: skip
        rows = [
            [mask_name(one), f"{one['trainable_params']:,}", number(one["dice"]), number(one["behind"]),
             *noise_cells(one, found), p_value(one["p_adjusted"]), "yes" if one["tied"] else "no"]
            for one in found["choice"]["compared"]
        ]  # fmt: skip
        lines += [*_table(heads, rows), "", "Tied: not shown to be worse, which is not the same as being as good.", ""]
    if found["parameters"]:
        lines += [found["parameters"]["note"], ""]
    if found["trials"]:
        lines += [found["model"]["head_sentence"], ""]
    lines += [line for step in found["convergence"] for line in (convergence_sentence(step, found), "")]
    return ["", "## Which mask to take", "", *lines] if lines else []


def _images(found: Json) -> list[str]:
    heads = ["mask", "images", "Dice", "95 % over images (descriptive)", "worst tenth", "below 0.1", "pooled Dice"]
    rows = [
        [name_of(one), str(per["n"]), number(per["mean"]), f"{number(per['low'])} to {number(per['high'])}",
         number(per["worst_decile"]), str(per["failures"]), number(one["dice_pooled"])]
        for one in found["trials"]
        if is_shown(one, found) and (per := one["per_image"])["n"]
    ]  # fmt: skip
    return ["## Image by image", "", *_table(heads, rows), ""] if rows else []


def _leakage(found: Json) -> list[str]:
    leakage = found["leakage"]
    if not leakage:
        return []
    lines = ["## If the images were augmented before the split", "", f"{leakage['sentence']} {leakage['detail']}", ""]
    if leakage["compared"]:
        lines += [*_table(leakage_heads(found), leakage_rows(found)), ""]
    lines += [*_table(HEADS, [trial_cells(trial) for trial in leakage["trials"]]), ""]
    return lines + _list("Without an honest trial beside it", leakage["without_honest"])


def to_text(found: Json) -> str:
    """Verdict and a table that fits 100 columns, for the terminal. At most the main budget's trials and baselines."""
    shown = [trial for trial in found["trials"] if is_shown(trial, found)]
    rows = [
        [name_of(trial), orders_of(trial), f"{trial['trainable_params']:,}", *score_cells(trial)] for trial in shown
    ]
    heads = ["mask", "order", "parameters", "Dice ± SD", "SEM", "error %", "ARI"]
    widths = [max(len(row[i]) for row in [heads, *rows]) for i in range(len(heads))]
    lines = [SYNTHETIC] if found["data"]["synthetic"] else []
    lines += [f"{found['sweep']}: {setting(found)}, {len(found['folds'])} folds, {found['data']['images']} images", ""]
    for row in [heads, ["-" * width for width in widths], *rows]:
        left = [cell.ljust(width) for cell, width in zip(row[:2], widths[:2], strict=True)]
        lines.append("  ".join(left + [cell.rjust(width) for cell, width in zip(row[2:], widths[2:], strict=True)]))
    others = len(found["trials"]) - len(shown)
    if others:
        lines += ["", f"{counted(others, 'more trial')} at other budgets or rates: in the report."]
    for title, count in (("failed", len(found["failed"])), ("unfinished", len(found["unfinished"])),
                         ("not begun", len(found["missing"]))):  # fmt: skip
        if count:
            lines.append(f"{counted(count, 'trial')} {title}; listed in the report.")
    if found["dropped"]:
        lines.append(found["dropped"]["sentence"])
    if len(found["noise"]["seeds"]) > 1:
        lines.append(found["noise"]["sentence"])
    if found["leakage"]:
        lines.append(found["leakage"]["sentence"])
    if found["choice"]:
        lines += ["", cheap_choice(found["choice"]["one_standard_error"])]
    return "\n".join([*lines, "", found["verdict"]["sentence"]]) + "\n"


def _table(heads: list[str], rows: list[list[str]]) -> list[str]:
    lines = ["| " + " | ".join(heads) + " |", "| " + " | ".join("---" for _ in heads) + " |"]
    return lines + ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]


def _list(title: str, items: list[str]) -> list[str]:
    return [f"{title}:", *(f"- {item}" for item in items), ""] if items else []


def _cell(value: Any) -> Any:
    return "" if value is None or (isinstance(value, float) and not math.isfinite(value)) else value


def _finite(value: Any) -> Any:
    """JSON knows neither NaN nor infinity: both become null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return value

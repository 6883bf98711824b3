"""A sweep in Markdown, for instance for the supplement of a paper."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tracking.analysis.formatting import (
    COMPARISON_HEADS,
    SYNTHETIC,
    comparison_cells,
    counted,
)
from tracking.best_mask.answer import BestMask, answer_sentences
from tracking.best_mask.start_tables import STARTS, start_tables, starts_note
from tracking.best_mask.tables import nested_note, nested_table, tie_table
from tracking.report.page_best_mask import HEADING
from tracking.report.page_images import per_image_cells
from tracking.report.page_nested import NESTED
from tracking.summary.distances_in_words import DISTANCES, distance_cells, distance_heads, distance_sentence
from tracking.summary.external_in_words import EXTERNAL, EXTERNAL_HEADS, EXTERNAL_NOTE, external_cells
from tracking.summary.labelled_images_in_words import (
    GAIN_NOTE,
    LABELLED,
    PAIR_HEADS,
    PAIR_NOTE,
    crossing_sentences,
    gain_heads,
    gain_rows,
    labelled_note,
    pair_rows,
    refusals,
    size_heads,
    size_rows,
)
from tracking.summary.sweep import SweepSummary
from tracking.summary.wording import (
    TRIAL_HEADS,
    convergence_sentence,
    is_shown,
    leakage_heads,
    leakage_rows,
    noise_cells,
    noise_heads,
    setting,
    trial_cells,
)

IMAGE_HEADS = ["mask", "images", "Dice", "95 % over images (descriptive)", "worst tenth", "below 0.1", "pooled Dice"]


def to_markdown(summary: SweepSummary) -> str:
    """Verdict, data, comparisons and tables."""
    data = summary.data
    lines = [f"# Sweep {summary.sweep}", "", f"**{summary.verdict.sentence}**", "", data.statement, ""]
    lines += [f"- {reading}" for reading in data.readings]
    lines += [f"- left out: {note}" for note in data.notes]
    lines += [*_comparisons(summary), *_choice(summary), *_starts(summary), *_nested(summary), *_trials(summary)]
    lines += [*_images(summary), *_distances(summary), *_labelled_images(summary), *_external(summary)]
    lines += [*_leakage(summary), *_gaps(summary), _repeat(summary)]
    return "\n".join(lines) + "\n"


def markdown_table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """The lines of a table; a bar in a cell is escaped."""
    lines = ["| " + " | ".join(heads) + " |", "| " + " | ".join("---" for _ in heads) + " |"]
    return lines + ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]


def _comparisons(summary: SweepSummary) -> list[str]:
    heads = ["difference in Dice", *COMPARISON_HEADS, *noise_heads(summary)]
    rows = [
        [title, *comparison_cells(comparison), *noise_cells(comparison.noise, summary)]
        for title, comparison in summary.comparison.titled
    ]
    lines = ["", f"## Comparisons ({setting(summary)})", "", *markdown_table(heads, rows)]
    lines += ["", summary.noise.sentence, ""]
    if summary.processors and summary.processors.mixed:
        lines += [summary.processors.sentence, ""]
    lines += _bullets(
        "Left out, because their seeds are not planned or not finished for every mask", summary.noise.others
    )
    return lines + _bullets("Missing for a comparison", summary.comparison.missing)


def _choice(summary: SweepSummary) -> list[str]:
    """Which mask to take, the parameters, and whether it was trained long enough."""
    lines = _answer(summary.best_mask) if summary.best_mask else []
    if summary.parameters:
        lines += [summary.parameters.note, ""]
    if summary.trials:
        lines += [summary.model.head_sentence, ""]
    lines += [line for step in summary.convergence for line in (convergence_sentence(step, summary), "")]
    return ["", f"## {HEADING}", "", *lines] if lines else []


def _answer(answer: BestMask) -> list[str]:
    """The answer, all that ties, what each block does, and how to read it."""
    ties = tie_table(answer, len(answer.tied), tests=True)
    before_table = [*answer_sentences(answer), f"{ties.title}, {len(answer.tied)} of {answer.candidates}:"]
    after_table = [*(answer.effects.sentences if answer.effects else ()), answer.importance.sentence, *answer.notes]
    lines = [line for sentence in before_table for line in (sentence, "")]
    lines += [*markdown_table(ties.heads, ties.rows), ""]
    return lines + [line for sentence in after_table for line in (sentence, "")]


def _starts(summary: SweepSummary) -> list[str]:
    starts = summary.best_mask.starts if summary.best_mask else None
    if starts is None:
        return []
    lines = [f"## {STARTS}", "", starts.sentence, ""]
    for table in start_tables(starts):
        lines += [f"{table.title}:", "", *markdown_table(table.heads, table.rows), ""]
    return [*lines, starts_note(starts), ""]


def _nested(summary: SweepSummary) -> list[str]:
    nested = summary.best_mask.nested if summary.best_mask else None
    if nested is None:
        return []
    parts = nested_table(nested)
    return [
        "",
        f"## {NESTED}",
        "",
        nested.sentence,
        "",
        *markdown_table(parts.heads, parts.rows),
        "",
        nested_note(nested),
    ]


def _trials(summary: SweepSummary) -> list[str]:
    lines = ["", f"## Trials{' (' + SYNTHETIC + ')' if summary.data.synthetic else ''}", ""]
    lines += markdown_table(TRIAL_HEADS, map(trial_cells, summary.trials))
    return [*lines, "", "± is the SD over folds (n − 1); SEM = SD / √n.", ""]


def _images(summary: SweepSummary) -> list[str]:
    rows = [per_image_cells(trial) for trial in summary.trials if is_shown(trial, summary) and trial.per_image.n]
    return ["## Image by image", "", *markdown_table(IMAGE_HEADS, rows), ""] if rows else []


def _distances(summary: SweepSummary) -> list[str]:
    rows = [distance_cells(trial) for trial in summary.trials if is_shown(trial, summary)]
    table = markdown_table(distance_heads(summary), rows)
    return [f"## {DISTANCES}", "", distance_sentence(summary), "", *table, ""] if rows else []


def _labelled_images(summary: SweepSummary) -> list[str]:
    labelled = summary.labelled_images
    if labelled is None:
        return []
    lines = [f"## {LABELLED}", "", labelled.sentence, ""]
    if labelled.curves:
        lines += [*markdown_table(size_heads(labelled), size_rows(labelled)), "", labelled_note(summary), ""]
        lines += [*markdown_table(gain_heads(labelled), gain_rows(labelled)), "", GAIN_NOTE, ""]
    lines += [line for sentence in (*crossing_sentences(labelled), *refusals(labelled)) for line in (sentence, "")]
    return [*lines, *markdown_table(PAIR_HEADS, pair_rows(labelled)), "", PAIR_NOTE, ""] if labelled.pairs else lines


def _external(summary: SweepSummary) -> list[str]:
    lines = [f"## {EXTERNAL}", ""] if summary.external else []
    for external in summary.external:
        table = markdown_table(EXTERNAL_HEADS, map(external_cells, external.trials))
        lines += [external.sentence, "", *table, ""]
    return [*lines, EXTERNAL_NOTE, ""] if lines else []


def _leakage(summary: SweepSummary) -> list[str]:
    leakage = summary.leakage
    if not leakage:
        return []
    lines = ["## If the images were augmented before the split", "", f"{leakage.sentence} {leakage.detail}", ""]
    if leakage.compared:
        lines += [*markdown_table(leakage_heads(summary), leakage_rows(leakage, summary)), ""]
    lines += [*markdown_table(TRIAL_HEADS, map(trial_cells, leakage.trials)), ""]
    return lines + _bullets("No honest trial to compare with", leakage.without_honest)


def _gaps(summary: SweepSummary) -> list[str]:
    unfinished = [f"{trial.name} ({counted(trial.folds_done, 'fold')} done)" for trial in summary.unfinished]
    return [
        *_bullets("Failed", [f"{trial.name}: {trial.reason}" for trial in summary.failed]),
        *_bullets("Unfinished", unfinished),
        *_bullets("Dropped early", [summary.dropped.sentence] if summary.dropped else []),
        *_bullets("Not begun", summary.missing),
    ]


def _repeat(summary: SweepSummary) -> str:
    provenance = summary.provenance
    return f"To repeat it: `{provenance.command}` (seed {summary.seed}, {provenance.commit})"


def _bullets(title: str, items: Sequence[str]) -> list[str]:
    return [f"{title}:", *(f"- {item}" for item in items), ""] if items else []

"""A sweep for the terminal: a table that fits 100 columns, the answer and the verdict."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tracking.analysis.formatting import SYNTHETIC, counted, number
from tracking.analysis.trial import TrialSummary
from tracking.best_mask.answer import answer_sentences
from tracking.spec_view import view_spec
from tracking.summary.distances_in_words import within
from tracking.summary.sweep import SweepSummary
from tracking.summary.wording import is_shown, name_of, orders_of, parameters_of, score_cells, setting

HEADS = ["mask", "order", "parameters", "Dice ± SD", "SEM", "error %", "ARI", "HD95", "NSD"]
WORDS = 2  # columns of text, to the left; numbers stand to the right


def to_text(summary: SweepSummary) -> str:
    """Table, answer and verdict; at most the main budget's trials and the baselines."""
    shown = [trial for trial in summary.trials if is_shown(trial, summary)]
    lines = [SYNTHETIC] if summary.data.synthetic else []
    counts = f"{len(summary.folds)} folds, {summary.data.images} images"
    lines += [f"{summary.sweep}: {setting(summary)}, {counts}", "", *_table(list(map(_cells, shown)))]
    lines += _legend(summary)
    others = len(summary.trials) - len(shown)
    if others:
        where = (
            "at other settings, or from other starts" if view_spec(summary.settings).own_start else "at other settings"
        )
        lines += ["", f"{counted(others, 'more trial')} {where}: in the report."]
    lines += _remarks(summary)
    answer = answer_sentences(summary.best_mask)
    lines += ["", *answer] if answer else []
    lines += ["", summary.verdict.sentence]
    lines += ["", summary.labelled_images.sentence] if summary.labelled_images else []
    lines += [line for external in summary.external for line in ("", external.sentence)]
    return "\n".join(lines) + "\n"


def _cells(trial: TrialSummary) -> list[str]:
    distances = [number(trial.hd95.mean, 1), number(trial.surface_dice.mean)]
    return [name_of(trial), orders_of(trial), parameters_of(trial), *score_cells(trial), *distances]


def _legend(summary: SweepSummary) -> list[str]:
    """What the last two columns are; there is no room for it above them."""
    scale = summary.distances
    if scale is None:
        return []
    return [f"HD95: 95 % Hausdorff distance in {scale.unit}; NSD: surface Dice within {within(scale)}."]


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(row[column]) for row in (HEADS, *rows)) for column in range(len(HEADS))]
    for row in (HEADS, ["-" * width for width in widths], *rows):
        cells = zip(row, widths, strict=True)
        yield "  ".join(
            cell.ljust(width) if column < WORDS else cell.rjust(width) for column, (cell, width) in enumerate(cells)
        )


def _remarks(summary: SweepSummary) -> Iterator[str]:
    """What else to know: trials without a score, the noise floor, leakage; a line each."""
    counts = {"failed": summary.failed, "unfinished": summary.unfinished, "not begun": summary.missing}
    for state, trials in counts.items():
        if trials:
            yield f"{counted(len(trials), 'trial')} {state}; listed in the report."
    if summary.dropped:
        yield summary.dropped.sentence
    if len(summary.noise.seeds) > 1:
        yield summary.noise.sentence
    if summary.processors and summary.processors.mixed:
        yield summary.processors.sentence
    if summary.leakage:
        yield summary.leakage.sentence

"""The page's sections on the noise floor and on what augmenting before splitting would have shown."""

from __future__ import annotations

from markupsafe import Markup

from tracking.analysis.formatting import number
from tracking.report.html import NOTHING, fill, table
from tracking.summary.sweep import SweepSummary
from tracking.summary.wording import TRIAL_HEADS, is_main, leakage_heads, leakage_rows, name_of, trial_cells


def differences_table(summary: SweepSummary) -> Markup:
    """How far another seed moves the co-primary differences; empty where trials were not repeated."""
    rows = [
        [
            *(title, f"{comparison.mean:+.4f}", f"±{number(comparison.noise.sd, 4)}", number(comparison.noise.se, 4)),
            " · ".join(f"{value:+.4f}" for value in comparison.noise.per_seed),
        ]
        for title, comparison in summary.comparison.titled
        if comparison.noise
    ]
    if not rows:
        return NOTHING
    caption = "The same differences with each training seed (see “The noise floor”)."
    heads = ["difference in Dice", "mean", "SD over seeds", "SE", "with each seed"]
    return table(heads, rows, caption, summary.data.synthetic)


def noise_section(summary: SweepSummary) -> Markup:
    """How far another seed moves the numbers, mask by mask, or how to measure it."""
    if not summary.trials:
        return NOTHING
    return fill("noise.html", noise=summary.noise, table=_noise_table(summary))


def _noise_table(summary: SweepSummary) -> Markup:
    rows = [
        [
            *(name_of(trial), number(trial.dice.mean), number(trial.noise.sd), number(trial.noise.se)),
            " · ".join(map(number, trial.noise.per_seed)),
        ]
        for trial in summary.trials
        if trial.noise and is_main(trial, summary)
    ]
    if not rows:
        return NOTHING
    caption = (
        f"Every trial was trained {len(summary.noise.seeds)} times on the same folds, with {summary.noise.words}. The "
        "score of a fold and of an image is the mean over these. SD over seeds (n − 1) of the mean Dice; SE = SD / "
        "√seeds."
    )
    heads = ["mask", "Dice", "SD over seeds", "SE", "Dice with each seed"]
    return table(heads, rows, caption, summary.data.synthetic, "sortable")


def leakage_section(summary: SweepSummary) -> Markup:
    """The inflation beside the honest number, and the leaky trials in a table of their own."""
    leakage, synthetic = summary.leakage, summary.data.synthetic
    if not leakage:
        return NOTHING
    caption = "Leaky trials. No curve, comparison or choice uses them. ± is the SD over folds (n − 1)."
    trials = table(TRIAL_HEADS, map(trial_cells, leakage.trials), caption, synthetic, "sortable")
    return fill("leakage.html", leakage=leakage, compared=_inflation_table(summary), trials=trials)


def _inflation_table(summary: SweepSummary) -> Markup:
    leakage = summary.leakage
    if not leakage or not leakage.compared:
        return NOTHING
    caption = (
        "Dice of each mask on both splits, with the same training otherwise. By image: leaky Dice (mean over the "
        "scored versions of an image) minus honest Dice, averaged over the original images. The interval is "
        "descriptive."
    )
    rows = leakage_rows(leakage, summary)
    return table(leakage_heads(summary), rows, caption, summary.data.synthetic, "sortable")

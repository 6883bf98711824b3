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
            *(title, f"{one.mean:+.4f}", f"±{number(one.noise.sd, 4)}", number(one.noise.se, 4)),
            " · ".join(f"{value:+.4f}" for value in one.noise.per_seed),
        ]
        for title, one in summary.comparison.titled
        if one.noise
    ]
    if not rows:
        return NOTHING
    caption = "How far another training seed moves them (see “The noise floor”)."
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
            *(name_of(one), number(one.dice.mean), number(one.noise.sd), number(one.noise.se)),
            " · ".join(map(number, one.noise.per_seed)),
        ]
        for one in summary.trials
        if one.noise and is_main(one, summary)
    ]
    if not rows:
        return NOTHING
    seeds = ", ".join(map(str, summary.noise.seeds))
    caption = (
        f"Every trial trained once with each of the seeds {seeds}, on the same folds. A fold's and an image's "
        "score is the mean over the seeds; SD over seeds (n − 1) of the mean Dice, SE = SD / √seeds."
    )
    heads = ["mask", "Dice", "SD over seeds", "SE", "Dice with each seed"]
    return table(heads, rows, caption, summary.data.synthetic, "sortable")


def leakage_section(summary: SweepSummary) -> Markup:
    """The inflation beside the honest number, and the leaky trials in a table of their own."""
    leakage, synthetic = summary.leakage, summary.data.synthetic
    if not leakage:
        return NOTHING
    caption = "Leaky trials. They enter no curve, no comparison and no choice. ± is the SD over folds (n − 1)."
    trials = table(TRIAL_HEADS, map(trial_cells, leakage.trials), caption, synthetic, "sortable")
    return fill("leakage.html", leakage=leakage, compared=_inflation_table(summary), trials=trials)


def _inflation_table(summary: SweepSummary) -> Markup:
    leakage = summary.leakage
    if not leakage or not leakage.compared:
        return NOTHING
    caption = (
        "Dice of each mask on both splits, otherwise trained alike. By image: mean over the original images of the "
        "Dice of an image's scored versions on the leaky split, minus its honest Dice; its interval is descriptive."
    )
    rows = leakage_rows(leakage, summary)
    return table(leakage_heads(summary), rows, caption, summary.data.synthetic, "sortable")

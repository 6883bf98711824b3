"""How a sweep and its trials read in every report: settings, names, table rows and sentences."""

from __future__ import annotations

import math

from tracking.analysis.convergence import BudgetStep
from tracking.analysis.formatting import counted, from_start, mask_name, noise_words, number
from tracking.analysis.leakage import Inflation, Leakage
from tracking.analysis.seed_noise import SeedNoise
from tracking.analysis.trial import TrialSummary
from tracking.spec_view import view_spec
from tracking.summary.sweep import SweepSummary
from tracking.units import is_paper_network
from trainer.candidate import PRETRAINED, SCRATCH

TRIAL_HEADS = ["mask", "order", "epochs", "rate", "parameters", "Dice ± SD", "SEM", "pixel error %", "ARI"]
LEAKAGE_HEADS = ["mask", "epochs", "rate", "honest", "leaky", "difference", "by image", "95 % over images"]
PAPER_CHANGE = " The paper reports a change below 1 % from 20 to 40 epochs, and of 3 % for the deepest block alone."


def setting(summary: SweepSummary) -> str:
    """The budget and rate of curves and comparisons in words."""
    main = summary.main
    if main.epochs is None:
        return "no finished trial"
    more = "".join(f", {name} {value}" for name, value in main.train.items())
    own = view_spec(summary.settings).own_start
    return f"{main.epochs} epochs, learning rate {main.learning_rate:g}{more}{f', from {own}' if own else ''}"


def name_of(trial: TrialSummary) -> str:
    """`1-5 (contracting)`, `zero-shot`, `all from scratch`, with what of its training differs: `1-5, batch 8`."""
    if trial.role == "zero-shot":
        return from_start("none (zero-shot)", trial.start)
    if trial.role == "referee":
        return f"{trial.mask} (not trained by thaw)"
    return ", ".join([_trained_mask(trial), *(f"{name} {value}" for name, value in trial.train.items())])


def trial_cells(trial: TrialSummary) -> list[str]:
    """One row under `TRIAL_HEADS`."""
    rate = f"{trial.learning_rate:g}" if trial.epochs else ""
    middle = [orders_of(trial), str(trial.epochs or ""), rate, parameters_of(trial)]
    return [name_of(trial), *middle, *score_cells(trial)]


def parameters_of(trial: TrialSummary) -> str:
    """How many parameters it trains; a dash where nobody knows."""
    return "–" if trial.role == "referee" else f"{trial.trainable_params:,}"


def score_cells(trial: TrialSummary) -> list[str]:
    """Dice ± SD, SEM, pixel error and ARI."""
    dice = trial.dice
    scores = [f"{number(dice.mean)} ± {number(dice.sd)}", number(dice.sem)]
    return [*scores, number(trial.pixel_error.mean, 2), number(trial.ari.mean)]


def orders_of(trial: TrialSummary) -> str:
    """`shallow-5`, or both for the mask in which the orders end."""
    return ", ".join(f"{order.removesuffix('-first')}-{depth}" for order, depth in trial.orders)


def is_main(trial: TrialSummary, summary: SweepSummary) -> bool:
    """Whether the trial was run at the budget, the rate and the settings of the comparisons, from the sweep's own start
    or from fresh weights.
    """
    main = summary.main
    same_length = (trial.epochs, trial.learning_rate) == (main.epochs, main.learning_rate)
    trains = (main.train, {}) if trial.start == SCRATCH else (main.train,)
    return same_length and trial.start in (PRETRAINED, SCRATCH) and trial.train in trains


def is_shown(trial: TrialSummary, summary: SweepSummary) -> bool:
    """Whether the trial is in the main table: at the main setting, or zero-shot or somebody else's, without a
    setting.
    """
    return trial.role in ("zero-shot", "referee") or is_main(trial, summary)


def noise_heads(summary: SweepSummary) -> list[str]:
    """The head of the column that `noise_cells` fills; none where trials were not repeated."""
    return ["seed SD (SE)"] if len(summary.noise.seeds) > 1 else []


def noise_cells(noise: SeedNoise | None, summary: SweepSummary) -> list[str]:
    """How far another seed moves a number, and the standard error of the mean over seeds."""
    if not noise_heads(summary):
        return []
    return ["" if noise is None else noise_words(noise.sd, noise.se)]


def leakage_heads(summary: SweepSummary) -> list[str]:
    """The heads of `leakage_rows`."""
    return [*LEAKAGE_HEADS, *noise_heads(summary)]


def leakage_rows(leakage: Leakage, summary: SweepSummary) -> list[list[str]]:
    """One row per mask that was trained on both splits."""
    return [[*_inflation_cells(inflation), *noise_cells(inflation.noise, summary)] for inflation in leakage.compared]


def _inflation_cells(inflation: Inflation) -> list[str]:
    setting_cells = [_trained_mask(inflation), str(inflation.epochs), f"{inflation.learning_rate:g}"]
    scores = [number(inflation.honest), number(inflation.leaky), f"{inflation.difference:+.3f}"]
    return [*setting_cells, *scores, f"{inflation.inflation:+.3f}", f"{inflation.low:+.3f} to {inflation.high:+.3f}"]


def _trained_mask(trial: TrialSummary | Inflation) -> str:
    """The mask by name, and what it was trained from where that is not the sweep's own start."""
    return from_start(trial.mask if trial.start == SCRATCH else mask_name(trial), trial.start)


def convergence_sentence(step: BudgetStep, summary: SweepSummary) -> str:
    """The median and the largest change between two budgets, and which are significant; of the paper's network, what
    the paper reports.
    """
    changes = sorted(step.masks, key=lambda change: abs(change.mean) if not math.isnan(change.mean) else -1)
    largest, median = changes[-1], changes[len(changes) // 2]
    significant = [change.mask for change in step.masks if change.p_holm <= 0.05]
    return (
        f"From {step.shorter} to {step.longer} epochs the median absolute change in Dice over "
        f"{counted(len(changes), 'mask')} is {abs(median.mean):.3f}. The largest change is {largest.mean:+.3f}, of "
        f"{mask_name(largest)}. Significant after Holm: {', '.join(significant) or 'none'}."
        f"{PAPER_CHANGE if is_paper_network(summary.settings) else ''}"
    )

"""How numbers, masks and settings read in every report: one wording for terminal, Markdown and page."""

from __future__ import annotations

import math

from tracking.record import METRICS
from tracking.summary import Json

SYNTHETIC = "SYNTHETIC DATA: no claim about real images"
COMPARISONS = {
    "contracting_vs_expanding": "contracting − expanding",
    "area_between_curves": "area between the curves (shallow − deep)",
}
HEADS = ["mask", "order", "epochs", "rate", "parameters", "Dice ± SD", "SEM", "pixel error %", "ARI"]


def setting(found: Json) -> str:
    """The budget and rate of curves and comparisons in words."""
    epochs, rate = found["main"]["epochs"], found["main"]["learning_rate"]
    return "no finished trial" if epochs is None else f"{epochs} epochs, learning rate {rate:g}"


def name_of(trial: Json) -> str:
    """`1-5 (contracting)`, `zero-shot`, `all from scratch`."""
    if trial["role"] == "zero-shot":
        return "none (zero-shot)"
    if trial["start"] == "scratch":
        return f"{trial['mask']} from scratch"
    shown = [alias for alias in trial["aliases"] if alias != trial["mask"]][:1]
    return f"{trial['mask']} ({shown[0]})" if shown else str(trial["mask"])


def trial_cells(trial: Json) -> list[str]:
    """One row under `HEADS`."""
    rate = f"{trial['learning_rate']:g}" if trial["epochs"] else ""
    middle = [orders_of(trial), str(trial["epochs"] or ""), rate, f"{trial['trainable_params']:,}"]
    return [name_of(trial), *middle, *score_cells(trial)]


def comparison_cells(one: Json) -> list[str]:
    """Mean, interval, p, Holm p and the three probabilities, as text; the note stands in for a test that cannot be."""
    if math.isnan(one["low"]):
        return [f"{one['mean']:+.4f}", one["note"], "", "", "", "", ""]
    chances = [chance(one[key]) for key in ("p_above", "p_within", "p_below")]
    return [f"{one['mean']:+.4f}", f"{one['low']:+.4f} to {one['high']:+.4f}", p_value(one["p"]),
            p_value(one["p_holm"]), *chances]  # fmt: skip


def chance(p: float) -> str:
    """A probability in %, one digit; never a 0 or 100 that five folds cannot promise."""
    return "< 0.1 %" if p < 0.001 else "> 99.9 %" if p > 0.999 else f"{100 * p:.1f} %"


def counted(number: int, noun: str) -> str:
    """`1 trial`, `3 trials`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def p_value(p: float) -> str:
    """Three digits; what is smaller says so."""
    return "" if math.isnan(p) else "< 0.001" if p < 0.001 else f"{p:.3f}"


def score_cells(trial: Json) -> list[str]:
    """Dice ± SD, SEM, pixel error and ARI."""
    dice, error, ari = (trial[metric] for metric in METRICS)
    return [f"{number(dice['mean'])} ± {number(dice['sd'])}", number(dice["sem"]), number(error["mean"], 2),
            number(ari["mean"])]  # fmt: skip


def number(value: float, digits: int = 3) -> str:
    """A fixed number of digits, an en dash for what cannot be known."""
    return "–" if math.isnan(value) else f"{value:.{digits}f}"


def orders_of(trial: Json) -> str:
    """`shallow-5`, or both for the mask in which the orders end."""
    return ", ".join(f"{order.removesuffix('-first')}-{depth}" for order, depth in trial["orders"])


def is_main(trial: Json, found: Json) -> bool:
    """Whether the trial was run at the budget and rate of the comparisons."""
    return bool({"epochs": trial["epochs"], "learning_rate": trial["learning_rate"]} == found["main"])


def is_shown(trial: Json, found: Json) -> bool:
    """Whether the trial stands in the main table: at the main setting, or zero-shot, which has no setting."""
    return trial["role"] == "zero-shot" or is_main(trial, found)

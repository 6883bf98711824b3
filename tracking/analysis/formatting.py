"""How numbers, masks and settings read in every report: one wording for terminal, Markdown and page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

from tracking.record import METRICS, Json
from tracking.units import study_network

STUDY_SAW = " The study saw under 1 % from 20 to 40 epochs, and 3 % for the deepest block alone."
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
    """`1-5 (contracting)`, `zero-shot`, `all from scratch`, with what of its training differs: `1-5, batch 8`."""
    if trial["role"] == "zero-shot":
        return "none (zero-shot)"
    name = f"{trial['mask']} from scratch" if trial["start"] == "scratch" else mask_name(trial)
    return ", ".join([name, *(f"{setting} {value}" for setting, value in trial["train"].items())])


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


def noise_heads(found: Json) -> list[str]:
    """The head of the column that `noise_cells` fills; none where trials were not repeated."""
    return ["seed SD (SE)"] if len(found["noise"]["seeds"]) > 1 else []


def noise_cells(one: Json, found: Json) -> list[str]:
    """How far another seed moves this number, and the standard error of the mean over seeds."""
    if not noise_heads(found):
        return []
    noise = one["noise"]
    return ["" if noise is None else noise_words(noise)]


def noise_words(noise: Json) -> str:
    """`±0.0123 (0.0071)`: SD over seeds and standard error, with the digits of a comparison's mean."""
    return f"±{number(noise['sd'], 4)} ({number(noise['se'], 4)})"


def leakage_heads(found: Json) -> list[str]:
    """The heads of `leakage_rows`."""
    return ["mask", "epochs", "rate", "honest", "leaky", "difference", "by image", "95 % over images",
            *noise_heads(found)]  # fmt: skip


def leakage_rows(found: Json) -> list[list[str]]:
    """One row per mask that was trained on both splits."""
    rows = []
    for one in found["leakage"]["compared"]:
        name = f"{one['mask']} from scratch" if one["start"] == "scratch" else mask_name(one)
        inflated = [f"{one['inflation']:+.3f}", f"{one['low']:+.3f} to {one['high']:+.3f}"]
        rows.append([name, str(one["epochs"]), f"{one['learning_rate']:g}", number(one["honest"]), number(one["leaky"]),
                     f"{one['difference']:+.3f}", *inflated, *noise_cells(one, found)])  # fmt: skip
    return rows


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
    return "–" if math.isnan(value) else f"{round(value, digits) + 0.0:.{digits}f}"  # never -0.000


def orders_of(trial: Json) -> str:
    """`shallow-5`, or both for the mask in which the orders end."""
    return ", ".join(f"{order.removesuffix('-first')}-{depth}" for order, depth in trial["orders"])


def is_main(trial: Json, found: Json) -> bool:
    """Whether the trial was run at the budget and rate of the comparisons."""
    return bool({"epochs": trial["epochs"], "learning_rate": trial["learning_rate"]} == found["main"])


def is_shown(trial: Json, found: Json) -> bool:
    """Whether the trial stands in the main table: at the main setting, or zero-shot, which has no setting."""
    return trial["role"] == "zero-shot" or is_main(trial, found)


class NamedMask(Protocol):
    """Whatever has a mask: the written one and its other names."""

    @property
    def mask(self) -> str: ...
    @property
    def aliases(self) -> Sequence[str]: ...


def mask_name(named: NamedMask | Json) -> str:
    """`1-5 (contracting)`: the written mask with its first other name."""
    mask, aliases = (named["mask"], named["aliases"]) if isinstance(named, dict) else (named.mask, named.aliases)
    shown = [alias for alias in aliases if alias != mask][:1]
    return f"{mask} ({shown[0]})" if shown else str(mask)


def winner_sentences(found: Json) -> list[str]:
    """Which mask to take, in words: the winner after correction, the ties, the one-standard-error choice."""
    choice = found["choice"]
    if not choice:
        return []
    best, cheap, compared = choice["best"], choice["one_standard_error"], choice["compared"]
    sentences = []
    winner = choice["winner"]
    if winner:
        first = winner["frequencies"][0]
        sentences.append(
            f"The best of {winner['masks']} masks looks better than it is, because it was chosen for its score. "
            f"{winner['best']} scores {number(winner['apparent'])} Dice over {winner['images']} images; choosing on "
            f"one part of the images and scoring on the rest, {counted(winner['draws'], 'time')}, leaves "
            f"{number(winner['corrected'])} (95 % of the draws: {number(winner['low'])} to {number(winner['high'])}). "
            f"The choice most often fell on {first['mask']}, in {100 * first['chosen']:.0f} % of the draws."
        )
    tied = [one for one in compared if one["tied"] and one["mask"] != best["mask"]]
    told = f"{len(tied)} of the other {len(compared) - 1} masks cannot be told from the best, {mask_name(best)}"
    if tied:
        first = tied[0]
        told += f"; the cheapest of them is {mask_name(first)} with {first['trainable_params']:,} parameters and Dice "
        told += number(first["dice"])
    sentences.append(f"{told}.")
    sentences.append(
        f"{cheap_choice(cheap)}: the cheapest mask above {number(cheap['floor'])}, the best minus its SEM."
    )
    return sentences


def cheap_choice(cheap: Json) -> str:
    """The one-standard-error choice, short enough for a terminal."""
    return (
        f"One-standard-error choice: {mask_name(cheap)}, {cheap['trainable_params']:,} parameters, "
        f"Dice {number(cheap['dice'])}"
    )


def convergence_sentence(step: Json, found: Json) -> str:
    """The largest change between two budgets, the usual one, and how many are significant; what the study saw, of its
    network.
    """
    ranked = sorted(step["masks"], key=lambda one: abs(one["mean"]) if not math.isnan(one["mean"]) else -1)
    most, middle = ranked[-1], ranked[len(ranked) // 2]
    sure = [one for one in step["masks"] if one["p_holm"] <= 0.05]
    significant = "None is significant" if not sure else f"{', '.join(one['mask'] for one in sure)}: significant"
    return (
        f"From {step['from']} to {step['to']} epochs Dice changes by {abs(middle['mean']):.3f} in the middle of "
        f"{counted(len(ranked), 'mask')} and at most by {most['mean']:+.3f}, that of {mask_name(most)}. {significant} "
        f"after Holm.{STUDY_SAW if study_network(found['settings']) else ''}"
    )

"""What to do, in one sentence: the finding with its size, interval, noise floor and cost; or why there is none."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from tracking.analysis.comparisons import CompareNoise
from tracking.analysis.learning import learned_nothing
from tracking.analysis.seed_noise import moves
from tracking.record import Json, SweepInfo, TrialRecord
from tracking.statistics import EQUIVALENCE, SURE, Comparison, finding
from tracking.units import numbered


def verdict(
    contracting: Comparison | None,
    area: Comparison | None,
    main: Sequence[TrialRecord],
    info: SweepInfo,
    missing: Sequence[str],
    noise: CompareNoise | None = None,
) -> Json:
    """What to do, in one sentence: finding, size, interval, noise floor, cost. Decided by contracting - expanding, else
    the area.
    """
    noise = noise or CompareNoise()
    judged = contracting or area
    synthetic = " Synthetic data: no claim about real images." if info.data.get("synthetic") else ""
    if judged is None:
        lack = f" ({', '.join(missing[:6])}{', …' if len(missing) > 6 else ''} not measured)" if missing else ""
        return {"finding": None, "sentence": f"No verdict yet: neither comparison is complete{lack}.{synthetic}"}
    if collapsed := _collapsed(main, info):
        return {"finding": None, "sentence": f"No verdict: {collapsed}{synthetic}"}
    word = finding(judged)
    if contracting is not None:
        sentence = f"{word.capitalize()}: {_names(main, info)} differ by {judged.mean:+.3f} Dice {interval(judged)}"
        sentence += _cost(main, info) + _floor(noise.contracting) + _slight(word, judged)
        if area is not None:
            sentence += _along(area, word)
    else:
        sentence = f"{word.capitalize()}: the area between the curves is {judged.mean:+.3f} Dice {interval(judged)}"
        sentence += _floor(noise.area) + _slight(word, judged)
    if not math.isnan(judged.p_holm) and word.endswith("better") and judged.p_holm > 0.05:
        sentence += f"; counting both comparisons it is no longer significant (Holm p = {judged.p_holm:.3f})"
    return {"finding": word, "sentence": sentence + "." + synthetic}


def _collapsed(main: Sequence[TrialRecord], info: SweepInfo) -> str:
    """Why nothing can be compared: a part of the network, or every mask, that has learned to predict almost nothing."""
    dice = {one.info.candidate.mask: one.mean_dice for one in main}
    named = {info.named_masks.get(name): name for name in ("contracting", "expanding")}
    flat = [
        f"{name} ({mask}) scores {dice[mask]:.3f}"
        for mask, name in named.items()
        if mask and learned_nothing(dice.get(mask, 1))
    ]
    if dice and learned_nothing(max(dice.values())):
        flat = [f"no mask scores more than {max(dice.values()):.3f}"]
    if not flat:
        return ""
    return (
        f"{' and '.join(flat)}, so its networks find almost nothing, and a difference would tell nothing about the "
        "blocks. Train longer, at another learning rate, or from better starting weights."
    )


def _along(area: Comparison, word: str) -> str:
    """The second co-primary result; where it finds what the first does not, it says so."""
    along = finding(area)
    said = f"the area between the curves is {area.mean:+.3f} {interval(area)}"
    sure = math.isnan(area.p_holm) or area.p_holm <= 1 - SURE
    if along.endswith("better") and not word.endswith("better") and sure:
        return f"; but along the curves {along.split()[0]}-first is better: {said}"
    return f"; {said}"


def _slight(word: str, judged: Comparison) -> str:
    """What to add where a difference is real but of no practical use."""
    if not word.endswith("better") or not judged.p_within > SURE:
        return ""
    return f"; too little to matter: with probability {judged.p_within:.2f} it lies within ±{EQUIVALENCE:g} Dice"


def _floor(noise: Json | None) -> str:
    return f"; {words}" if (words := moves(noise)) else ""


def _names(main: Sequence[TrialRecord], info: SweepInfo) -> str:
    dice: Mapping[str, float] = {one.info.candidate.mask: one.mean_dice for one in main}
    contracting, expanding = info.named_masks["contracting"], info.named_masks["expanding"]
    return (
        f"contracting ({numbered(contracting, info.spec)}, Dice {dice[contracting]:.3f}) and expanding "
        f"({numbered(expanding, info.spec)}, {dice[expanding]:.3f})"
    )


def _cost(main: Sequence[TrialRecord], info: SweepInfo) -> str:
    count = {trial.info.candidate.mask: trial.info.trainable_params for trial in main}
    contracting, expanding = (count[info.named_masks[name]] for name in ("contracting", "expanding"))
    return (
        f", for {contracting:,} against {expanding:,} trained parameters ({contracting / max(1, expanding):.2f} times)"
    )


def interval(comparison: Comparison) -> str:
    """The 95 % interval in words, or why there is none."""
    if math.isnan(comparison.low):
        return f"(no interval: {comparison.note})"
    return f"[95 % interval {comparison.low:+.3f} to {comparison.high:+.3f}]"

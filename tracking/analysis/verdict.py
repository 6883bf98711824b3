"""What to do, in one sentence: the finding with its size, interval, noise floor and cost; or why there is none."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tracking.analysis.comparisons import SIDES, Comparisons
from tracking.analysis.contrasts import Difference
from tracking.analysis.learning import learned_nothing
from tracking.analysis.seed_noise import SeedNoise, moves
from tracking.data_view import view_data
from tracking.record import SweepInfo, TrialRecord
from tracking.spec_view import view_spec
from tracking.statistics import EQUIVALENCE, SURE, Comparison, finding
from tracking.units import numbered


@dataclass(frozen=True)
class Verdict:
    """What a sweep found. `finding`: `shallow better`, `deep better`, `practically equal`, `no difference shown`, or
    None where nothing can be judged; `sentence`: that with its size, interval, noise floor and cost, or why there is
    none.
    """

    finding: str | None
    sentence: str


def judge(comparisons: Comparisons, main: Sequence[TrialRecord], info: SweepInfo) -> Verdict:
    """The verdict over the trials at the main setting. Contracting - expanding decides, else the area."""
    synthetic = " Synthetic data: no claim about real images." if view_data(info.data).synthetic else ""
    halves, area = comparisons.contracting_vs_expanding, comparisons.area_between_curves
    judged = halves or area
    if judged is None:
        return Verdict(None, f"No verdict yet: neither comparison is complete{_absent(comparisons)}.{synthetic}")
    if collapsed := _collapsed(main, info):
        return Verdict(None, f"No verdict: {collapsed}{synthetic}")
    word = finding(judged)
    if halves is not None:
        sentence = f"{word.capitalize()}: {_names(main, info)}{_start(info)}"
        sentence += f" differ by {halves.mean:+.3f} Dice {interval(halves)}"
        sentence += _cost(main, info) + _floor(halves.noise) + _slight(word, halves)
        if area is not None:
            sentence += _along(area, word)
    else:
        sentence = f"{word.capitalize()}: the area between the curves is {judged.mean:+.3f} Dice {interval(judged)}"
        sentence += _floor(judged.noise) + _slight(word, judged)
    return Verdict(word, f"{sentence}{_after_holm(word, judged)}.{synthetic}")


def _start(info: SweepInfo) -> str:
    """From which start, where several were searched."""
    own = view_spec(info.spec).own_start
    return f", both from {own}," if own else ""


def _absent(comparisons: Comparisons) -> str:
    """The masks that were not measured, the first six by name."""
    missing = comparisons.missing
    return f" ({', '.join(missing[:6])}{', …' if len(missing) > 6 else ''} not measured)" if missing else ""


def _collapsed(main: Sequence[TrialRecord], info: SweepInfo) -> str:
    """Why nothing can be compared: a part of the network, or every mask, that has learned to predict almost nothing."""
    dice = _dice(main)
    named = {info.named_masks[name]: name for name in SIDES if name in info.named_masks}
    collapsed = [
        f"{name} ({mask}) scores {dice[mask]:.3f}"
        for mask, name in named.items()
        if mask in dice and learned_nothing(dice[mask])
    ]
    if dice and learned_nothing(max(dice.values())):
        collapsed = [f"no mask scores more than {max(dice.values()):.3f}"]
    if not collapsed:
        return ""
    return (
        f"{' and '.join(collapsed)}, so its networks find almost nothing, and a difference would tell nothing about "
        "the blocks. Train longer, at another learning rate, or from better starting weights."
    )


def _along(area: Difference, word: str) -> str:
    """The second co-primary result; where it finds what the first does not, it says so."""
    area_finding = finding(area)
    sentence = f"the area between the curves is {area.mean:+.3f} {interval(area)}"
    sure = math.isnan(area.p_holm) or area.p_holm <= 1 - SURE
    if area_finding.endswith("better") and not word.endswith("better") and sure:
        return f"; but along the curves {area_finding.split()[0]}-first is better: {sentence}"
    return f"; {sentence}"


def _slight(word: str, judged: Comparison) -> str:
    """What to add where a difference is real but of no practical use."""
    if not word.endswith("better") or not judged.p_within > SURE:
        return ""
    return f"; too little to matter: with probability {judged.p_within:.2f} it lies within ±{EQUIVALENCE:g} Dice"


def _after_holm(word: str, judged: Comparison) -> str:
    """What to add where a difference is significant alone, but not among the two that were compared."""
    if math.isnan(judged.p_holm) or not word.endswith("better") or judged.p_holm <= 0.05:
        return ""
    return f"; counting both comparisons it is no longer significant (Holm p = {judged.p_holm:.3f})"


def _floor(noise: SeedNoise | None) -> str:
    return f"; {text}" if (text := moves(noise)) else ""


def _names(main: Sequence[TrialRecord], info: SweepInfo) -> str:
    dice = _dice(main)
    contracting, expanding = (info.named_masks[name] for name in SIDES)
    masks = [numbered(mask, info.spec, info.n_blocks) for mask in (contracting, expanding)]
    return f"contracting ({masks[0]}, Dice {dice[contracting]:.3f}) and expanding ({masks[1]}, {dice[expanding]:.3f})"


def _cost(main: Sequence[TrialRecord], info: SweepInfo) -> str:
    count = {trial.info.candidate.mask: trial.info.trainable_params for trial in main}
    contracting, expanding = (count[info.named_masks[name]] for name in SIDES)
    return (
        f", for {contracting:,} against {expanding:,} trained parameters ({contracting / max(1, expanding):.2f} times)"
    )


def _dice(main: Sequence[TrialRecord]) -> Mapping[str, float]:
    """mask -> mean Dice."""
    return {trial.info.candidate.mask: trial.mean_dice for trial in main}


def interval(comparison: Comparison) -> str:
    """The 95 % interval in words, or why there is none."""
    if math.isnan(comparison.low):
        return f"(no interval: {comparison.note})"
    return f"[95 % interval {comparison.low:+.3f} to {comparison.high:+.3f}]"

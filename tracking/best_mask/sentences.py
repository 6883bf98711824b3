"""The answer in words: one sentence with an interval and a price, and the notes that belong to it."""

from __future__ import annotations

import math
from typing import Protocol

from tracking.analysis.formatting import counted, mask_name
from tracking.analysis.learning import learned_nothing
from tracking.best_mask.candidates import CandidateAt, Setting
from tracking.best_mask.ranking import Ranking
from tracking.best_mask.references import Against
from tracking.record import SweepInfo
from tracking.units import WORDS, unit_of
from trainer.candidate import PRETRAINED, REFEREE, SCRATCH

OURS = ("expanding", "contracting", "all", "zero-shot", "scratch")  # references that thaw trains itself


class Interval(Protocol):
    """Whatever has a 95 % interval."""

    @property
    def low(self) -> float: ...
    @property
    def high(self) -> float: ...


def sentence(ranking: Ranking, info: SweepInfo) -> str:
    """`Thaw blocks 1-5: Dice 0.80 (0.81 before ...); 0.08 [0.02, 0.14] above expanding, ...; 4 cheaper masks tie, ...`

    Says so where no training at all is best, where networks learned nothing, and where nothing differs.
    """
    synthetic = " Synthetic data: no claim about real images." if ranking.synthetic else ""
    if learned_nothing(ranking.best.dice):
        return f"{_no_answer(ranking)}{synthetic}"
    if no_training_is_best(ranking):
        return f"{_thaw_nothing(ranking, info)}.{synthetic}"
    return f"{_thaw(ranking, info)}.{synthetic}"


def no_training_is_best(ranking: Ranking) -> bool:
    """Whether the winner does not score above the network as it was before any training."""
    return any(reference.name == "zero-shot" and reference.mean <= 0 for reference in ranking.against)


def recommends_a_mask(ranking: Ranking) -> bool:
    """Whether the answer is a mask to train: not where networks learned nothing, nor where no training is best."""
    return not (learned_nothing(ranking.best.dice) or no_training_is_best(ranking))


def cheapest_choice(ranking: Ranking) -> str:
    """`One-standard-error choice: 1-3, 18,112 parameters, Dice 0.790: the cheapest mask above 0.785, the best minus its
    SEM.`; empty where no mask is recommended.
    """
    if not recommends_a_mask(ranking):
        return ""
    cheap = ranking.one_standard_error
    price = f"{cheap.trainable_params:,} parameters, Dice {digits(cheap.dice, 3)}"
    floor = f"the cheapest {noun(ranking)} above {digits(cheap.floor, 3)}, the best minus its SEM"
    return f"One-standard-error choice: {named(cheap, ranking)}, {price}: {floor}."


def notes(ranking: Ranking, info: SweepInfo, pretrainings: int = 1) -> list[str]:
    """How the numbers of the sentence were made, and which trials take no part in them."""
    sentences = [_how_corrected(ranking)]
    further = f", with the variance over {pretrainings} pre-trainings" if pretrainings > 1 else ""
    sentences.append(
        f"[ ]: 95 %, corrected resampled t over {len(info.folds)} folds{further}. A mask ties when the interval of its "
        "distance from the best holds 0: not shown to be worse, which is not the same as being as good."
    )
    missing = [name for name in ("expanding", "all") if not _is_measured(name, ranking)]
    if missing:
        sentences.append(f"Not measured at the settings compared: {' and '.join(missing)}.")
    if ranking.dropped:
        sentences.append(
            f"{counted(ranking.dropped, 'trial')} dropped before the last fold because clearly worse; left out."
        )
    for count, state in ((ranking.failed, "failed"), (ranking.unfinished, "unfinished")):
        if count:
            sentences.append(f"{counted(count, 'trial')} {state}; left out.")
    return sentences


def ahead(reference: Against) -> str:
    """`0.08 [0.02, 0.14] above expanding`, `0.02 [-0.02, 0.06] below all`."""
    start = reference.candidate.start
    of = "" if start in (PRETRAINED, SCRATCH, REFEREE) else f" from {start}"
    return apart(reference.mean, reference.low, reference.high, f"{reference.name}{of}", reference.note)


def apart(mean: float, low: float, high: float, what: str, note: str = "") -> str:
    """How far something lies above or below `what`, with its interval, or the `note` that says why there is none.

    >>> apart(0.08, 0.02, 0.14, "expanding"), apart(-0.02, -0.06, 0.02, "all")
    ('0.08 [0.02, 0.14] above expanding', '0.02 [−0.02, 0.06] below all')
    """
    below = round(mean, 2) < 0
    sign = -1 if below else 1
    ends = sorted((sign * low, sign * high))
    interval = f"(no interval: {note})" if math.isnan(low) else f"[{digits(ends[0])}, {digits(ends[1])}]"
    return f"{digits(abs(mean))} {interval} {'below' if below else 'above'} {what}"


class Effect(Interval, Protocol):
    """Whatever has a mean with a 95 % interval, or a note that says why there is none."""

    @property
    def mean(self) -> float: ...
    @property
    def note(self) -> str: ...


def signed(effect: Effect) -> str:
    """`+0.081 [0.020, 0.142]`."""
    mean = f"{effect.mean:+.3f}".replace("-", "−")
    if math.isnan(effect.low):
        return f"{mean} (no interval: {effect.note})"
    return f"{mean} [{digits(effect.low, 3)}, {digits(effect.high, 3)}]"


def digits(value: float, count: int = 2) -> str:
    """A fixed number of digits with a true minus, never −0.00; an en dash for NaN."""
    return "–" if math.isnan(value) else f"{round(value, count) + 0.0:.{count}f}".replace("-", "−")


def span(interval: Interval) -> str:
    """`[0.02, 0.14]`, the ends of an interval."""
    return f"[{digits(interval.low)}, {digits(interval.high)}]"


def percent(share: float) -> str:
    """`5 %`, `0.3 %`: a share of the parameters."""
    return f"{100 * share:.0f} %" if share >= 0.01 else f"{100 * share:.1g} %"


def setting_words(setting: Setting) -> str:
    """`12 epochs, lr 0.001, batch 8, from phantoms`; the sweep's own start is not named."""
    more = "".join(f", {name} {value}" for name, value in setting.train.items())
    start = "" if setting.start == PRETRAINED else f", from {setting.start}"
    return f"{setting.epochs} epochs, lr {setting.learning_rate:g}{more}{start}"


def named(candidate: CandidateAt, ranking: Ranking) -> str:
    """`1-5 (contracting)`, and ` at 12 epochs, lr 0.001` where more than one setting was searched."""
    setting = f" at {setting_words(candidate)}" if len(ranking.settings) > 1 else ""
    return f"{mask_name(candidate)}{setting}"


def noun(ranking: Ranking) -> str:
    """`mask`, or `candidate` where more than one setting was searched."""
    return "mask" if len(ranking.settings) == 1 else "candidate"


def _no_answer(ranking: Ranking) -> str:
    return (
        f"No answer: no {noun(ranking)} of {ranking.candidates} scores more than {digits(ranking.best.dice)} Dice, so "
        "the networks find almost nothing. Train longer, at another learning rate, or from better starting weights."
    )


def _thaw_nothing(ranking: Ranking, info: SweepInfo) -> str:
    zero_shot = next(reference for reference in ranking.against if reference.name == "zero-shot")
    return (
        f"Thaw nothing: without any training the Dice is {digits(zero_shot.candidate.dice)}; the best of "
        f"{counted(ranking.candidates, noun(ranking))}, {_which(ranking, info)}, has {_score(ranking)}, "
        f"{ahead(zero_shot)}"
    )


def _thaw(ranking: Ranking, info: SweepInfo) -> str:
    against = {reference.name: reference for reference in ranking.against}
    among = f"No difference shown among {counted(ranking.candidates, noun(ranking))}: highest is"
    parts = [f"{among if _nothing_differs(ranking) else 'Thaw'} {_which(ranking, info)}: Dice {_score(ranking)}"]
    measured = [name for name in ("expanding", "contracting", "all") if name in against]
    shown = measured[:1] + (["all"] if "all" in measured[1:] else measured[1:2])
    parts += [", ".join(ahead(against[name]) for name in shown)] if shown else []
    parts.append(_ties(ranking))
    zero_shot, scratch = against.get("zero-shot"), against.get("scratch")
    parts += [ahead(reference) for reference in ranking.against if reference.name not in OURS]
    if zero_shot and not zero_shot.low > 0:
        parts.append(f"not shown to be better than no training at all ({ahead(zero_shot)})")
    if scratch and scratch.mean < 0:
        parts.append(f"all blocks from scratch score higher ({ahead(scratch)})")
    return "; ".join(parts)


def _which(ranking: Ranking, info: SweepInfo) -> str:
    """`blocks 1-5`, with the setting where more than one was searched."""
    best, word = ranking.best, WORDS[unit_of(info.spec)]
    plural = "" if len(best.blocks) == 1 else "s"
    which = f"all {word}s" if best.mask == "all" else f"{word}{plural} {best.mask}"
    return f"{which} ({setting_words(best)})" if len(ranking.settings) > 1 else which


def _score(ranking: Ranking) -> str:
    corrected = ranking.corrected
    searched = f"the search over {counted(ranking.candidates, noun(ranking))}"
    if corrected is None:
        return f"{digits(ranking.best.dice)} (not corrected for {searched})"
    return f"{digits(corrected.corrected)} ({digits(corrected.apparent)} before allowing for {searched})"


def _ties(ranking: Ranking) -> str:
    most = ranking.best.trainable_params
    cheaper = [candidate for candidate in ranking.tied if candidate.trainable_params < most]
    if not cheaper:
        return f"no cheaper {noun(ranking)} ties"
    first, alone = cheaper[0], len(cheaper) == 1
    tie = f"{noun(ranking)} ties, it is" if alone else f"{noun(ranking)}s tie, the smallest is"
    return f"{len(cheaper)} cheaper {tie} {named(first, ranking)} with {percent(first.share)} of the parameters"


def _nothing_differs(ranking: Ranking) -> bool:
    """Whether nothing differs: every candidate ties with the best, and no reference mask is excluded either."""
    masks = [reference for reference in ranking.against if reference.name in ("expanding", "contracting", "all")]
    return len(ranking.tied) == len(ranking.compared) and not any(reference.low > 0 for reference in masks)


def _how_corrected(ranking: Ranking) -> str:
    if ranking.corrected is None:
        return (
            "Not corrected for the search: that needs ten images or more. Expect the winner to score less on new "
            "images."
        )
    return (
        "Corrected for the search: the winner is chosen on drawn images and scored on the others, "
        f"{ranking.corrected.draws:,} times, and so are its leads. This accounts for the choice of images, not for the "
        "randomness of one training: only several seeds do."
    )


def _is_measured(name: str, ranking: Ranking) -> bool:
    best = ranking.best
    return name in (best.mask, *best.aliases) or any(reference.name == name for reference in ranking.against)

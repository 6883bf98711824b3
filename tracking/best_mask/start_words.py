"""What a table of starts and masks says, in a few sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from tracking.analysis.formatting import counted
from tracking.best_mask.sentences import Effect, digits, signed
from tracking.best_mask.two_way import LEVEL, Interaction, MaskEffect, RowEffect, TwoWay


class Fresh(Effect, Protocol):
    """An effect of fresh weights (`starts.FreshEffect`)."""

    @property
    def name(self) -> str: ...
    @property
    def masks(self) -> Sequence[str]: ...
    @property
    def p_holm(self) -> float: ...


def sentence_of(best: Mapping[str, str | None], effects: TwoWay, fresh: Sequence[Fresh], pretrainings: int) -> str:
    """What moves the Dice more, start or mask; whether the best mask depends on the start; what fresh weights lose; of
    how many pre-trainings this holds. `best`: the best mask of each start with weights, the sweep's own first.
    """
    own = next(iter(best))
    sentences = []
    if effects.rows:
        sentences.append("; ".join([_starts(own, effects.rows), *([_masks(effects.masks)] if effects.masks else [])]))
    elif len(best) > 1:
        sentences.append("too little is measured to compare starts with weights: no mask was trained from all of them")
    if effects.interactions:
        sentences.append(dependence("start", best, effects))
    if fresh:
        sentences.append(_fresh(own, fresh))
    if not sentences:
        return "Start and mask: too little is measured yet to compare starts."
    said = ". ".join(sentences)
    return f"Start and mask: {said[:1].lower()}{said[1:]}. {_of_pretrainings(pretrainings)}"


def _fresh(own: str, effects: Sequence[Fresh]) -> str:
    """`Fresh weights against photographs: scratch −0.120 [−0.200, −0.040] (mask all alone)`."""
    each = ", ".join(
        f"{effect.name} {signed(effect)} ({over_masks(effect.masks)}{'' if effect.p_holm <= LEVEL else ', not shown'})"
        for effect in effects
    )
    return f"Fresh weights against {own}: {each}"


def over_masks(masks: Sequence[str]) -> str:
    """`mask all alone`, `mean over 3 masks`."""
    return f"mask {masks[0]} alone" if len(masks) == 1 else f"mean over {len(masks)} masks"


def _starts(own: str, effects: Sequence[RowEffect]) -> str:
    each = ", ".join(
        f"{effect.name} {signed(effect)}{'' if effect.p_holm <= LEVEL else ' (not shown)'}" for effect in effects
    )
    return f"against {own}, mean over masks, {each}"


def _masks(effects: Sequence[MaskEffect]) -> str:
    low, high = min(effects, key=lambda effect: effect.mean), max(effects, key=lambda effect: effect.mean)
    return (
        f"masks differ, mean over starts, by {digits(high.mean - low.mean, 3)} from {low.mask} (lowest) to {high.mask} "
        "(highest), uncorrected for that choice"
    )


def dependence(factor: str, best: Mapping[str, str | None], effects: TwoWay) -> str:
    """Whether what a mask brings depends on the `factor`, the largest departure, and the best mask of each row."""
    known = {name: mask for name, mask in best.items() if mask is not None}
    largest: Interaction = max(effects.interactions, key=lambda effect: abs(effect.mean))
    size = f"largest departure {largest.mask} at {largest.name}, {signed(largest)}"
    by_row = ", ".join(f"{mask} ({name})" for name, mask in known.items())
    one = len(set(known.values())) == 1
    highest = f"the highest is {next(iter(known.values()))} from every {factor}" if one else f"highest: {by_row}"
    if effects.depends:
        return f"How much a mask brings depends on the {factor} ({size}); {highest}"
    return f"That the best mask depends on the {factor} is not shown ({size}); {highest}"


def _of_pretrainings(pretrainings: int) -> str:
    """How far it reaches: a start is one of many that its training could have given."""
    if pretrainings > 1:
        return f"Over {counted(pretrainings, 'pre-training')} of each start, whose variance is in the intervals."
    return "Of this one pre-training of each start: another is not in the intervals (search.start_seeds)."

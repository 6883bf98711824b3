"""What a table of starts and masks says, in a few sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tracking.analysis.formatting import counted
from tracking.best_mask.sentences import digits, signed
from tracking.best_mask.two_way import LEVEL, Interaction, MaskEffect, RowEffect, TwoWay


def sentence_of(best: Mapping[str, str | None], effects: TwoWay, pretrainings: int) -> str:
    """What moves the Dice more, start or mask; whether the best mask depends on the start; of how many pre-trainings
    this holds. `best`: the best mask of each start, the sweep's own first.
    """
    if not effects.rows:
        return "Start and mask: too little is measured to compare starts: no mask was trained from all of them."
    parts = [f"Start and mask: {_starts(next(iter(best)), effects.rows)}"]
    if effects.masks:
        parts.append(_masks(effects.masks))
    sentences = ["; ".join(parts), *([dependence("start", best, effects)] if effects.interactions else [])]
    return f"{'. '.join(sentences)}. {_of_pretrainings(pretrainings)}"


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

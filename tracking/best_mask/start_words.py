"""What a table of starts and masks says, in one or two sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tracking.analysis.formatting import counted
from tracking.best_mask.sentences import digits, signed

if TYPE_CHECKING:  # the table's own module asks for the sentence
    from tracking.best_mask.starts import Interaction, MaskEffect, StartEffect, StartRow


def sentence_of(
    rows: Sequence[StartRow],
    starts: Sequence[StartEffect],
    masks: Sequence[MaskEffect],
    interactions: Sequence[Interaction],
    pretrainings: int,
    depends: bool,
) -> str:
    """What moves the Dice more, start or mask; whether the best mask depends on the start; of how many pre-trainings
    this holds.
    """
    if not starts:
        return "Start and mask: too little is measured to compare starts: no mask was trained from all of them."
    parts = [f"Start and mask: {_start_words(rows, starts)}"]
    if masks:
        parts.append(f"{_mask_words(masks)}. {_dependence(rows, interactions, depends)}")
    return f"{'; '.join(parts)}. {_of_pretrainings(rows, pretrainings)}".strip()


def _start_words(rows: Sequence[StartRow], starts: Sequence[StartEffect]) -> str:
    own = rows[0].name
    effects = ", ".join(f"{effect.name} {signed(effect)}{_holm(effect.p_holm)}" for effect in starts)
    return f"against {own}, mean over masks, {effects}"


def _holm(p: float) -> str:
    return "" if p <= 0.05 else " (not shown)"


def _mask_words(masks: Sequence[MaskEffect]) -> str:
    low, high = min(masks, key=lambda effect: effect.mean), max(masks, key=lambda effect: effect.mean)
    return (
        f"masks differ, mean over starts, by {digits(high.mean - low.mean, 3)} from {low.mask} (lowest) to {high.mask} "
        "(highest), uncorrected for that choice"
    )


def _dependence(rows: Sequence[StartRow], interactions: Sequence[Interaction], depends: bool) -> str:
    best = {row.name: row.best for row in rows if row.best is not None}
    largest = max(interactions, key=lambda effect: abs(effect.mean))
    size = f"largest departure {largest.mask} from {largest.name}, {signed(largest)}"
    choices = ", ".join(f"{mask} from {name}" for name, mask in best.items())
    same = f"the highest is {next(iter(best.values()))} from every start" if len(set(best.values())) == 1 else choices
    if depends:
        return f"How much a mask brings depends on the start ({size}); highest: {choices}"
    return f"That the best mask depends on the start is not shown ({size}); {same}"


def _of_pretrainings(rows: Sequence[StartRow], pretrainings: int) -> str:
    """How far it reaches: a start is one of many that its training could have given."""
    if pretrainings > 1:
        return f"Over {counted(pretrainings, 'pre-training')} of each start, whose variance is in the intervals."
    return "Of this one pre-training of each start: another is not in the intervals (search.start_seeds)."

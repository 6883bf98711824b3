"""Start x mask as tables of text: the scores, and what start and mask do to them."""

from __future__ import annotations

import math
from collections.abc import Iterator

from tracking.analysis.contrasts import Difference
from tracking.analysis.formatting import counted, number, p_value
from tracking.analysis.simulated_rates import false_positives
from tracking.best_mask.sentences import signed
from tracking.best_mask.starts import StartCell, StartRow, StartTable
from tracking.best_mask.tables import Table
from trainer.config import RANDOM_FROZEN, SCRATCH

SHOWN = 12  # masks that a table has columns for; `thaw report --format json` has all


STARTS = "Start and mask"
FRESH = {SCRATCH: "fresh weights, all of which train", RANDOM_FROZEN: "fresh weights, frozen ones as they were drawn"}
STARTS_NOTE = (
    "A start's effect is its mean over masks minus that of the sweep's own start; a mask's is its mean over starts "
    "minus that of all masks; what a pair does beyond both is D_sm − D_s. − D_.m + D.. . Corrected resampled t over "
    "folds; with several pre-trainings their variance is added. Of random-frozen, the mask all is training from "
    "scratch. "
    + false_positives(
        "starts after Holm", "masks over all starts after Holm", "interactions of start and mask after Holm"
    )
)


def start_tables(starts: StartTable) -> tuple[Table, ...]:
    """The scores, and what start and mask do where that can be said."""
    return (score_table(starts), *((start_effect_table(starts),) if starts.starts else ()))


def score_table(starts: StartTable) -> Table:
    """A row for each start, a column for each mask that all complete rows have, the cheapest first."""
    masks = starts.masks[:SHOWN]
    rows = tuple(
        (row.name, row.source or FRESH[row.what], number(row.untrained), *_scores(row, masks), row.best or "–")
        for row in starts.rows
    )
    repeats = "" if starts.pretrainings == 1 else f", over {counted(starts.pretrainings, 'pre-training')}"
    some = f", the {SHOWN} cheapest of {len(starts.masks)} masks" if len(starts.masks) > SHOWN else ""
    setting = f"{starts.epochs} epochs, lr {starts.learning_rate:g}"
    title = f"Dice by start and mask at {setting} (± SD over folds{repeats}{some})"
    return Table(title, ("start", "what it is", "not tuned", *masks, "best"), rows)


def start_effect_table(starts: StartTable) -> Table:
    """The effect of each start, of each mask, and the largest interactions."""
    largest = sorted(starts.interactions, key=lambda effect: -abs(effect.mean))[:SHOWN]
    own = starts.rows[0].name
    rows = [
        *(_effect(f"start {effect.name} − {own}", effect) for effect in starts.starts),
        *(_effect(f"mask {effect.mask} − all masks", effect) for effect in starts.mask_effects[:SHOWN]),
        *(_effect(f"{effect.mask} from {effect.name}, beyond both", effect) for effect in largest),
    ]
    title = "What start and mask do, and what they do together (Holm within each kind)"
    left = len(starts.interactions) - len(largest) + max(0, len(starts.mask_effects) - SHOWN)
    return Table(title, ("effect", "Dice [95 %]", "Holm p"), tuple(rows), left)


def _scores(row: StartRow, masks: tuple[str, ...]) -> Iterator[str]:
    by_mask = {cell.mask: cell for cell in row.cells}
    return (_score(by_mask[mask]) if mask in by_mask else "–" for mask in masks)


def _score(cell: StartCell) -> str:
    return number(cell.dice) if math.isnan(cell.sd) else f"{number(cell.dice)} ± {number(cell.sd)}"


def _effect(name: str, effect: Difference) -> tuple[str, str, str]:
    return name, signed(effect), p_value(effect.p_holm)

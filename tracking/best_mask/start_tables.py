"""Start x mask as tables of text: the scores, and what start and mask do to them."""

from __future__ import annotations

import math

from tracking.analysis.contrasts import Difference
from tracking.analysis.formatting import counted, number, p_value
from tracking.analysis.simulated_rates import false_positives
from tracking.best_mask.sentences import signed
from tracking.best_mask.start_words import over_masks
from tracking.best_mask.starts import StartCell, StartTable
from tracking.best_mask.tables import Table
from trainer.candidate import RANDOM_FROZEN, SCRATCH

SHOWN = 12  # masks and interactions that the table of effects shows


STARTS = "Start and mask"
FRESH = {SCRATCH: "fresh weights, all of which train", RANDOM_FROZEN: "fresh weights, frozen ones as they were drawn"}
NOTE = (
    "A start's effect is its mean over masks minus that of the sweep's own start; a mask's is its mean over starts "
    "minus that of all masks; what a pair does beyond both is D_sm − D_s. − D_.m + D.. . Corrected resampled t over "
    "folds; with several pre-trainings their variance is added. Fresh weights (scratch, random-frozen) are a control: "
    "set against the sweep's own start, and no part of the other effects. Of random-frozen, the mask all is training "
    "from scratch. "
)


def starts_note(starts: StartTable) -> str:
    """What the tables show, and how often their tests find something where there is nothing."""
    if starts.pretrainings == 1:
        return NOTE + false_positives(
            "starts after Holm", "masks over all starts after Holm", "interactions of start and mask after Holm"
        )
    return NOTE + false_positives(
        "starts after Holm, three pre-trainings",
        "masks over all starts after Holm, three pre-trainings",
        "interactions of start and mask after Holm, three pre-trainings",
    )


def start_tables(starts: StartTable) -> tuple[Table, ...]:
    """The starts, the scores, and what start and mask do where that can be said."""
    effects = (start_effect_table(starts),) if starts.starts or starts.fresh else ()
    return named_table(starts), score_table(starts), *effects


def named_table(starts: StartTable) -> Table:
    """What each start is, its Dice before any tuning, and its best mask."""
    rows = ((row.name, row.source or FRESH[row.what], number(row.untrained), row.best or "–") for row in starts.rows)
    untrained = "Dice, not tuned" if starts.pretrainings == 1 else "Dice, not tuned (first pre-training)"
    return Table("The starts", ("start", "what it is", untrained, "best mask"), tuple(rows))


def score_table(starts: StartTable) -> Table:
    """A row for each mask that all complete starts have, the cheapest first, and a column for each start."""
    repeats = "" if starts.pretrainings == 1 else f", over {counted(starts.pretrainings, 'pre-training')}"
    more = "".join(f", {name} {value}" for name, value in starts.train.items())
    setting = f"{starts.epochs} epochs, lr {starts.learning_rate:g}{more}"
    cells = [{cell.mask: _score(cell) for cell in row.cells} for row in starts.rows]
    rows = tuple((mask, *(of_start.get(mask, "–") for of_start in cells)) for mask in starts.masks)
    title = f"Dice by mask and start at {setting} (± SD over folds{repeats})"
    return Table(title, ("mask", *(row.name for row in starts.rows)), rows)


def start_effect_table(starts: StartTable) -> Table:
    """The effect of each start, of each mask, the largest interactions, and what fresh weights lose."""
    own = starts.rows[0].name
    # With two starts each stands in both rows, with another sign.
    distinct = [effect for effect in starts.interactions if len(starts.starts) > 1 or effect.name != own]
    largest = sorted(distinct, key=lambda effect: -abs(effect.mean))[:SHOWN]
    rows = [
        *(_effect(f"start {effect.name} − {own}", effect) for effect in starts.starts),
        *(_effect(f"mask {effect.mask} − all masks", effect) for effect in starts.mask_effects[:SHOWN]),
        *(_effect(f"{effect.mask} from {effect.name}, beyond both", effect) for effect in largest),
        *(_effect(f"{effect.name} − {own}, {over_masks(effect.masks)}", effect) for effect in starts.fresh),
    ]
    title = "What start and mask do, and what they do together (Holm within each kind)"
    left = len(distinct) - len(largest) + max(0, len(starts.mask_effects) - SHOWN)
    return Table(title, ("effect", "Dice [95 %]", "Holm p"), tuple(rows), left)


def _score(cell: StartCell) -> str:
    return number(cell.dice) if math.isnan(cell.sd) else f"{number(cell.dice)} ± {number(cell.sd)}"


def _effect(name: str, effect: Difference) -> tuple[str, str, str]:
    return name, signed(effect), p_value(effect.p_holm)

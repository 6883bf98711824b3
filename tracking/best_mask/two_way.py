"""A table of scores, rows x masks, as effects: what the row does, what the mask does, and what they do together.

Contrasts of a full table D_rm, fold by fold: of a row, D_r. - D_0., against the first; of a mask, D_.m - D..; of both,
the interaction D_rm - D_r. - D_.m + D.. (Fisher). Each is tested by the corrected resampled t. Where the table was made
several times with other pre-trainings, their variance is added (`tracking.statistics.with_further_variance`), for folds
share every pre-training.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracking.analysis.contrasts import Difference, contrast, difference
from tracking.analysis.seeds import Repeats
from tracking.record import SweepInfo, TrialRecord
from tracking.statistics import Comparison, holm, with_further_variance

LEVEL = 0.05
Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class RowEffect(Difference):
    """The row `name` minus the first one, mean over all masks; `p_holm` over all rows."""

    name: str


@dataclass(frozen=True, kw_only=True)
class MaskEffect(Difference):
    """A `mask` minus the mean of all masks, mean over rows; `p_holm` over all masks."""

    mask: str


@dataclass(frozen=True, kw_only=True)
class Interaction(Difference):
    """By how much a `mask` does better in the row `name` than row and mask add up to; `p_holm` over all of them."""

    name: str
    mask: str


@dataclass(frozen=True)
class TwoWay:
    """The effects of a table; each empty where there are fewer than two rows, or masks for what compares these."""

    rows: tuple[RowEffect, ...] = ()
    masks: tuple[MaskEffect, ...] = ()
    interactions: tuple[Interaction, ...] = ()

    @property
    def depends(self) -> bool:
        """Whether an interaction was shown: what a mask brings depends on the row."""
        return any(effect.p_holm <= LEVEL for effect in self.interactions)


def two_way(dice: Array, names: Sequence[str], masks: Sequence[str], info: SweepInfo) -> TwoWay:
    """The effects of `dice` (rows, masks, pre-trainings, folds)."""
    if len(names) < 2 or not masks:
        return TwoWay()
    of_row, of_mask, overall = dice.mean(axis=1), dice.mean(axis=0), dice.mean(axis=(0, 1))
    rows = holm([_tested(values - of_row[0], info) for values in of_row[1:]])
    row_effects = tuple(
        RowEffect(**vars(difference(effect, info)), name=name) for name, effect in zip(names[1:], rows, strict=True)
    )
    if len(masks) < 2:
        return TwoWay(row_effects)
    mask_effects = holm([_tested(values - overall, info) for values in of_mask])
    pairs = [(row, mask) for row in range(len(names)) for mask in range(len(masks))]
    together = holm([_tested(dice[row, mask] - of_row[row] - of_mask[mask] + overall, info) for row, mask in pairs])
    return TwoWay(
        row_effects,
        tuple(
            MaskEffect(**vars(difference(effect, info)), mask=mask)
            for mask, effect in zip(masks, mask_effects, strict=True)
        ),
        tuple(
            Interaction(**vars(difference(effect, info)), name=names[row], mask=masks[mask])
            for (row, mask), effect in zip(pairs, together, strict=True)
        ),
    )


def by_pretraining(trial: TrialRecord, repeats: Repeats) -> Array:
    """Dice (pre-trainings, folds) of a trial, the mean over the training seeds of each pre-training."""
    parts = repeats.parts.get(trial.info.candidate.key, (trial,) * len(repeats.lucks))
    starts = list(dict.fromkeys(start for _, start in repeats.lucks))
    rows = [
        [part.folds["dice"] for part, (_, of) in zip(parts, repeats.lucks, strict=True) if of == start]
        for start in starts
    ]
    return np.array([np.mean(np.array(row, np.float64), axis=0) for row in rows])


def _tested(values: Array, info: SweepInfo) -> Comparison:
    """The test of a contrast (pre-trainings, folds)."""
    by_fold = contrast(values.mean(axis=0), info)
    if len(values) < 2:
        return by_fold
    over_pretrainings = np.nanmean(values, axis=1)
    return with_further_variance(by_fold, float(over_pretrainings.var(ddof=1)) / len(values), len(values) - 1)

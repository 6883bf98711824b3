"""A table of scores, rows x masks, as effects: what the row does, what the mask does, and what they do together.

Contrasts of a full table D_rm, fold by fold: of a row, D_r. - D_0., against the first; of a mask, D_.m - D..; of both,
the interaction D_rm - D_r. - D_.m + D.. (Fisher). Each is tested by the corrected resampled t. Where the table was made
several times with other pre-trainings, their variance is added (`contrast`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tracking.analysis.contrasts import Difference, contrast, difference
from tracking.record import SweepInfo
from tracking.statistics import Comparison, holm

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
    rows = _tested([values - of_row[0] for values in of_row[1:]], info)
    row_effects = tuple(
        RowEffect(**vars(difference(effect, info)), name=name) for name, effect in zip(names[1:], rows, strict=True)
    )
    if len(masks) < 2:
        return TwoWay(row_effects)
    mask_effects = _tested([values - overall for values in of_mask], info)
    pairs = [(row, mask) for row in range(len(names)) for mask in range(len(masks))]
    together = _tested([dice[row, mask] - of_row[row] - of_mask[mask] + overall for row, mask in pairs], info)
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


def _tested(contrasts: Sequence[Array], info: SweepInfo) -> list[Comparison]:
    """The tests of contrasts (pre-trainings, folds), Holm over those that differ: two rows have one interaction a mask,
    which stands in each of them with another sign.
    """
    tested = [contrast(values, info) for values in contrasts]
    first_of = [next(index for index, other in enumerate(contrasts) if _same(values, other)) for values in contrasts]
    distinct = sorted(set(first_of))
    corrected = dict(zip(distinct, holm([tested[index] for index in distinct]), strict=True))
    return [replace(one, p_holm=corrected[first].p_holm) for one, first in zip(tested, first_of, strict=True)]


def _same(values: Array, other: Array) -> bool:
    """Whether two contrasts are one, up to its sign."""
    return any(np.allclose(values, sign * other, rtol=0, atol=1e-12, equal_nan=True) for sign in (1, -1))

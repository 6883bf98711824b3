"""Convergence: what a larger epoch budget changes, mask by mask."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from tracking.analysis.contrasts import comparison_object, contrast
from tracking.analysis.seed_noise import noise_object
from tracking.analysis.seeds import Repeats
from tracking.record import Json, SweepInfo, TrialRecord
from tracking.statistics import holm


def convergence_objects(
    done: Sequence[TrialRecord], rate: float | None, info: SweepInfo, repeats: Repeats | None = None
) -> list[Json]:
    """The JSON field `convergence`: for each pair of neighbouring budgets at `rate` the paired change of every mask
    trained to both, Holm over the masks. The longer training passes through the shorter, so both saw the same batches.
    """
    trials = [one for one in done if one.info.role == "trial" and one.info.candidate.learning_rate == rate]
    budgets = sorted({one.info.candidate.epochs for one in trials})
    repeats = repeats or Repeats()
    found = []
    for shorter, longer in itertools.pairwise(budgets):
        at = {(one.info.candidate.mask, one.info.candidate.epochs): one for one in trials}
        both = sorted(
            (one for one in trials if one.info.candidate.epochs == longer and (one.info.candidate.mask, shorter) in at),
            key=lambda one: (one.info.trainable_params, one.info.candidate.mask),
        )
        changes = holm(
            [
                contrast(
                    np.array(one.folds["dice"]) - np.array(at[one.info.candidate.mask, shorter].folds["dice"]), info
                )
                for one in both
            ]
        )
        noises = [
            noise_object([long.mean_dice - short.mean_dice for long, short in repeats.by_seed(pair)])
            for pair in ([one, at[one.info.candidate.mask, shorter]] for one in both)
        ]
        masks = [
            {
                "mask": one.info.candidate.mask,
                "aliases": list(one.info.aliases),
                **(comparison_object(change, info, noise) or {}),
            }
            for one, change, noise in zip(both, changes, noises, strict=True)
        ]
        if masks:
            found.append({"from": shorter, "to": longer, "masks": masks})
    return found

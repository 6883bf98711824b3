"""The noise floor: how far a number moves when a training is repeated with another seed. Described, never tested."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tracking.analysis.seeds import Repeats
from tracking.record import SweepInfo, TrialRecord
from tracking.statistics import spread


@dataclass(frozen=True)
class SeedNoise:
    """How far one number moves with the training seed. `per_seed`: the number as each seed alone gives it, both sides
    of a difference of one seed; `sd` = sqrt(sum (x_s - mean)^2 / (S - 1)) is what to expect of one more training, `se`
    = sd / sqrt(S) the standard error of the mean over the S seeds.
    """

    sd: float
    se: float
    per_seed: tuple[float, ...]


def seed_noise(per_seed: Sequence[float]) -> SeedNoise | None:
    """The noise of one number from its values seed by seed; None with fewer than two seeds."""
    if len(per_seed) < 2:
        return None
    over_seeds = spread(per_seed)
    return SeedNoise(over_seeds.sd, over_seeds.sem, tuple(per_seed))


def trial_noise(trial: TrialRecord, repeats: Repeats) -> SeedNoise | None:
    """The noise of one merged trial's mean Dice; None for one that no seed changes (zero-shot)."""
    if trial.info.candidate.key not in repeats.parts:
        return None
    return seed_noise([part.mean_dice for (part,) in repeats.by_seed([trial])])


def pooled_sd(per_seed: Sequence[Sequence[float]]) -> tuple[float, int]:
    """SD over seeds pooled over masks, and its degrees of freedom; one row of seeds per mask.

    sqrt(sum_m sum_s (x_ms - mean_m)^2 / df), df = sum_m (S_m - 1): the root mean square of the masks' SDs. Masks of one
    seed share its augmented copies and the order of its batches, so the degrees of freedom are those at most.

    >>> pooled_sd([[1, 3], [5, 5]])
    (1.0, 2)
    """
    rows = [np.asarray(row, float) for row in per_seed if len(row) > 1 and not np.isnan(row).any()]
    df = sum(row.size - 1 for row in rows)
    squares = math.fsum(float(((row - row.mean()) ** 2).sum()) for row in rows)
    return (math.sqrt(squares / df), df) if df else (math.nan, 0)


@dataclass(frozen=True)
class NoiseFloor:
    """How far another training seed moves a mask's mean Dice. `seeds` that are compared; `sd` over them, pooled over
    the `masks` at the main setting (NaN where it was not measured), with `df` degrees of freedom; `others`: names of
    the trials left out because their seed is not planned or not done for every mask; `words`: what was repeated;
    `sentence`: what that means, or how to measure it.
    """

    seeds: tuple[int, ...]
    sd: float
    df: int
    masks: int
    others: tuple[str, ...]
    words: str
    sentence: str


def noise_floor(main: Sequence[TrialRecord], repeats: Repeats, info: SweepInfo) -> NoiseFloor:
    """The noise floor over the trials at the main setting, and what it says."""
    per_seed = [[trial.mean_dice for trial in selection] for selection in repeats.by_seed(main)]
    sd, df = pooled_sd([list(row) for row in zip(*per_seed, strict=True)])
    masks = df // max(1, len(repeats.seeds) - 1)
    sentence = _sentence(sd, df, masks, repeats, info)
    return NoiseFloor(repeats.seeds, sd, df, masks, repeats.others, repeats.words, sentence)


def moves(noise: SeedNoise | None) -> str:
    """How far another seed moves a difference, in words; empty without several seeds."""
    if noise is None or math.isnan(noise.sd):
        return ""
    digits = 3 if noise.sd >= 0.001 else 4
    return (
        f"repeating with another seed moves this difference by about ±{noise.sd:.{digits}f} (SD over "
        f"{len(noise.per_seed)} repeats; standard error of their mean {noise.se:.{digits}f})"
    )


def _sentence(sd: float, df: int, masks: int, repeats: Repeats, info: SweepInfo) -> str:
    count = len(repeats.seeds)
    if count > 1 and not df:
        return f"The noise floor is not known yet: no mask has finished with all of its {count} seeds."
    if count > 1:
        plural = "seeds" if repeats.kind == "seed" else "repeats"
        shared = f", pooled over {masks} masks" if masks > 1 else ""
        return f"Another {repeats.kind} moves a mask's mean Dice by about ±{sd:.3f} (SD over {count} {plural}{shared})."
    numbers = ",".join(str(repeats.seeds[0] + k) for k in range(3))
    seeds = f"--set 'search.seeds=[{numbers}]'"
    remedy = f"repeat the command with {seeds}"
    if info.searched:
        remedy = (
            "repeat the masks in question as a list, under the same --name: --set search.space=masks --set "
            f"'search.masks=[...]' --set search.strategy=grid --set search.trials=0 {seeds}"
        )
    return (
        "The noise floor is not measured: every trial was trained with one seed, so how far another would move these "
        f"numbers is not known. To measure it, {remedy}; what is recorded already is kept."
    )

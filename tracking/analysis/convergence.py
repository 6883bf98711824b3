"""Convergence: what a larger epoch budget changes, mask by mask."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from tracking.analysis.comparisons import from_own_start
from tracking.analysis.contrasts import Difference, contrast, difference
from tracking.analysis.seed_noise import SeedNoise, seed_noise
from tracking.analysis.seeds import Repeats
from tracking.record import SweepInfo, TrialRecord
from tracking.statistics import holm
from trainer.candidate import TrainValue


@dataclass(frozen=True, kw_only=True)
class MaskChange(Difference):
    """Dice of one mask after the longer training minus after the shorter, fold by fold. `mask` as it is written,
    `aliases`: its other names.
    """

    mask: str
    aliases: tuple[str, ...]


@dataclass(frozen=True)
class BudgetStep:
    """Two neighbouring budgets of epochs, `shorter` and `longer`, and what the step changed for the `masks` trained to
    both, those with the fewest parameters first; Holm over the masks.
    """

    shorter: int
    longer: int
    masks: tuple[MaskChange, ...]


def budget_steps(
    done: Sequence[TrialRecord],
    rate: float | None,
    info: SweepInfo,
    repeats: Repeats | None = None,
    train: tuple[tuple[str, TrainValue], ...] = (),
) -> tuple[BudgetStep, ...]:
    """For each pair of neighbouring budgets at `rate` the paired change of every mask trained to both, from the sweep's
    own start and with the searched training settings `train`. The longer training passes through the shorter, so both
    saw the same batches.
    """
    candidates = [(trial, trial.info.candidate) for trial in from_own_start(done)]
    trials = [trial for trial, one in candidates if (one.learning_rate, one.train) == (rate, train)]
    budgets = sorted({trial.info.candidate.epochs for trial in trials})
    steps = (
        BudgetStep(shorter, longer, _changes(_pairs(trials, shorter, longer), info, repeats or Repeats()))
        for shorter, longer in itertools.pairwise(budgets)
    )
    return tuple(step for step in steps if step.masks)


Pair = tuple[TrialRecord, TrialRecord]  # the longer training of a mask, and the shorter


def _pairs(trials: Sequence[TrialRecord], shorter: int, longer: int) -> list[Pair]:
    """Every trial of the longer budget with that of the same mask at the shorter one."""
    by_mask = {trial.info.candidate.mask: trial for trial in trials if trial.info.candidate.epochs == shorter}
    longer_trials = [
        trial for trial in trials if trial.info.candidate.epochs == longer and trial.info.candidate.mask in by_mask
    ]
    longer_trials.sort(key=lambda trial: (trial.info.trainable_params, trial.info.candidate.mask))
    return [(trial, by_mask[trial.info.candidate.mask]) for trial in longer_trials]


def _changes(pairs: Sequence[Pair], info: SweepInfo, repeats: Repeats) -> tuple[MaskChange, ...]:
    gains = [repeats.by_pretraining(longer) - repeats.by_pretraining(shorter) for longer, shorter in pairs]
    tested = holm([contrast(gain, info) for gain in gains])
    return tuple(
        MaskChange(
            **vars(difference(change, info, _noise(pair, repeats))),
            mask=pair[0].info.candidate.mask,
            aliases=pair[0].info.aliases,
        )
        for pair, change in zip(pairs, tested, strict=True)
    )


def _noise(pair: Pair, repeats: Repeats) -> SeedNoise | None:
    return seed_noise([longer.mean_dice - shorter.mean_dice for longer, shorter in repeats.by_seed(pair)])

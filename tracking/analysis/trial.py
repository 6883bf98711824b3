"""One finished trial in numbers, as a report lists it."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tracking.analysis.comparisons import DEEP, SHALLOW
from tracking.analysis.per_image import PerImage, per_image
from tracking.analysis.seed_noise import SeedNoise, trial_noise
from tracking.analysis.seeds import Repeats
from tracking.record import METRICS, Role, TrialRecord
from tracking.statistics import false_positive_percent, pooled_dice, spread
from trainer.candidate import TrainValue
from trainer.results import Score


@dataclass(frozen=True)
class FoldScores:
    """One metric of a trial: `mean` over folds, `sd` with n - 1, `sem` = sd / sqrt(n); `folds`: the value of each, in
    order. Dice, ARI and surface Dice are fractions of 1, pixel error is in %, HD95 in the unit of the sweep's
    `distances`. A fold without a value is NaN and left out.
    """

    mean: float
    sd: float
    sem: float
    folds: tuple[float, ...]


@dataclass(frozen=True)
class ClassScores:
    """The scores of one class: how many `images`, and their mean `dice`."""

    images: int
    dice: float


@dataclass(frozen=True)
class TrialSummary:
    """A finished trial: one mask at one setting, trained and scored in every fold; where it was repeated with several
    seeds, the mean over them.

    `mask`: as it is written; `aliases`: its other names; `blocks`: the trained units, counted from 1. `orders`: every
    (order, depth) that the mask is; `order`, `depth`: the first of them, None for a mask that is on no order. `role`:
    `trial`, `zero-shot`, `scratch`, `leaky` or `subset`. `start`: `pretrained` (the sweep's own), `scratch`,
    `random-frozen` or the name of another start; `split`: `grouped` (augmented after the split) or `leaky` (before it);
    `images`: it trained as if so many were labelled, 0 for all. `epochs`, `learning_rate`: its budget and rate (0
    epochs: not trained); `train`: searched training settings, those that differ from the sweep's own.
    `trainable_params`: trained parameters. `seeds`:
    it was trained with each of them; `noise`: of its mean Dice over these, None with one seed.

    `dice`, `pixel_error` (%), `ari`: means over folds. `dice_pooled`: Dice of all pixels of all images as one image.
    `hd95`: 95 % Hausdorff distance, `surface_dice`: normalised surface Dice, means over folds; `hd95_median`: of all
    images; NaN in a trial recorded before they were. `nothing_predicted`: images with a target but no predicted pixel
    (with any of its seeds), whose HD95 is the image's diagonal.
    `per_image`: the Dice of its images. `empty_truths`: images without a target, which have no Dice;
    `false_positive_percent`: mean share of those wrongly called lesion, in %, NaN where there are none. `by_class`:
    label -> images and mean Dice.
    """

    mask: str
    aliases: tuple[str, ...]
    blocks: tuple[int, ...]
    order: str | None
    depth: int | None
    orders: tuple[tuple[str, int], ...]
    role: Role
    start: str
    split: str
    images: int
    epochs: int
    learning_rate: float
    train: Mapping[str, TrainValue]
    trainable_params: int
    seeds: tuple[int, ...]
    noise: SeedNoise | None
    dice: FoldScores
    pixel_error: FoldScores
    ari: FoldScores
    hd95: FoldScores
    surface_dice: FoldScores
    dice_pooled: float
    hd95_median: float
    nothing_predicted: int
    per_image: PerImage
    empty_truths: int
    false_positive_percent: float
    by_class: Mapping[str, ClassScores]

    @property
    def metrics(self) -> tuple[FoldScores, ...]:
        """In the order of `METRICS`."""
        return tuple(getattr(self, metric) for metric in METRICS)


def summarise_trial(trial: TrialRecord, repeats: Repeats | None = None) -> TrialSummary:
    """A trial (of a repeated one, the merged record) in numbers; `repeats` has the trainings behind it."""
    repeats = repeats or Repeats((trial.info.candidate.luck,))
    info, candidate = trial.info, trial.info.candidate
    order, depth = info.orders[0] if info.orders else (None, None)
    scores = [score for _, score in trial.scores]
    empty = [score for score in scores if score.tp + score.fn == 0]
    return TrialSummary(
        mask=candidate.mask,
        aliases=info.aliases,
        blocks=info.blocks,
        order=order,
        depth=depth,
        orders=info.orders,
        role=info.role,
        start=candidate.start,
        split=candidate.split,
        images=candidate.images,
        epochs=candidate.epochs,
        learning_rate=candidate.learning_rate,
        train=dict(candidate.train),
        trainable_params=info.trainable_params,
        seeds=repeats.seeds if candidate.epochs else (),
        noise=trial_noise(trial, repeats),
        dice=_over_folds(trial.folds["dice"]),
        pixel_error=_over_folds(trial.folds["pixel_error"]),
        ari=_over_folds(trial.folds["ari"]),
        hd95=_over_folds(trial.folds["hd95"]),
        surface_dice=_over_folds(trial.folds["surface_dice"]),
        dice_pooled=pooled_dice(scores),
        hd95_median=_median([score.hd95 for score in scores]),
        nothing_predicted=sum(score.tp + score.fp == 0 < score.fn for score in scores),
        per_image=per_image([score.dice for score in scores]),
        empty_truths=len(empty),
        false_positive_percent=false_positive_percent(empty),
        by_class={
            label: _of_class(label, scores) for label in sorted({score.label for score in scores if score.label})
        },
    )


def report_order(trial: TrialRecord) -> tuple[Any, ...]:
    """The place of a trial in a report: largest budget first, baselines last, then along the curves."""
    info, candidate = trial.info, trial.info.candidate
    shallow, deep = info.depth_in(SHALLOW), info.depth_in(DEEP)
    group = 0 if shallow else 1 if deep else 2
    return (
        *(info.role != "trial", info.role, -candidate.epochs, candidate.learning_rate),
        *(group, shallow or deep or 0, len(info.blocks)),
        *(candidate.mask, candidate.start, candidate.split, candidate.images, candidate.seed),
    )


def _over_folds(folds: Sequence[float]) -> FoldScores:
    over_folds = spread(folds)
    return FoldScores(over_folds.mean, over_folds.sd, over_folds.sem, tuple(folds))


def _median(values: Sequence[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return float(statistics.median(known)) if known else math.nan


def _of_class(label: str, scores: Sequence[Score]) -> ClassScores:
    dice = [score.dice for score in scores if score.label == label]
    return ClassScores(len(dice), spread(dice).mean)

"""Which mask to take: the winner and what is left of its lead, the masks that tie with it, the cheap choice."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict

import numpy as np

from tracking.analysis.per_image import cases_by_rule
from tracking.analysis.seed_noise import noise_object
from tracking.analysis.seeds import Repeats
from tracking.analysis.winners_curse import (
    FEWEST,
    against_best,
    bbc_cv,
    dice_by_image,
    image_scores,
    one_standard_error,
)
from tracking.record import Json, SweepInfo, TrialRecord


def choice_object(main: Sequence[TrialRecord], info: SweepInfo, repeats: Repeats | None = None) -> Json | None:
    """The JSON field `choice` over the trials of the main setting; null with fewer than two that have a Dice."""
    trials = [one for one in main if not math.isnan(one.mean_dice)]
    trials.sort(key=lambda one: (one.info.trainable_params, one.info.candidate.mask))  # cheapest first
    if len(trials) < 2:
        return None
    folds = np.array([one.folds["dice"] for one in trials])
    train, tested = zip(*info.fold_sizes, strict=True)
    best, compared = against_best(folds, train, tested)
    cheap, floor = one_standard_error(folds, [one.info.trainable_params for one in trials])
    return {
        "best": _named(trials[best]),
        "compared": [
            {
                **_named(one),
                "behind": found.mean,
                "p": found.p,
                "p_adjusted": found.p_adjusted,
                "tied": not found.p_adjusted <= 0.05,
                "noise": _behind_noise(trials[best], one, repeats or Repeats()),
            }
            for one, found in zip(trials, compared, strict=True)
        ],
        "one_standard_error": {**_named(trials[cheap]), "floor": floor},
        "winner": _winner(trials),
    }


def _behind_noise(best: TrialRecord, one: TrialRecord, repeats: Repeats) -> Json | None:
    """How far another seed moves the distance from the best mask, which is the best of the means over seeds."""
    if one is best:
        return None
    return noise_object([left.mean_dice - right.mean_dice for left, right in repeats.by_seed([best, one])])


def _named(trial: TrialRecord) -> Json:
    return {
        "mask": trial.info.candidate.mask,
        "aliases": list(trial.info.aliases),
        "trainable_params": trial.info.trainable_params,
        "dice": trial.mean_dice,
    }


def _winner(trials: Sequence[TrialRecord]) -> Json | None:
    """BBC-CV over the images that every trial scored; null when these are too few."""
    images, scores = image_scores(trials)
    if len(images) < FEWEST:
        return None
    found = bbc_cv(scores)
    masks = [one.info.candidate.mask for one in trials]
    shares = sorted(zip(masks, found.frequencies, strict=True), key=lambda pair: -pair[1])
    return asdict(found) | {
        "best": masks[found.best],
        "optimism": found.optimism,
        "images": len(images),
        "masks": len(masks),
        "frequencies": [{"mask": mask, "chosen": share} for mask, share in shares if share],
    }


def case_objects(main: Sequence[TrialRecord], info: SweepInfo) -> list[Json]:
    """The JSON field `cases`: images to look at, with the Dice of contracting and expanding."""
    by_mask = {one.info.candidate.mask: one for one in main}
    sides = [by_mask.get(info.named_masks.get(name, "")) for name in ("contracting", "expanding")]
    if sides[0] is None or sides[1] is None:
        return []
    left, right = dice_by_image(sides[0]), dice_by_image(sides[1])
    return [
        {"rule": rule, "image": image, "contracting": left[image], "expanding": right[image]}
        for rule, image in cases_by_rule(left, right)
    ]

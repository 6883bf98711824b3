"""What augmenting before splitting would have shown: each leaky trial beside its honest one. It decides nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import itemgetter

from tracking.analysis.per_image import per_image
from tracking.analysis.seed_noise import moves, noise_object
from tracking.analysis.seeds import Reading
from tracking.record import Json, SweepInfo, TrialRecord

Setting = tuple[int | None, float | None]


def leakage_object(reading: Reading, setting: Setting) -> Json | None:
    """The JSON field `leakage` without its `trials`; null for a sweep without a finished leaky trial.

    For every leaky trial with an honest one of the same mask, start, epochs, rate and seeds, over the n original images
    that have a Dice in both: inflation = 1/n sum_i (L_i - H_i), where H_i is the image's honest Dice and L_i the mean
    leaky Dice of its scored versions (itself and its copies). `low`..`high` resample the images (percentile bootstrap,
    95 %): descriptive, the networks are not trained anew. `difference` is that of the fold means.
    """
    info = reading.honest.info
    honest = {_same(one): one for one in reading.honest.finished if one.info.role in ("trial", "scratch")}
    leaky = sorted((one for one in reading.leaky if one.status == "FINISHED"), key=_order)
    if not leaky:
        return None
    compared = [_pair(one, honest[_same(one)], reading) for one in leaky if _same(one) in honest]
    first, rest = _sentences(compared, setting, info)
    return {
        "compared": compared,
        "without_honest": [one.info.candidate.name for one in leaky if _same(one) not in honest],
        "sentence": first,
        "detail": rest,
    }


def inflation(leaky: TrialRecord, honest: TrialRecord) -> list[float]:
    """L_i - H_i of every original image with a Dice in both, by name."""
    sides = [
        {score.image: score.dice for _, score in one.scores if not math.isnan(score.dice)} for one in (leaky, honest)
    ]
    return [sides[0][name] - sides[1][name] for name in sorted(sides[0].keys() & sides[1].keys())]


def _pair(leaky: TrialRecord, honest: TrialRecord, reading: Reading) -> Json:
    info = leaky.info
    over = per_image(inflation(leaky, honest))
    means = [one.mean_dice for one in (honest, leaky)]
    each = [per_image(inflation(left, right)).mean for left, right in reading.repeats.by_seed([leaky, honest])]
    return {
        "mask": info.candidate.mask,
        "aliases": list(info.aliases),
        "start": info.candidate.start,
        "epochs": info.candidate.epochs,
        "learning_rate": info.candidate.learning_rate,
        "honest": means[0],
        "leaky": means[1],
        "difference": means[1] - means[0],
        "inflation": over.mean,
        "low": over.low,
        "high": over.high,
        "images": over.n,
        "noise": noise_object(each),
    }


def _sentences(compared: Sequence[Json], setting: Setting, info: SweepInfo) -> tuple[str, str]:
    """Contracting at the main setting if it is there, else the first; then what the images say."""
    if not compared:
        return "No leaky trial has an honest one of the same mask and setting beside it, so no inflation is known.", ""
    main = [one for one in compared if (one["epochs"], one["learning_rate"], one["start"]) == (*setting, "pretrained")]
    named = {name: [one for one in main if one["mask"] == info.named_masks.get(name)]
             for name in ("contracting", "expanding")}  # fmt: skip
    one = (named["contracting"] or main or list(compared))[0]
    name = next((f"{alias} ({one['mask']})" for alias in one["aliases"] if alias != one["mask"]), one["mask"])
    name += " from scratch" if one["start"] == "scratch" else ""
    shown = one["difference"] > 0 and not one["low"] <= 0
    too = " too much" if shown else ", no inflation shown"
    first = (
        f"Augmenting before splitting would have shown {one['leaky']:.3f} for {name}: {one['difference']:+.3f}{too}."
    )
    first += _another_winner(main)
    rest = f"The honest Dice is {one['honest']:.3f}."
    if one["images"]:
        rest += (
            f" Image by image the inflation is {one['inflation']:+.3f} (95 % over {one['images']} images, descriptive: "
            f"{one['low']:+.3f} to {one['high']:+.3f})."
        )
    if words := moves(one["noise"]):
        rest += f" {words[0].upper()}{words[1:]}."
    if named["contracting"] and named["expanding"]:
        sides = [named[side][0] for side in ("contracting", "expanding")]
        gaps = [sides[0][key] - sides[1][key] for key in ("leaky", "honest")]
        rest += f" Contracting − expanding would have read {gaps[0]:+.3f} instead of {gaps[1]:+.3f}."
    return first, rest


def _another_winner(main: Sequence[Json]) -> str:
    """Whether the leaky order would have chosen another of the masks measured both ways, in words."""
    if not main:
        return ""
    shown, honest = max(main, key=itemgetter("leaky")), max(main, key=itemgetter("honest"))
    if shown is honest:
        return ""
    return (
        f" Of {len(main)} masks it would have put {shown['mask']} first ({shown['leaky']:.3f}) instead of "
        f"{honest['mask']} ({honest['honest']:.3f})."
    )


def _same(trial: TrialRecord) -> tuple[object, ...]:
    return (*trial.info.candidate.recipe, trial.info.candidate.epochs)


def _order(trial: TrialRecord) -> tuple[object, ...]:
    one = trial.info.candidate
    return (one.start, -one.epochs, one.learning_rate, len(trial.info.blocks), one.mask)

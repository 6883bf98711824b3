"""What augmenting before splitting would have shown: each leaky trial beside its honest one. It decides nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tracking.analysis.comparisons import SIDES
from tracking.analysis.per_image import per_image
from tracking.analysis.seed_noise import SeedNoise, moves, seed_noise
from tracking.analysis.seeds import Reading
from tracking.analysis.trial import TrialSummary, report_order, summarise_trial
from tracking.analysis.winners_curse import dice_by_image
from tracking.record import SweepInfo, TrialRecord
from trainer.candidate import PRETRAINED, SCRATCH

EpochsAndRate = tuple[int | None, float | None]


@dataclass(frozen=True)
class Inflation:
    """One mask trained on both splits, otherwise alike. `mask`, `aliases`, `start`, `epochs`, `learning_rate` as of a
    trial. `honest`, `leaky`: mean Dice over folds; `difference` = leaky - honest. `inflation`: mean over the `images`
    (originals with a Dice in both) of the leaky Dice of an image's scored versions minus its honest Dice.
    `low`..`high`: 95 % bootstrap of the images, descriptive. `noise`: how far another seed moves the inflation, None
    with one seed.
    """

    mask: str
    aliases: tuple[str, ...]
    start: str
    epochs: int
    learning_rate: float
    honest: float
    leaky: float
    difference: float
    inflation: float
    low: float
    high: float
    images: int
    noise: SeedNoise | None


@dataclass(frozen=True)
class Leakage:
    """What augmenting before splitting would have shown; it enters no other field but `failed`, `unfinished` and
    `missing`. `compared`: each mask with both trainings; `without_honest`: names of leaky trials with no honest one
    beside them; `sentence` and `detail`: what that means; `trials`: the leaky trials, `per_image` by original.
    """

    compared: tuple[Inflation, ...]
    without_honest: tuple[str, ...]
    sentence: str
    detail: str
    trials: tuple[TrialSummary, ...]


def measure_leakage(reading: Reading, setting: EpochsAndRate) -> Leakage | None:
    """The leaky trials beside the honest ones; None for a sweep without a finished leaky trial.

    For every leaky trial with an honest one of the same mask, start, epochs, rate and seeds, over the n original images
    that have a Dice in both: inflation = 1/n sum_i (L_i - H_i), where H_i is the image's honest Dice and L_i the mean
    leaky Dice of its scored versions (itself and its copies). `low`..`high` resample the images (percentile bootstrap,
    95 %): descriptive, the networks are not trained anew. `difference` is that of the fold means.
    """
    info = reading.honest.info
    honest = {_same(trial): trial for trial in reading.honest.finished if trial.info.role in ("trial", "scratch")}
    leaky = sorted((trial for trial in reading.leaky if trial.status == "FINISHED"), key=_order)
    if not leaky:
        return None
    compared = tuple(_inflation(trial, honest[_same(trial)], reading) for trial in leaky if _same(trial) in honest)
    return Leakage(
        compared,
        tuple(trial.info.candidate.name for trial in leaky if _same(trial) not in honest),
        *_sentences(compared, setting, info),
        tuple(summarise_trial(trial, reading.repeats) for trial in sorted(leaky, key=report_order)),
    )


def inflation(leaky: TrialRecord, honest: TrialRecord) -> list[float]:
    """L_i - H_i of every original image with a Dice in both, by name."""
    left, right = dice_by_image(leaky), dice_by_image(honest)
    return [left[name] - right[name] for name in sorted(left.keys() & right.keys())]


def _inflation(leaky: TrialRecord, honest: TrialRecord, reading: Reading) -> Inflation:
    candidate = leaky.info.candidate
    over_images = per_image(inflation(leaky, honest))
    by_seed = [
        per_image(inflation(leaky_part, honest_part)).mean
        for leaky_part, honest_part in reading.repeats.by_seed([leaky, honest])
    ]
    return Inflation(
        mask=candidate.mask,
        aliases=leaky.info.aliases,
        start=candidate.start,
        epochs=candidate.epochs,
        learning_rate=candidate.learning_rate,
        honest=honest.mean_dice,
        leaky=leaky.mean_dice,
        difference=leaky.mean_dice - honest.mean_dice,
        inflation=over_images.mean,
        low=over_images.low,
        high=over_images.high,
        images=over_images.n,
        noise=seed_noise(by_seed),
    )


def _sentences(compared: Sequence[Inflation], setting: EpochsAndRate, info: SweepInfo) -> tuple[str, str]:
    """Contracting at the main setting if it is there, else the first; then what the images say."""
    if not compared:
        return "No leaky trial has an honest one of the same mask and setting beside it, so no inflation is known.", ""
    main = [row for row in compared if (row.epochs, row.learning_rate, row.start) == (*setting, PRETRAINED)]
    contracting, expanding = ([row for row in main if row.mask == info.named_masks.get(name)] for name in SIDES)
    shown = (contracting or main or list(compared))[0]
    detail = _by_image(shown)
    if contracting and expanding:
        detail += _between(contracting[0], expanding[0])
    return _headline(shown) + _another_winner(main), detail


def _headline(shown: Inflation) -> str:
    name = next((f"{alias} ({shown.mask})" for alias in shown.aliases if alias != shown.mask), shown.mask)
    name += " from scratch" if shown.start == SCRATCH else ""
    inflated = shown.difference > 0 and not shown.low <= 0
    too = " too much" if inflated else ", no inflation shown"
    return f"Augmenting before splitting would have shown {shown.leaky:.3f} for {name}: {shown.difference:+.3f}{too}."


def _by_image(shown: Inflation) -> str:
    detail = f"The honest Dice is {shown.honest:.3f}."
    if shown.images:
        detail += (
            f" Image by image the inflation is {shown.inflation:+.3f} (95 % over {shown.images} images, descriptive: "
            f"{shown.low:+.3f} to {shown.high:+.3f})."
        )
    if noise := moves(shown.noise):
        detail += f" {noise[0].upper()}{noise[1:]}."
    return detail


def _between(contracting: Inflation, expanding: Inflation) -> str:
    leaky, honest = contracting.leaky - expanding.leaky, contracting.honest - expanding.honest
    return f" Contracting − expanding would have read {leaky:+.3f} instead of {honest:+.3f}."


def _another_winner(main: Sequence[Inflation]) -> str:
    """Whether the leaky order would have chosen another of the masks measured both ways, in words."""
    if not main:
        return ""
    leaky_best, honest_best = max(main, key=lambda row: row.leaky), max(main, key=lambda row: row.honest)
    if leaky_best is honest_best:
        return ""
    return (
        f" Of {len(main)} masks it would have put {leaky_best.mask} first ({leaky_best.leaky:.3f}) instead of "
        f"{honest_best.mask} ({honest_best.honest:.3f})."
    )


def _same(trial: TrialRecord) -> tuple[object, ...]:
    return (*trial.info.candidate.recipe, trial.info.candidate.epochs)


def _order(trial: TrialRecord) -> tuple[object, ...]:
    candidate = trial.info.candidate
    return (candidate.start, -candidate.epochs, candidate.learning_rate, len(trial.info.blocks), candidate.mask)

"""Dice against the number of labelled images: a curve for each mask, where they cross, what more would bring.

The trials on a part of the images decide nothing: no comparison, verdict or choice of a report uses them.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tracking.analysis.contrasts import Difference, contrast, difference
from tracking.analysis.extrapolation import Gain, gain
from tracking.analysis.formatting import from_start, mask_name
from tracking.analysis.seed_noise import SeedNoise, seed_noise
from tracking.analysis.seeds import Reading, Repeats
from tracking.analysis.trial import FoldScores, TrialSummary, report_order, summarise_trial
from tracking.record import SweepInfo, TrialRecord
from tracking.statistics import holm, spread

ALL_PAIRS = 4  # curves of which every two are compared; of more, each with the one that leads with all images
NEXT = (0.25, 0.5)  # how many images more, as shares of all, are asked about
SIGNIFICANT = 0.05


@dataclass(frozen=True)
class SizePoint:
    """A mask with so many labelled `images`: `trained` of them in each fold (mean over seeds), `dice` over folds."""

    images: int
    trained: tuple[float, ...]
    dice: FoldScores


@dataclass(frozen=True)
class MaskCurve:
    """A mask at the main setting. `mask`, `aliases`, `start` as of a trial; `name` tells it from the other curves;
    `points` by rising number of images, the last with all; `gains`: what a quarter and a half more would add.
    """

    name: str
    mask: str
    aliases: tuple[str, ...]
    start: str
    points: tuple[SizePoint, ...]
    gains: tuple[Gain, ...]


@dataclass(frozen=True, kw_only=True)
class SizeDifference(Difference):
    """Dice of one mask minus that of another with so many labelled `images`."""

    images: int


@dataclass(frozen=True)
class Crossing:
    """Two curves change places between `low` and `high` images, two neighbours that were measured: `near` so many, on
    the straight line between both over the logarithm of the number. `shown`: at some smaller and at some larger number
    the one and then the other mask is significantly better.
    """

    low: int
    high: int
    near: float
    shown: bool


@dataclass(frozen=True)
class CurvePair:
    """Two masks, by name. `differences`: `first` minus `second` at every number of images that both have, Holm over
    them; `change`: the difference with all images minus that with the fewest, Holm over the pairs; `crossings`: where
    the means cross.
    """

    first: str
    second: str
    differences: tuple[SizeDifference, ...]
    change: Difference
    crossings: tuple[Crossing, ...]


@dataclass(frozen=True)
class LabelledImages:
    """Dice against the number of labelled images, at the main setting. `images`: all that there are; `sizes`: the
    smaller numbers. `curves`: of each mask that was trained on a part, that which leads with all images first; `pairs`:
    every two of them, of more than four each with the first. `sentence`: what this says. `trials`: all trials on a part
    of the images, at any setting.
    """

    images: int
    sizes: tuple[int, ...]
    curves: tuple[MaskCurve, ...]
    pairs: tuple[CurvePair, ...]
    sentence: str
    trials: tuple[TrialSummary, ...]


@dataclass(frozen=True)
class _Measured:
    """The trials behind a curve, by rising number of images."""

    mask: str
    aliases: tuple[str, ...]
    start: str
    trials: Mapping[int, TrialRecord]

    @property
    def name(self) -> str:
        return from_start(mask_name(self), self.start)


def labelled_images(reading: Reading, main: Sequence[TrialRecord]) -> LabelledImages | None:
    """What the trials on a part of the images say beside those of the `main` setting on all of them; None for a sweep
    without a finished one.
    """
    finished = [trial for trial in reading.subsets if trial.status == "FINISHED"]
    if not finished:
        return None
    info, repeats = reading.honest.info, reading.repeats
    everything = sum(len(fold) for fold in info.folds)
    measured = _measured(finished, main, everything)
    pairs = _with_holm([_pair(first, second, info, repeats) for first, second in _pairs(measured)])
    curves = tuple(_curve(one, info) for one in measured)
    return LabelledImages(
        images=everything,
        sizes=tuple(sorted({trial.info.candidate.images for trial in finished})),
        curves=curves,
        pairs=pairs,
        sentence=_sentence(curves, pairs, everything),
        trials=tuple(summarise_trial(trial, repeats) for trial in sorted(finished, key=report_order)),
    )


def _measured(subsets: Sequence[TrialRecord], main: Sequence[TrialRecord], everything: int) -> list[_Measured]:
    """The curves with at least one trial on a part of the images, the best with all images first."""
    wholes = {trial.info.candidate.recipe: trial for trial in main}
    found: dict[tuple[object, ...], dict[int, TrialRecord]] = {}
    for trial in subsets:
        whole = wholes.get(replace(trial.info.candidate, images=0).recipe)
        if whole is not None and trial.info.candidate.epochs == whole.info.candidate.epochs:
            curve = found.setdefault(whole.info.candidate.recipe, {everything: whole})
            curve[trial.info.candidate.images] = trial
    ordered = sorted(found.values(), key=lambda curve: -np.nan_to_num(curve[everything].mean_dice, nan=-1.0))
    return [_measured_of(dict(sorted(curve.items()))) for curve in ordered]


def _measured_of(trials: Mapping[int, TrialRecord]) -> _Measured:
    info = next(iter(trials.values())).info
    return _Measured(info.candidate.mask, info.aliases, info.candidate.start, trials)


def _curve(measured: _Measured, info: SweepInfo) -> MaskCurve:
    points = tuple(_point(size, trial, info) for size, trial in measured.trials.items())
    everything = points[-1].images
    # A group is taken whole, so a fold may train on a few images more than its share.
    sizes = [_effective(point, info) for point in points]
    dice = np.array([point.dice.folds for point in points], np.float64).T
    gains = tuple(gain(sizes, dice, int(share * everything), info) for share in NEXT)
    return MaskCurve(measured.name, measured.mask, measured.aliases, measured.start, points, gains)


def _point(size: int, trial: TrialRecord, info: SweepInfo) -> SizePoint:
    over_folds = spread(trial.folds["dice"])
    everything = tuple(float(train) for train, _ in info.fold_sizes)
    share = tuple(size * train / sum(len(fold) for fold in info.folds) for train in everything)
    trained = (trial.train_images or share) if trial.info.candidate.images else everything
    return SizePoint(size, trained, FoldScores(over_folds.mean, over_folds.sd, over_folds.sem, trial.folds["dice"]))


def _effective(point: SizePoint, info: SweepInfo) -> float:
    """How many labelled images the folds' training parts stand for."""
    return sum(point.trained) / sum(train for train, _ in info.fold_sizes) * sum(len(fold) for fold in info.folds)


def _pairs(measured: Sequence[_Measured]) -> list[tuple[_Measured, _Measured]]:
    if len(measured) <= ALL_PAIRS:
        return list(itertools.combinations(measured, 2))
    return [(measured[0], other) for other in measured[1:]]


def _pair(first: _Measured, second: _Measured, info: SweepInfo, repeats: Repeats) -> CurvePair:
    sizes = [size for size in first.trials if size in second.trials]
    pairs = [(first.trials[size], second.trials[size]) for size in sizes]
    apart = [repeats.by_pretraining(left) - repeats.by_pretraining(right) for left, right in pairs]
    tested = holm([contrast(folds, info) for folds in apart])
    differences = tuple(
        SizeDifference(**vars(difference(one, info, _noise(pair, repeats))), images=size)
        for size, one, pair in zip(sizes, tested, pairs, strict=True)
    )
    change = difference(contrast(apart[-1] - apart[0], info), info)
    return CurvePair(first.name, second.name, differences, change, _crossings(differences))


def _with_holm(pairs: Sequence[CurvePair]) -> tuple[CurvePair, ...]:
    """The same pairs with Holm over their changes."""
    changes = holm([pair.change for pair in pairs])
    return tuple(
        replace(pair, change=replace(pair.change, p_holm=one.p_holm)) for pair, one in zip(pairs, changes, strict=True)
    )


def _noise(pair: tuple[TrialRecord, TrialRecord], repeats: Repeats) -> SeedNoise | None:
    return seed_noise([left.mean_dice - right.mean_dice for left, right in repeats.by_seed(pair)])


def _crossings(differences: Sequence[SizeDifference]) -> tuple[Crossing, ...]:
    found = []
    for index, (before, after) in enumerate(itertools.pairwise(differences)):
        if before.mean * after.mean < 0:
            share = before.mean / (before.mean - after.mean)
            near = math.exp((1 - share) * math.log(before.images) + share * math.log(after.images))
            sides = differences[: index + 1], differences[index + 1 :]
            shown = all(
                any(one.p_holm <= SIGNIFICANT and one.mean * nearest.mean > 0 for one in side)
                for side, nearest in zip(sides, (before, after), strict=True)
            )
            found.append(Crossing(before.images, after.images, near, shown))
    return tuple(found)


def _sentence(curves: Sequence[MaskCurve], pairs: Sequence[CurvePair], everything: int) -> str:
    """Who leads with how many images, where the leader's curve crosses another, and what more images would bring."""
    if not curves:
        return "Masks were trained on fewer images, but none of them also on all at the main setting."
    parts = [_leaders(curves), *_order(curves[0], pairs), gain_sentence(curves[0], curves[0].gains[0], everything)]
    return " ".join(part for part in parts if part)


def _leaders(curves: Sequence[MaskCurve]) -> str:
    """Which mask has the highest mean at each number of images."""
    by_size: dict[int, list[tuple[float, str]]] = {}
    for curve in curves:
        for point in curve.points:
            if not math.isnan(point.dice.mean):
                by_size.setdefault(point.images, []).append((point.dice.mean, curve.name))
    compared = {size: max(rows) for size, rows in sorted(by_size.items()) if len(rows) == len(curves)}
    if len(curves) < 2 or not compared:
        point = curves[0].points[0]
        return f"With {point.images} labelled images {curves[0].name} has a Dice of {point.dice.mean:.3f}."
    leaders = [(size, name, dice) for size, (dice, name) in compared.items()]
    if len({name for _, name, _ in leaders}) == 1:
        size, name, dice = leaders[0]
        return f"{name} has the highest mean Dice at every number of labelled images, from {size} ({dice:.3f}) on."
    changes = [one for index, one in enumerate(leaders) if index == 0 or one[1] != leaders[index - 1][1]]
    size, name, dice = changes[0]
    later = "".join(f", from {size} on {name} ({dice:.3f})" for size, name, dice in changes[1:])
    return f"With {size} labelled images {name} has the highest mean Dice ({dice:.3f}){later}."


def _order(leader: MaskCurve, pairs: Sequence[CurvePair]) -> list[str]:
    """How sure the crossings of the leader's curve are, and whether its lead depends on the number of images."""
    own = [pair for pair in pairs if leader.name == pair.first]
    crossings = [
        f"{pair.second} near {one.near:.0f} ({'shown' if one.shown else 'not shown: within the noise'})"
        for pair in own
        for one in pair.crossings
    ]
    changes = [
        f"its lead over {pair.second} changes by {pair.change.mean:+.3f} [{pair.change.low:+.3f} to "
        f"{pair.change.high:+.3f}] from {pair.differences[0].images} to {pair.differences[-1].images} images"
        for pair in own
        if pair.change.p_holm <= SIGNIFICANT
    ]
    crossed = f"The curve of {leader.name} crosses {', '.join(crossings) or 'no other'}"
    depends = "; ".join(changes) or "that its lead depends on the number of images is not shown"
    return [f"{crossed}; {depends}."] if own else []


def gain_sentence(curve: MaskCurve, found: Gain, everything: int) -> str:
    """What more images would bring for a mask, or that it cannot be said."""
    if found.refusal:
        return f"What the next {found.more} images would bring {curve.name} cannot be said: {found.refusal}."
    return (
        f"The next {found.more} images, beyond all {everything}, would bring {curve.name} {found.mean:+.3f} Dice "
        f"[{found.low:+.3f} to {found.high:+.3f}], if its curve goes on as it rose."
    )

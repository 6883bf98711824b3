"""What is compared inside a sweep: at which setting, contracting with expanding, curve with curve, depth by depth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tracking.analysis.contrasts import Difference, contrast, difference
from tracking.analysis.seed_noise import SeedNoise, seed_noise
from tracking.analysis.seeds import Repeats
from tracking.record import SweepInfo, TrialRecord
from tracking.statistics import Comparison, area_between_curves, holm
from trainer.candidate import PRETRAINED, TrainValue

Array = NDArray[np.float64]
SHALLOW, DEEP = "shallow-first", "deep-first"
SIDES = ("contracting", "expanding")
HALVES = "contracting − expanding"
AREA = "area between the curves (shallow − deep)"


@dataclass(frozen=True, kw_only=True)
class DepthDifference(Difference):
    """shallow-k minus deep-k: the two directions with equally many trained units. `depth` is k, from 1 to n - 1."""

    depth: int


@dataclass(frozen=True)
class CoPrimary:
    """The two comparisons fixed in advance, both in Dice, Holm over both; None where masks are missing for one.

    `contracting_vs_expanding`: the contracting mask minus the expanding one. `area_between_curves`: mean over k of
    shallow-k minus deep-k.
    """

    contracting_vs_expanding: Difference | None = None
    area_between_curves: Difference | None = None

    @property
    def titled(self) -> tuple[tuple[str, Difference], ...]:
        """(title, difference) of those that could be made."""
        titled = ((HALVES, self.contracting_vs_expanding), (AREA, self.area_between_curves))
        return tuple((title, comparison) for title, comparison in titled if comparison is not None)


@dataclass(frozen=True, kw_only=True)
class BudgetComparisons(CoPrimary):
    """The co-primary comparisons at one budget of `epochs`."""

    epochs: int


@dataclass(frozen=True)
class Comparisons(CoPrimary):
    """The comparisons at the main setting. `by_depth`: secondary, shallow-k minus deep-k for every k with both sides,
    Holm over them. `missing`: the masks that a co-primary comparison is missing, by name.
    """

    by_depth: tuple[DepthDifference, ...] = ()
    missing: tuple[str, ...] = ()


def main_setting(done: Sequence[TrialRecord]) -> tuple[int | None, float | None]:
    """The largest budget, and there the rate that most masks of the two curves share.

    Two rates with equally many masks: the one with the higher mean Dice over them, which favours no direction.
    """
    trials = [trial for trial in from_own_start(done) if trial.info.candidate.epochs]
    if not trials:
        return None, None
    epochs = max(trial.info.candidate.epochs for trial in trials)
    rates: dict[float, list[float]] = {}
    for trial in trials:
        if trial.info.candidate.epochs == epochs:
            dice = rates.setdefault(trial.info.candidate.learning_rate, [])
            dice.append(trial.mean_dice)
    return epochs, max(sorted(rates), key=lambda rate: (len(rates[rate]), float(np.nan_to_num(np.mean(rates[rate])))))


def from_own_start(done: Sequence[TrialRecord]) -> list[TrialRecord]:
    """The trials (no baselines) that began with the sweep's own weights: other starts have a table of their own."""
    return [trial for trial in done if (trial.info.role, trial.info.candidate.start) == ("trial", PRETRAINED)]


Train = tuple[tuple[str, TrainValue], ...]


def at_setting(
    done: Sequence[TrialRecord], epochs: int | None, rate: float | None, train: Train | None = None
) -> list[TrialRecord]:
    """The trials (no baselines) at an epoch count and a learning rate, all from the sweep's own start and with the same
    training settings.

    `train`: these settings; None: where they were searched too, those that most masks share; of as many those that
    differ least from the sweep's own.
    """
    candidates = [(trial, trial.info.candidate) for trial in from_own_start(done)]
    trials = [trial for trial, one in candidates if (one.epochs, one.learning_rate) == (epochs, rate)]
    counts = Counter(trial.info.candidate.train for trial in trials)
    if train is None:
        train = max(sorted(counts, key=str), key=lambda one: (counts[one], -len(one)), default=())
    return [trial for trial in trials if trial.info.candidate.train == train]


def compare(main: Sequence[TrialRecord], info: SweepInfo, repeats: Repeats | None = None) -> Comparisons:
    """The comparisons of the trials at one setting, each with how far another training seed moves it: the same
    comparisons seed by seed.
    """
    repeats = repeats or Repeats()
    overall = _contrasts(main, info, repeats)
    by_seed = [_contrasts(selection, info, Repeats()) for selection in repeats.by_seed(main)]
    return Comparisons(
        _difference(overall.contracting, info, _noise([contrasts.contracting for contrasts in by_seed])),
        _difference(overall.area, info, _noise([contrasts.area for contrasts in by_seed])),
        tuple(
            DepthDifference(**vars(difference(comparison, info, _noise_at(k, by_seed))), depth=k)
            for k, comparison in overall.by_depth.items()
        ),
        overall.missing,
    )


def compare_budget(
    done: Sequence[TrialRecord],
    epochs: int,
    rate: float | None,
    info: SweepInfo,
    repeats: Repeats,
    train: Train | None = None,
) -> BudgetComparisons:
    """The co-primary comparisons among the trials of one budget at a learning rate, with training settings `train`."""
    comparisons = compare(at_setting(done, epochs, rate, train), info, repeats)
    return BudgetComparisons(comparisons.contracting_vs_expanding, comparisons.area_between_curves, epochs=epochs)


def curve(main: Sequence[TrialRecord], order: str) -> dict[int, TrialRecord]:
    """depth -> trial of one order, depths ascending."""
    by_depth = {trial.info.depth_in(order): trial for trial in main}
    return {depth: by_depth[depth] for depth in sorted(depth for depth in by_depth if depth)}


@dataclass(frozen=True)
class _Contrasts:
    """The tested differences of one selection of trials, before their noise is known."""

    contracting: Comparison | None
    area: Comparison | None
    by_depth: Mapping[int, Comparison] = field(default_factory=dict)
    missing: tuple[str, ...] = ()


def _contrasts(main: Sequence[TrialRecord], info: SweepInfo, repeats: Repeats) -> _Contrasts:
    """The two co-primary differences (Holm over both), those by depth (Holm over them) and the masks not measured."""
    halves, unmeasured_halves = _halves(main, info, repeats)
    shallow, deep = (
        {depth: repeats.by_pretraining(trial) for depth, trial in curve(main, order).items()}
        for order in (SHALLOW, DEEP)
    )
    area, unmeasured_depths = _area(shallow, deep, info)
    corrected = iter(holm([comparison for comparison in (halves, area) if comparison is not None]))
    depths = [k for k in range(1, info.n_blocks) if k in shallow and k in deep]
    pairs = [contrast(shallow[k] - deep[k], info) for k in depths]
    return _Contrasts(
        next(corrected) if halves else None,
        next(corrected) if area else None,
        dict(zip(depths, holm(pairs), strict=True)),
        (*unmeasured_halves, *unmeasured_depths),
    )


def _halves(main: Sequence[TrialRecord], info: SweepInfo, repeats: Repeats) -> tuple[Comparison | None, list[str]]:
    """Contracting minus expanding, and which of the two was not measured."""
    dice = {trial.info.candidate.mask: repeats.by_pretraining(trial) for trial in main}
    masks = {name: info.named_masks[name] for name in SIDES if name in info.named_masks}
    missing = [f"{name} ({mask})" for name, mask in masks.items() if mask not in dice]
    if missing or len(masks) < len(SIDES):
        return None, missing
    contracting, expanding = (dice[masks[name]] for name in SIDES)
    return contrast(contracting - expanding, info), missing


def _area(
    shallow: Mapping[int, Array], deep: Mapping[int, Array], info: SweepInfo
) -> tuple[Comparison | None, list[str]]:
    """The area between the curves, and the masks of them that were not measured."""
    depths = range(1, info.n_blocks)
    missing = [f"shallow-{k}" for k in depths if k not in shallow] + [f"deep-{k}" for k in depths if k not in deep]
    if missing or not depths:
        return None, missing
    sides = [np.array([dice[k] for k in depths]) for dice in (shallow, deep)]
    return contrast(area_between_curves(sides[0], sides[1]), info), missing


def _difference(comparison: Comparison | None, info: SweepInfo, noise: SeedNoise | None) -> Difference | None:
    return None if comparison is None else difference(comparison, info, noise)


def _noise_at(depth: int, by_seed: Sequence[_Contrasts]) -> SeedNoise | None:
    """The noise of shallow-k minus deep-k."""
    return _noise([contrasts.by_depth[depth] for contrasts in by_seed])


def _noise(by_seed: Sequence[Comparison | None]) -> SeedNoise | None:
    """The noise of a difference from the same difference with each seed."""
    return seed_noise([comparison.mean for comparison in by_seed if comparison is not None])

"""What is compared inside a sweep: at which setting, contracting with expanding, curve with curve, depth by depth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from tracking.analysis.contrasts import contrast
from tracking.analysis.seed_noise import noise_object
from tracking.analysis.seeds import Repeats
from tracking.record import Json, SweepInfo, TrialRecord
from tracking.statistics import Comparison, area_between_curves, holm

SHALLOW, DEEP = "shallow-first", "deep-first"


def main_setting(done: Sequence[TrialRecord]) -> tuple[int | None, float | None]:
    """The largest budget, and there the rate that most masks of the two curves share.

    Two rates with equally many masks: the one with the higher mean Dice over them, which favours no direction.
    """
    trials = [trial for trial in done if trial.info.role == "trial" and trial.info.candidate.epochs]
    if not trials:
        return None, None
    epochs = max(trial.info.candidate.epochs for trial in trials)
    rates: dict[float, list[float]] = {}
    for trial in trials:
        if trial.info.candidate.epochs == epochs:
            dice = rates.setdefault(trial.info.candidate.learning_rate, [])
            dice.append(trial.mean_dice)
    return epochs, max(sorted(rates), key=lambda rate: (len(rates[rate]), float(np.nan_to_num(np.mean(rates[rate])))))


def at_setting(done: Sequence[TrialRecord], epochs: int | None, rate: float | None) -> list[TrialRecord]:
    """The trials (no baselines) at an epoch count and a learning rate, all with the same training settings.

    Where those were searched too, the settings that most masks share; the sweep's own if as many have these.
    """
    wanted = (epochs, rate, "trial")
    found = [
        one for one in done if (one.info.candidate.epochs, one.info.candidate.learning_rate, one.info.role) == wanted
    ]
    shared = Counter(one.info.candidate.train for one in found)
    common = max(sorted(shared, key=str), key=lambda train: (shared[train], not train), default=())
    return [one for one in found if one.info.candidate.train == common]


def compare(
    main: Sequence[TrialRecord], info: SweepInfo
) -> tuple[Comparison | None, Comparison | None, list[tuple[int, Comparison]], list[str]]:
    """The two co-primary comparisons (Holm over both), those by depth (Holm over them) and the masks that lack."""
    dice = {trial.info.candidate.mask: trial.folds["dice"] for trial in main}
    shallow, deep = curve(main, SHALLOW), curve(main, DEEP)
    missing = [f"{name} ({info.named_masks[name]})" for name in ("contracting", "expanding") if name in info.named_masks
               and info.named_masks[name] not in dice]  # fmt: skip
    first = None
    if not missing and {"contracting", "expanding"} <= info.named_masks.keys():
        sides = [np.array(dice[info.named_masks[name]]) for name in ("contracting", "expanding")]
        first = contrast(sides[0] - sides[1], info)
    depths = range(1, info.n_blocks)
    lacking = [f"shallow-{k}" for k in depths if k not in shallow] + [f"deep-{k}" for k in depths if k not in deep]
    second = None
    if not lacking and depths:
        sides = [np.array([one[k].folds["dice"] for k in depths]) for one in (shallow, deep)]
        second = contrast(area_between_curves(sides[0], sides[1]), info)
    both = [k for k in depths if k in shallow and k in deep]
    pairs = [contrast(np.array(shallow[k].folds["dice"]) - np.array(deep[k].folds["dice"]), info) for k in both]
    corrected = iter(holm([one for one in (first, second) if one is not None]))
    first = next(corrected) if first else None
    second = next(corrected) if second else None
    return first, second, list(zip(both, holm(pairs), strict=True)), missing + lacking


@dataclass(frozen=True)
class CompareNoise:
    """The noise objects of `compare`'s comparisons: contracting, area, and by depth."""

    contracting: Json | None = None
    area: Json | None = None
    by_depth: Mapping[int, Json | None] = field(default_factory=dict)


def compare_noise(main: Sequence[TrialRecord], info: SweepInfo, repeats: Repeats) -> CompareNoise:
    """How far another seed moves every comparison: the same comparisons seed by seed."""
    found = [compare(selection, info) for selection in repeats.by_seed(main)]
    if not found:
        return CompareNoise()
    depths = [depth for depth, _ in found[0][2]]
    return CompareNoise(
        noise_object([one[0].mean for one in found if one[0] is not None]),
        noise_object([one[1].mean for one in found if one[1] is not None]),
        {depth: noise_object([dict(one[2])[depth].mean for one in found]) for depth in depths},
    )


def curve(main: Sequence[TrialRecord], order: str) -> dict[int, TrialRecord]:
    """depth -> trial of one order, depths ascending."""
    found = {trial.info.depth_in(order): trial for trial in main}
    return {depth: found[depth] for depth in sorted(depth for depth in found if depth)}

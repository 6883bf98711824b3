"""Start x mask: what the start moves, what the mask moves, and whether the best mask depends on the start.

A sweep that searches several starts (`search.starts`) is read as a table at its main setting. Effects are contrasts of
that table, fold by fold, over the masks that every start has: of a start, the mean over masks minus that of the sweep's
own start; of a mask, the mean over starts minus that of all masks; the interaction of a start s and a mask m is
D_sm - D_s. - D_.m + D.. (Fisher). Each is tested by the corrected resampled t; with several pre-trainings their
variance is added (`tracking.statistics.with_further_variance`), for folds share every pre-training.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracking.analysis.comparisons import at_setting, main_setting
from tracking.analysis.contrasts import Difference, contrast, difference
from tracking.analysis.seed_noise import SeedNoise, trial_noise
from tracking.analysis.seeds import Reading, Repeats
from tracking.best_mask.start_words import sentence_of
from tracking.record import SweepInfo, TrialRecord
from tracking.spec_view import view_spec
from tracking.statistics import Comparison, holm, with_further_variance
from trainer.config import PRETRAINED, RANDOM_FROZEN, RANDOM_STARTS, SCRATCH, origin_of

LEVEL = 0.05
Array = NDArray[np.float64]


@dataclass(frozen=True)
class StartCell:
    """Mean `dice` over folds (and pre-trainings) of one `mask`, its `sd` over folds, and its `noise` over repeats (None
    with one).
    """

    mask: str
    dice: float
    sd: float
    noise: SeedNoise | None


@dataclass(frozen=True)
class StartRow:
    """One start: its `name`, `what` it is and the `source` of its weights in words (empty for fresh ones); its `cells`,
    one for each mask that was measured from it; `untrained`: its mean Dice without any fine-tuning, NaN where that was
    not measured; `best`: its best mask, None where not all of the table's masks are measured.
    """

    name: str
    what: str
    source: str
    cells: tuple[StartCell, ...]
    untrained: float
    best: str | None


@dataclass(frozen=True, kw_only=True)
class StartEffect(Difference):
    """The start `name` minus the sweep's own, mean over the masks that all starts have; `p_holm` over all starts."""

    name: str


@dataclass(frozen=True, kw_only=True)
class MaskEffect(Difference):
    """A `mask` minus the mean of all masks, mean over starts; `p_holm` over all masks."""

    mask: str


@dataclass(frozen=True, kw_only=True)
class Interaction(Difference):
    """By how much a `mask` does better from the start `name` than start and mask add up to; `p_holm` over all."""

    name: str
    mask: str


@dataclass(frozen=True)
class StartTable:
    """Start x mask at `epochs` and `learning_rate`. `rows`: the sweep's own start first; `masks`: those that every
    complete row has, cheapest first. `starts`, `mask_effects`, `interactions`: the effects (empty for fewer than two
    rows or masks). `pretrainings`: how many stand behind each start. `depends`: whether an interaction was shown (Holm
    p up to 0.05). `sentence`: all of it in words.
    """

    epochs: int
    learning_rate: float
    rows: tuple[StartRow, ...]
    masks: tuple[str, ...]
    pretrainings: int
    starts: tuple[StartEffect, ...]
    mask_effects: tuple[MaskEffect, ...]
    interactions: tuple[Interaction, ...]
    depends: bool
    sentence: str


def start_table(reading: Reading) -> StartTable | None:
    """The table of a sweep; None where it has one start, or nothing finished."""
    info, done = reading.honest.info, reading.honest.finished
    epochs, rate = main_setting(done)
    names = names_of(info)
    if len(names) < 2 or epochs is None or rate is None:
        return None
    main = at_setting(done, epochs, rate)
    setting = (epochs, rate, main[0].info.candidate.train)
    by_start = {start: _trials_from(start, done, setting) for start in names}
    complete = [start for start, trials in by_start.items() if trials and start != SCRATCH]
    masks = _common_masks([by_start[start] for start in complete])
    rows = tuple(_row(start, names[start], by_start[start], masks, reading) for start in names if by_start[start])
    parts = [[_by_luck(by_start[start][mask], reading.repeats) for mask in masks] for start in complete]
    starts, mask_effects, interactions = _effects(np.array(parts), [names[s] for s in complete], masks, info)
    depends = any(effect.p_holm <= LEVEL for effect in interactions)
    pretrainings = len({start for _, start in reading.repeats.lucks})
    found = (rows, masks, pretrainings, starts, mask_effects, interactions, depends)
    return StartTable(
        epochs, rate, *found, sentence_of(rows, starts, mask_effects, interactions, pretrainings, depends)
    )


def names_of(info: SweepInfo) -> dict[str, str]:
    """`Candidate.start` of every start that a sweep searches -> what its user calls it; the sweep's own first."""
    starts = view_spec(info.spec).starts
    own = next((name for name, what in starts if what not in RANDOM_STARTS), "")
    others = {name: name for name, _ in starts if name != own}
    return {PRETRAINED: own, **others} if own else {}


Setting = tuple[int, float, tuple[tuple[str, object], ...]]


def _trials_from(start: str, done: Sequence[TrialRecord], setting: Setting) -> dict[str, TrialRecord]:
    """mask -> the trial from this start at a setting, the cheapest first. Of random weights with frozen blocks, what
    trains all of them is training from scratch.
    """
    of_start = (start, SCRATCH) if start == RANDOM_FROZEN else (start,)
    found = {}
    for trial in done:
        one = trial.info.candidate
        plain = (one.epochs, one.learning_rate, () if one.start == SCRATCH else one.train)
        same = plain == (*setting[:2], () if one.start == SCRATCH else setting[2])
        if same and one.start in of_start and trial.info.role in ("trial", "scratch"):
            found[one.mask] = trial
    return dict(sorted(found.items(), key=lambda item: (item[1].info.trainable_params, item[0])))


def _common_masks(rows: Sequence[Mapping[str, TrialRecord]]) -> tuple[str, ...]:
    return tuple(mask for mask in (rows[0] if rows else ()) if all(mask in row for row in rows))


def _row(start: str, name: str, trials: Mapping[str, TrialRecord], masks: Sequence[str], reading: Reading) -> StartRow:
    info, repeats = reading.honest.info, reading.repeats
    untrained = [
        trial.mean_dice
        for trial in reading.honest.finished
        if (trial.info.role, trial.info.candidate.start) == ("zero-shot", start)
    ]
    table = info.weights if start == PRETRAINED else info.starts.get(origin_of(start), {})
    cells = tuple(
        StartCell(mask, trial.mean_dice, float(np.nanstd(trial.folds["dice"], ddof=1)), trial_noise(trial, repeats))
        for mask, trial in trials.items()
    )
    whole = bool(masks) and all(mask in trials for mask in masks)
    best = max(masks, key=lambda mask: trials[mask].mean_dice) if whole else None
    what = dict(view_spec(info.spec).starts)[name]
    return StartRow(name, what, str(table.get("source", "")), cells, untrained[0] if untrained else float("nan"), best)


def _by_luck(trial: TrialRecord, repeats: Repeats) -> Array:
    """Dice (pre-trainings, folds) of a trial, the mean over the training seeds of each pre-training."""
    parts = repeats.parts.get(trial.info.candidate.key, (trial,) * len(repeats.lucks))
    starts = list(dict.fromkeys(start for _, start in repeats.lucks))
    rows = [
        [part.folds["dice"] for part, (_, of) in zip(parts, repeats.lucks, strict=True) if of == start]
        for start in starts
    ]
    return np.array([np.mean(np.array(row, np.float64), axis=0) for row in rows])


def _effects(
    dice: Array, names: Sequence[str], masks: Sequence[str], info: SweepInfo
) -> tuple[tuple[StartEffect, ...], tuple[MaskEffect, ...], tuple[Interaction, ...]]:
    """All contrasts of a table (starts, masks, pre-trainings, folds)."""
    if len(names) < 2 or not masks:
        return (), (), ()
    of_start, of_mask = dice.mean(axis=1), dice.mean(axis=0)
    overall = dice.mean(axis=(0, 1))
    starts = holm([_tested(values - of_start[0], info) for values in of_start[1:]])
    mask_effects = holm([_tested(values - overall, info) for values in of_mask]) if len(masks) > 1 else ()
    pairs = [(s, m) for s in range(len(names)) for m in range(len(masks))] if len(masks) > 1 else []
    tested = holm([_tested(dice[s, m] - of_start[s] - of_mask[m] + overall, info) for s, m in pairs])
    return (
        tuple(
            StartEffect(**vars(difference(effect, info)), name=name)
            for name, effect in zip(names[1:], starts, strict=True)
        ),
        tuple(
            MaskEffect(**vars(difference(effect, info)), mask=mask)
            for mask, effect in zip(masks, mask_effects, strict=False)
        ),
        tuple(
            Interaction(**vars(difference(effect, info)), name=names[s], mask=masks[m])
            for (s, m), effect in zip(pairs, tested, strict=True)
        ),
    )


def _tested(values: Array, info: SweepInfo) -> Comparison:
    """The test of a contrast (pre-trainings, folds)."""
    by_fold = contrast(values.mean(axis=0), info)
    if len(values) < 2:
        return by_fold
    over_pretrainings = np.nanmean(values, axis=1)
    return with_further_variance(by_fold, float(over_pretrainings.var(ddof=1)) / len(values), len(values) - 1)

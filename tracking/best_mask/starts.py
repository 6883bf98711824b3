"""Start x mask: what the start moves, what the mask moves, and whether the best mask depends on the start.

A sweep that searches several starts (`search.starts`) is read as a table at its main setting (`two_way`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tracking.analysis.comparisons import at_setting, main_setting
from tracking.analysis.contrasts import Difference, contrast, difference
from tracking.analysis.seed_noise import SeedNoise, trial_noise
from tracking.analysis.seeds import Reading
from tracking.best_mask.start_words import sentence_of
from tracking.best_mask.two_way import Interaction, MaskEffect, RowEffect, two_way
from tracking.record import SweepInfo, TrialRecord
from tracking.spec_view import view_spec
from tracking.statistics import holm, spread
from trainer.candidate import PRETRAINED, RANDOM_FROZEN, RANDOM_STARTS, SCRATCH, TrainValue, origin_of, own_start_of


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

    @property
    def is_fresh(self) -> bool:
        """Whether it begins with fresh weights: a control, whatever it is called."""
        return self.what in RANDOM_STARTS


@dataclass(frozen=True, kw_only=True)
class FreshEffect(Difference):
    """The fresh weights `name` minus the sweep's own start, mean over `masks`, those that both were trained with.
    `p_holm` over all fresh weights.
    """

    name: str
    masks: tuple[str, ...]


@dataclass(frozen=True)
class StartTable:
    """Start x mask at `epochs`, `learning_rate` and the searched training settings `train` (name -> value, where they
    differ from the sweep's own). `rows`: the sweep's own start first; `masks`: those that every start with weights has,
    cheapest first. `starts`: each start with weights minus the sweep's own; `mask_effects`, `interactions`: of these
    starts; all empty for fewer than two of them, or masks. `fresh`: what fresh weights lose against the sweep's own
    start; they are a control, and no part of the other effects. `pretrainings`: how many stand behind each start.
    `depends`: whether an interaction was shown (Holm p up to 0.05). `sentence`: all of it in words.
    """

    epochs: int
    learning_rate: float
    train: Mapping[str, TrainValue]
    rows: tuple[StartRow, ...]
    masks: tuple[str, ...]
    pretrainings: int
    starts: tuple[RowEffect, ...]
    mask_effects: tuple[MaskEffect, ...]
    interactions: tuple[Interaction, ...]
    fresh: tuple[FreshEffect, ...]
    depends: bool
    sentence: str


def start_table(reading: Reading) -> StartTable | None:
    """The table of a sweep; None where it has one start, or nothing finished."""
    info, done = reading.honest.info, reading.honest.finished
    epochs, rate = main_setting(done)
    names = names_of(info)
    if len(names) < 2 or epochs is None or rate is None:
        return None
    setting = (epochs, rate, at_setting(done, epochs, rate)[0].info.candidate.train)
    measured = {start: trials for start in names if (trials := _trials_from(start, done, setting))}
    with_weights = [start for start in measured if start not in RANDOM_STARTS]
    masks = _common_masks([measured[start] for start in with_weights])
    dice = np.array(
        [[reading.repeats.by_pretraining(measured[start][mask]) for mask in masks] for start in with_weights]
    )
    effects = two_way(dice, [names[start] for start in with_weights], masks, info)
    fresh = _fresh(measured, names, reading)
    rows = tuple(_row(start, names[start], trials, masks, reading) for start, trials in measured.items())
    pretrainings = reading.repeats.pretrainings
    return StartTable(
        epochs=epochs,
        learning_rate=rate,
        train=dict(setting[2]),
        rows=rows,
        masks=masks,
        pretrainings=pretrainings,
        starts=effects.rows,
        mask_effects=effects.masks,
        interactions=effects.interactions,
        fresh=fresh,
        depends=effects.depends,
        sentence=sentence_of({row.name: row.best for row in rows if not row.is_fresh}, effects, fresh, pretrainings),
    )


def names_of(info: SweepInfo) -> dict[str, str]:
    """`Candidate.start` of every start that a sweep searches -> what its user calls it; the sweep's own first."""
    starts = view_spec(info.spec).starts
    own = own_start_of(starts)
    others = {name: name for name, what in starts if (name, what) != own}
    return {} if own is None else {PRETRAINED: own[0], **others}


def _fresh(
    measured: Mapping[str, Mapping[str, TrialRecord]], names: Mapping[str, str], reading: Reading
) -> tuple[FreshEffect, ...]:
    """What fresh weights do against the sweep's own start; nothing where that was not measured."""
    own, info, repeats = measured.get(PRETRAINED, {}), reading.honest.info, reading.repeats
    found = []
    for start in RANDOM_STARTS:
        masks = tuple(mask for mask in own if mask in measured.get(start, {}))
        if masks:
            pairs = [(measured[start][mask], own[mask]) for mask in masks]
            apart = [repeats.by_pretraining(fresh) - repeats.by_pretraining(pretrained) for fresh, pretrained in pairs]
            found.append((start, masks, contrast(np.mean(apart, axis=0), info)))
    tested = holm([effect for _, _, effect in found])
    return tuple(
        FreshEffect(**vars(difference(effect, info)), name=names[start], masks=masks)
        for (start, masks, _), effect in zip(found, tested, strict=True)
    )


TrainedAt = tuple[int, float, tuple[tuple[str, TrainValue], ...]]  # epochs, learning rate, searched training settings


def _trials_from(start: str, done: Sequence[TrialRecord], setting: TrainedAt) -> dict[str, TrialRecord]:
    """mask -> the trial from this start at a setting, the cheapest first. Of random weights with frozen blocks, what
    trains all of them is training from scratch.
    """
    of_start = (start, SCRATCH) if start == RANDOM_FROZEN else (start,)
    found = [
        trial
        for trial in done
        if trial.info.candidate.start in of_start and trial.info.role in ("trial", "scratch") and _is_at(trial, setting)
    ]
    found.sort(key=lambda trial: (trial.info.trainable_params, trial.info.candidate.mask))
    return {trial.info.candidate.mask: trial for trial in found}


def _is_at(trial: TrialRecord, setting: TrainedAt) -> bool:
    one = trial.info.candidate
    return (one.epochs, one.learning_rate, one.train) == setting


def _common_masks(rows: Sequence[Mapping[str, TrialRecord]]) -> tuple[str, ...]:
    return tuple(mask for mask in (rows[0] if rows else ()) if all(mask in row for row in rows))


def _row(start: str, name: str, trials: Mapping[str, TrialRecord], masks: Sequence[str], reading: Reading) -> StartRow:
    info = reading.honest.info
    untrained = [
        trial.mean_dice
        for trial in reading.honest.finished
        if (trial.info.role, trial.info.candidate.start) == ("zero-shot", start)
    ]
    weights = info.weights if start == PRETRAINED else info.starts.get(origin_of(start), {})
    cells = tuple(
        StartCell(mask, trial.mean_dice, spread(trial.folds["dice"]).sd, trial_noise(trial, reading.repeats))
        for mask, trial in trials.items()
    )
    whole = bool(masks) and all(mask in trials for mask in masks)
    return StartRow(
        name=name,
        what=dict(view_spec(info.spec).starts)[name],
        source=str(weights.get("source", "")),
        cells=cells,
        untrained=untrained[0] if untrained else math.nan,
        best=max(masks, key=lambda mask: trials[mask].mean_dice) if whole else None,
    )

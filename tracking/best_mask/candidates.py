"""Which candidates may win, which one wins, and which is the cheapest choice: the one definition of all three."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tracking.analysis.seeds import Reading, Repeats
from tracking.analysis.winners_curse import one_standard_error
from tracking.record import SweepInfo, TrialRecord
from tracking.spec_view import view_spec
from tracking.units import WORDS, unit_of
from trainer.candidate import PRETRAINED, RANDOM_FROZEN, SCRATCH, Candidate, TrainValue

HALVES = ("expanding", "contracting")  # the masks of the paper's main question
# Epochs, learning rate, searched training settings, start.
SettingKey = tuple[int, float, tuple[tuple[str, TrainValue], ...], str]


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What is searched besides the mask: `epochs`, `learning_rate`, `train`, the searched training settings (name ->
    value) where they differ from the sweep's own, and the `start`: `pretrained`, the sweep's own, or another's name.
    """

    epochs: int
    learning_rate: float
    train: Mapping[str, TrainValue]
    start: str = PRETRAINED


@dataclass(frozen=True, kw_only=True)
class CandidateAt(Setting):
    """A candidate, which is a mask at a setting, with its price and its score.

    `mask` as it is written, `aliases` its other names, `blocks` those that it trains, counted from 1;
    `trainable_params` and their `share` of the network's parameters (0 to 1); `seconds` of training, all folds (NaN
    where not recorded); `dice`: mean over folds, a fraction of 1.
    """

    mask: str
    aliases: tuple[str, ...]
    blocks: tuple[int, ...]
    trainable_params: int
    share: float
    seconds: float
    dice: float


@dataclass(frozen=True)
class Candidates:
    """What an answer is chosen among. `trials`: those that may win, cheapest first; `references`: name -> the trials to
    set the winner against, one per setting that they were measured at; `repeats`: the trainings behind repeated trials;
    `dropped`, `failed`, `unfinished` count the trials that take no part.
    """

    info: SweepInfo
    trials: tuple[TrialRecord, ...]
    references: Mapping[str, tuple[TrialRecord, ...]]
    repeats: Repeats
    dropped: int = 0
    failed: int = 0
    unfinished: int = 0

    @cached_property
    def folds(self) -> NDArray[np.float64]:
        """(candidates, folds) Dice; NaN where a fold has none."""
        return np.array([trial.folds["dice"] for trial in self.trials], np.float64)

    @cached_property
    def best(self) -> int:
        """The position of the winner: the highest mean Dice over folds, of equal ones the cheapest."""
        return max(range(len(self.trials)), key=lambda index: self.trials[index].mean_dice)

    @property
    def winner(self) -> TrialRecord:
        """The winner. Raises `ValueError` where there is no candidate."""
        return self.trials[self.best]

    @cached_property
    def one_standard_error(self) -> tuple[int, float]:
        """The position of the cheapest choice, and the floor that it lies above: the best mean minus its SEM."""
        return one_standard_error(self.folds, [trial.info.trainable_params for trial in self.trials])

    @cached_property
    def settings(self) -> tuple[SettingKey, ...]:
        """The distinct settings among the candidates; more than one means that they were searched too."""
        distinct = {setting_of(trial.info.candidate) for trial in self.trials}
        return tuple(sorted(distinct, key=lambda key: (key[0], key[1], repr(key[2:]))))

    @cached_property
    def masks(self) -> frozenset[str]:
        """The distinct masks among the candidates, as they are written."""
        return frozenset(trial.info.candidate.mask for trial in self.trials)


def setting_of(candidate: Candidate) -> SettingKey:
    """What a candidate is besides its mask."""
    return candidate.epochs, candidate.learning_rate, candidate.train, candidate.start


def may_win(trial: TrialRecord, info: SweepInfo) -> bool:
    """Whether a trial is one of those that a winner is chosen among: finished, scored, inside what was searched.

    Never a baseline that lies outside the constraints of a search, nor zero-shot, leaky or dropped, nor from scratch
    unless that is one of the starts that were searched, nor the control of fresh weights that stay frozen.
    """
    inside = trial.info.candidate.key not in info.outside
    searched = trial.info.role == "trial" or (trial.info.role == "scratch" and SCRATCH in dict(starts_of(info)))
    scored = trial.status == "FINISHED" and not math.isnan(trial.mean_dice)
    return searched and inside and scored and trial.info.candidate.start != RANDOM_FROZEN


def starts_of(info: SweepInfo) -> tuple[tuple[str, str], ...]:
    """(name, what) of the starts that a sweep searches; nothing where it has one."""
    return view_spec(info.spec).starts


def candidates_of(reading: Reading) -> Candidates:
    """The candidates of a sweep at every setting that was searched; trials repeated with several seeds stand once.

    Epochs, learning rate and training settings are searched like the mask. There may be any number of candidates;
    `no_choice` says whether they are enough to choose among.
    """
    info, trials = reading.honest.info, reading.honest.trials
    candidates = sorted((trial for trial in trials if may_win(trial, info)), key=_cost)
    statuses = [trial.status for trial in trials]
    dropped, failed = statuses.count("DROPPED"), statuses.count("FAILED")
    unfinished = len(statuses) - statuses.count("FINISHED") - dropped - failed
    references = _references(info, reading.honest.finished)
    return Candidates(info, tuple(candidates), references, reading.repeats, dropped, failed, unfinished)


def no_choice(candidates: Candidates) -> str:
    """Why no best mask can be chosen, and what to do about it; empty with two or more finished masks."""
    info, masks = candidates.info, sorted(candidates.masks)
    if len(masks) > 1:
        return ""
    if info.n_blocks == 1:
        unit = WORDS[unit_of(info.spec)]
        return (
            f"The best mask is chosen among two or more, but the network of the sweep '{info.name}' has one {unit}, so "
            "its only mask is all. Cut it into more with model.blocks or partition.unit."
        )
    finished = f"only {masks[0]}" if masks else "none"
    return (
        f"The best mask is chosen among two or more finished ones, but the sweep '{info.name}' has {finished}. "
        f"Let it finish, or search more masks; it was started with: {info.command}"
    )


def candidate_at(trial: TrialRecord, info: SweepInfo) -> CandidateAt:
    """A trial as a candidate with its price and score."""
    epochs, rate, train, start = setting_of(trial.info.candidate)
    network = sum(info.block_params) + info.always_params
    return CandidateAt(
        mask=trial.info.candidate.mask,
        aliases=trial.info.aliases,
        blocks=trial.info.blocks,
        epochs=epochs,
        learning_rate=rate,
        train=dict(train),
        start=start,
        trainable_params=trial.info.trainable_params,
        share=trial.info.trainable_params / max(1, network),
        seconds=trial.seconds,
        dice=trial.mean_dice,
    )


def plain_candidate(candidate: CandidateAt) -> CandidateAt:
    """A candidate without what a subclass knows besides."""
    return CandidateAt(**{field.name: getattr(candidate, field.name) for field in fields(CandidateAt)})


def cost(candidate: Candidate, trainable_params: int) -> tuple[int, int, str, str]:
    """What candidates are sorted by, so that the cheapest comes first and no two are equal."""
    return trainable_params, candidate.epochs, candidate.mask, repr(setting_of(candidate))


def _cost(trial: TrialRecord) -> tuple[int, int, str, str]:
    return cost(trial.info.candidate, trial.info.trainable_params)


def _references(info: SweepInfo, finished: Sequence[TrialRecord]) -> dict[str, tuple[TrialRecord, ...]]:
    """`expanding`, `contracting`, `all`, `zero-shot`, `scratch` and the names of somebody else's predictions, those
    that were measured, the cheapest first.
    """
    scored = sorted((trial for trial in finished if not math.isnan(trial.mean_dice)), key=_cost)
    named = {name: info.named_masks.get(name, name) for name in (*HALVES, "all")}
    groups = {
        name: tuple(trial for trial in scored if (trial.info.role, trial.info.candidate.mask) == ("trial", mask))
        for name, mask in named.items()
    }
    for role in ("zero-shot", "scratch"):
        groups[role] = tuple(trial for trial in scored if trial.info.role == role)
    for trial in scored:
        if trial.info.role == "referee":
            groups[trial.info.candidate.mask] = (trial,)
    return {name: trials for name, trials in groups.items() if trials}

"""Who an answer is chosen among, and what it is set against: candidates, references, and the scores of both."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracking.analysis.choice import matrix
from tracking.analysis.contrasts import contrast
from tracking.analysis.seeds import read
from tracking.analysis.winners_curse import DRAWS, FEWEST, Selection, bbc_cv
from tracking.record import SweepInfo, SweepRecord, TrialRecord
from tracking.statistics import Comparison, holm
from trainer.config import Candidate
from trainer.errors import UserError

Setting = tuple[int, float, tuple[tuple[str, Any], ...]]  # epochs, learning rate, searched training settings


@dataclass(frozen=True)
class Field:
    """All that takes part. `trials`: the finished candidates, cheapest first, `best` the position of the highest mean
    Dice over folds; `references`: name -> trials to be set against it, one per setting that it was measured at;
    `dropped`, `failed`, `unfinished` count the trials that have no place in it.
    """

    info: SweepInfo
    trials: tuple[TrialRecord, ...]
    best: int
    references: Mapping[str, tuple[TrialRecord, ...]]
    dropped: int = 0
    failed: int = 0
    unfinished: int = 0

    @property
    def winner(self) -> TrialRecord:
        """The candidate with the highest mean Dice."""
        return self.trials[self.best]

    @property
    def settings(self) -> tuple[Setting, ...]:
        """The distinct settings among the candidates; more than one means that they were searched too."""
        found = {setting_of(one.info.candidate) for one in self.trials}
        return tuple(sorted(found, key=lambda one: (one[0], one[1], repr(one[2]))))


def setting_of(candidate: Candidate) -> Setting:
    """What a candidate is besides its mask."""
    return candidate.epochs, candidate.learning_rate, candidate.train


def field_of(record: SweepRecord) -> Field:
    """The finished candidates of a sweep, whatever their setting. Raises `UserError` for fewer than two masks.

    No candidates: what was dropped before its last fold, from-scratch and leaky trials, zero-shot, and baselines that
    the constraints of a search forbid. Repeated trials stand once, with their mean over seeds.
    """
    reading = read(record)
    done = [one for one in reading.honest.finished if not math.isnan(one.mean_dice)]
    trials = sorted((one for one in done if one.may_win(record.info)), key=_cost)
    masks = {one.info.candidate.mask for one in trials}
    if len(masks) < 2:
        found = f"only {', '.join(masks)}" if masks else "none"
        raise UserError(
            f"The best mask is chosen among two or more finished ones, but the sweep '{record.info.name}' has {found}. "
            f"Let it finish, or search more masks; it was started with: {record.info.command}"
        )
    best = max(range(len(trials)), key=lambda place: trials[place].mean_dice)  # of equal ones the cheapest
    count = [one.status for one in reading.honest.trials]
    dropped, failed = count.count("DROPPED"), count.count("FAILED")
    unfinished = len(count) - count.count("FINISHED") - dropped - failed
    return Field(record.info, tuple(trials), best, _references(record.info, done), dropped, failed, unfinished)


def _cost(trial: TrialRecord) -> tuple[Any, ...]:
    candidate = trial.info.candidate
    return trial.info.trainable_params, candidate.epochs, candidate.mask, repr(setting_of(candidate))


def _references(info: SweepInfo, done: Sequence[TrialRecord]) -> dict[str, tuple[TrialRecord, ...]]:
    """`expanding`, `contracting`, `all`, `zero-shot` and `scratch`, those that were measured."""
    found = {
        name: tuple(one for one in done if one.info.role == "trial" and one.info.candidate.mask == mask)
        for name in ("expanding", "contracting", "all")
        if (mask := info.named_masks.get(name, name))
    }
    found |= {role: tuple(one for one in done if one.info.role == role) for role in ("zero-shot", "scratch")}
    return {name: trials for name, trials in found.items() if trials}


@dataclass(frozen=True)
class Against:
    """The winner minus a reference (at its own best setting): `apparent`, and what is left, with its interval, once the
    choice of the winner among all candidates, and of the reference's setting, is allowed for.
    """

    name: str
    trial: TrialRecord
    apparent: float
    comparison: Comparison


@dataclass(frozen=True)
class Judged:
    """The winner's curse (None: fewer than ten `images` that all trials scored) and the winner `against` references."""

    selection: Selection | None
    images: int
    against: tuple[Against, ...]


def judged(field: Field, draws: int = DRAWS) -> Judged:
    """The winner's curse, and the winner against every reference that it is not itself (Holm over these).

    Both by one bootstrap (`selection.bbc_cv`): choose among all candidates on the drawn images, look at the others. The
    mean out-of-bag difference is the middle of the interval; its width is that of the corrected resampled t-test over
    the folds of the chosen pair. Without a selection the intervals do not allow for the choice. How often they hold the
    true difference: tests/tracking/test_coverage.py.
    """
    itself = field.winner.info
    given = {
        name: trials
        for name, trials in field.references.items()
        if (trials[0].info.role, trials[0].info.candidate.mask) != (itself.role, itself.candidate.mask)
    }
    _, scores = matrix([*field.trials, *(one for trials in given.values() for one in trials)])
    columns = np.split(scores, np.cumsum([len(field.trials), *(len(trials) for trials in given.values())])[:-1], axis=1)
    enough = len(scores) >= FEWEST
    selection = bbc_cv(columns[0], draws, references=columns[1:]) if enough else None
    found = []
    for place, (name, trials) in enumerate(given.items()):
        best = max(range(len(trials)), key=lambda one: trials[one].mean_dice)
        folds = _folds(field.winner) - _folds(trials[best])
        optimism = 0.0
        if selection is not None:
            over = columns[0][:, selection.best].mean() - columns[place + 1].mean(axis=0).max()
            optimism = float(over) - selection.ahead[place]
        apparent = contrast(folds, field.info).mean
        found.append(Against(name, trials[best], apparent, contrast(folds - optimism, field.info)))
    tested = holm([one.comparison for one in found])
    against = tuple(replace(one, comparison=test) for one, test in zip(found, tested, strict=True))
    return Judged(selection, len(scores), against)


def _folds(trial: TrialRecord) -> NDArray[np.float64]:
    return np.asarray(trial.folds["dice"], np.float64)

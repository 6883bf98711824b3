"""What a search knows when it proposes: every candidate handed out so far, and how it fared. Plain data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from tracking.attempt import ALONE, Attempt
from trainer.candidate import Candidate
from trainer.results import Reached

Status = Literal["done", "dropped", "failed", "open"]


@dataclass(frozen=True)
class Scored:
    """What trying a candidate gave and what it took. `score`: mean Dice over folds, 1 is best.

    `trainings`: folds that were trained for it (0: all of them came from the ledger); `seconds` of training;
    `parameters` that its mask thaws. `dropped_after`: the fold after which it was dropped as clearly worse, 0 for a
    candidate scored on all folds; `score` is then only an estimate (`sweeps.run.early_stopping`). `page`: where
    the candidate's run is shown; empty where it is not recorded.
    """

    score: float
    trainings: int = 0
    seconds: float = 0.0
    parameters: int = 0
    dropped_after: int = 0
    page: str = ""


Report = Callable[[float, int], object]  # takes the mean Dice so far and the fold, from 1


@dataclass(frozen=True)
class Claim:
    """A trial as the worker holds it that evaluates its candidate.

    `report` takes the scores as they come; `reached` how far the trial is, as soon as that is kept. `given_up`: why it
    is not tried any more (`sweeps.engines.optuna_crashes`); empty: it is. `attempt`: whether it is still this worker's.
    `hold`: takes the question whether the trial's record is delivered; before, the study is not told that it ended.
    """

    report: Report = lambda dice, fold: None
    reached: Callable[[Reached], object] = lambda reached: None
    given_up: str = ""
    attempt: Attempt = ALONE
    hold: Callable[[Callable[[], bool]], object] = lambda recorded: None


Evaluate = Callable[[Candidate, Claim], Scored]  # what every engine asks; raises `TrialFailed` for one without a score


@dataclass(frozen=True)
class PastTrial:
    """A candidate that was handed out, and what became of it. An `open` one waits or runs; it has no score, nor has a
    `failed` one.
    """

    candidate: Candidate
    status: Status
    score: float | None = None
    trainings: int = 0
    seconds: float = 0.0
    parameters: int = 0


Propose = Callable[
    [tuple[PastTrial, ...]], Sequence[Candidate]
]  # after these trials the next candidates; none: no more


@dataclass(frozen=True)
class History:
    """All candidates in the order in which they were handed out, the baselines first.

    `probe`: the Dice of each block alone after three epochs on one fold, by block; empty where nothing was probed.
    """

    trials: tuple[PastTrial, ...] = ()
    probe: Mapping[int, float] = field(default_factory=dict)

    @property
    def known(self) -> frozenset[Candidate]:
        """Everything that must not be proposed again, whatever became of it."""
        return frozenset(trial.candidate for trial in self.trials)

    @property
    def trainings(self) -> int:
        """Trainings paid for so far, in folds; the probe's count too. What failed or runs has begun one at least."""
        begun = sum(max(trial.trainings, trial.status in ("failed", "open")) for trial in self.trials)
        return begun + len(self.probe)

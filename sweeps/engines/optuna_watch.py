"""A look at a study from outside, again and again: how far each candidate is. For those who only show it."""

from __future__ import annotations

from dataclasses import dataclass

from optuna.trial import FrozenTrial

from sweeps.engines.optuna_storage import explained_errors, open_study
from sweeps.engines.optuna_trials import is_ours, past_trial
from sweeps.strategies.history import PastTrial


@dataclass(frozen=True)
class Standing:
    """How far a candidate is: its trial, and how many folds are scored so far with their mean Dice (None: none yet)."""

    trial: PastTrial
    folds: int
    dice: float | None


class StudyWatch:
    """Guards the connection: a study that stays open reads what has ended once, however often it is looked at."""

    def __init__(self, url: str, name: str) -> None:
        """Open the study. Raises `UserError` where its database cannot be reached."""
        self._url = url
        with explained_errors(url):
            self._study = open_study(url, name)

    def look(self) -> tuple[Standing, ...]:
        """Every candidate on the list, once each. Raises `UserError` where the database cannot be reached."""
        with explained_errors(self._url):
            trials = self._study.get_trials(deepcopy=False)
        newest: dict[str, Standing] = {}
        for standing in map(_standing, filter(is_ours, trials)):
            key = standing.trial.candidate.key
            before = newest.get(key)
            if before is None or standing.trial.status != "failed" or before.trial.status == "failed":
                newest[key] = standing
        return tuple(newest.values())


def _standing(trial: FrozenTrial) -> Standing:
    reported = trial.intermediate_values
    return Standing(past_trial(trial), max(reported, default=0), reported[max(reported)] if reported else None)

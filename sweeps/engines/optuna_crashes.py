"""How often a trial crashed, and when it is given up: after three crashes without progress, however many there were.

Progress is a later `Reached`: a fold more, or more of the running one, that is kept. The worker notes it on its trial
as it comes; whoever finds that the worker died puts the trial on the list again with its crashes since the last
progress. The worker that is handed a trial with three of them records it as failed and trains nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import astuple
from typing import Any

import optuna
from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import FrozenTrial, Trial, TrialState

from trainer.results import Reached

LIMIT = 3
REACHED, CRASHES = "reached", "crashes"  # attributes of a trial: how far it is, and how far it was at each crash
OF_ONE_WORKER = ("worker",)  # attributes that the trial's next worker sets anew


def noting(trial: Trial) -> Callable[[Reached], None]:
    """The function that notes on a running trial how far it is; what was reached before, by another worker, stays."""

    def note(reached: Reached) -> None:
        if reached > _reached(trial.user_attrs):
            trial.set_user_attr(REACHED, astuple(reached))

    return note


def put_back(study: optuna.Study, trial: FrozenTrial, attributes: Mapping[str, Any] | None = None) -> None:
    """Put a trial's candidate on the list again with `attributes` changed, unless it waits or runs there already: a
    kill may have come between this and the end of the old trial. A trial that thaw did not list is not put back.
    """
    key = trial.user_attrs.get("key")
    unfinished = study.get_trials(deepcopy=False, states=(TrialState.WAITING, TrialState.RUNNING))
    if key is None or any(other.user_attrs.get("key") == key and other.number != trial.number for other in unfinished):
        return
    kept = {name: value for name, value in trial.user_attrs.items() if name not in OF_ONE_WORKER}
    study.enqueue_trial(trial.system_attrs.get("fixed_params", {}), user_attrs=kept | dict(attributes or {}))


def give_back(study: optuna.Study, trial: Trial) -> None:
    """Put a running trial of this process back on the list, for a worker that leaves: that is no crash. Unless somebody
    has ended the trial before. In this order: a kill in between doubles it for a moment, and loses nothing.
    """
    frozen = study._storage.get_trial(trial._trial_id)
    if frozen.state != TrialState.RUNNING:
        return
    put_back(study, frozen)
    with suppress(UpdateFinishedTrialError):  # another worker was faster
        study._storage.set_trial_state_values(trial._trial_id, TrialState.FAIL)


def put_back_crashed(study: optuna.Study, trial: FrozenTrial) -> None:
    """Put a trial whose worker died on the list again, and count that."""
    here = _reached(trial.user_attrs)
    without_progress = [crash for crash in _crashes(trial.user_attrs) if crash >= here]
    put_back(study, trial, {CRASHES: [astuple(crash) for crash in (*without_progress, here)]})


def given_up(attributes: Mapping[str, Any]) -> str:
    """Why a trial with these attributes is not trained any more; empty where it is."""
    crashes = _crashes(attributes)
    if len(crashes) < LIMIT:
        return ""
    return (
        f"Given up: {len(crashes)} processes that trained it died one after the other {_place(crashes[-1])} and got no "
        "further. The memory may not suffice: use fewer --workers, or a smaller batch. --retry-failed tries it again."
    )


def _place(reached: Reached) -> str:
    """Where a crash was, in words: behind what was kept."""
    if reached == Reached():
        return "before anything of it was kept"
    steps = f" and {reached.steps} steps" if reached.steps else ""
    return f"after {reached.epochs} epochs{steps} of fold {reached.fold}"


def _reached(attributes: Mapping[str, Any]) -> Reached:
    return Reached(*attributes.get(REACHED, ()))


def _crashes(attributes: Mapping[str, Any]) -> list[Reached]:
    return [Reached(*crash) for crash in attributes.get(CRASHES, ())]

"""A candidate as Optuna holds it, a boolean per block (docs/design.md, decision 8), and its trials as we read them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, get_args

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, Trial, TrialState

from sweeps.spec.search_section import LARGEST_EPOCHS, SMALLEST_RATE
from sweeps.strategies.history import PastTrial, Status
from trainer.candidate import PRETRAINED, RANDOM_STARTS, SCRATCH, Candidate, Split
from trainer.config import LARGEST_RATE, LARGEST_SEED
from trainer.errors import UserError
from trainer.masks import parse

STARTS = [PRETRAINED, SCRATCH]  # recorded in every study, so it stays: any other start counts as one of the two
PAID = ("trainings", "seconds", "parameters")  # attributes of a trial, fields of `Scored` and `PastTrial`
STATUS: dict[TrialState, Status] = {
    TrialState.COMPLETE: "done",
    TrialState.PRUNED: "dropped",
    TrialState.FAIL: "failed",
}


def parameters(candidate: Candidate, n_blocks: int) -> dict[str, Any]:
    """The values of the one space that holds every candidate of every list, so that lists can grow."""
    mask = parse(candidate.mask, n_blocks)
    start = SCRATCH if candidate.start in RANDOM_STARTS else PRETRAINED  # the attributes have it in full
    others = {name: getattr(candidate, name) for name in ("epochs", "learning_rate", "seed", "split")}
    blocks = {f"block_{number}": number in mask for number in range(1, n_blocks + 1)}
    return {**blocks, **others, "start": start}


def attributes(candidate: Candidate) -> dict[str, Any]:
    """The attributes of a trial: its candidate in full, and the `name` that a dashboard shows."""
    return {**asdict(candidate), "key": candidate.key, "name": candidate.name}


def suggest_candidate(trial: Trial, n_blocks: int) -> Candidate:
    """The candidate of an enqueued trial; asking for its values makes them parameters of the study.

    Raises `UserError` for a trial that somebody else put in: Optuna takes values out of range with a mere warning.
    """
    if not is_ours(trial):
        raise foreign_trial_error(trial.study.get_trials(deepcopy=False)[trial.number], trial.study.study_name)
    for number in range(1, n_blocks + 1):
        trial.suggest_categorical(f"block_{number}", [False, True])
    trial.suggest_int("epochs", 0, LARGEST_EPOCHS)
    trial.suggest_float("learning_rate", SMALLEST_RATE, LARGEST_RATE, log=True)
    trial.suggest_categorical("start", STARTS)
    trial.suggest_int("seed", 0, LARGEST_SEED)
    trial.suggest_categorical("split", list(get_args(Split)))
    return _candidate(trial.user_attrs)


def is_ours(trial: Trial | FrozenTrial) -> bool:
    """Whether thaw put this trial into the study."""
    return "key" in trial.user_attrs


def foreign_trial_error(trial: FrozenTrial, study: str) -> UserError:
    """The error for a trial that thaw did not put into the study."""
    values = ", ".join(f"{name}={value}" for name, value in trial.system_attrs.get("fixed_params", {}).items())
    return UserError(
        f"Trial {trial.number} of the study '{study}' ({values or 'no values'}) was not put there by thaw, which alone "
        "knows what lies in the space: it is marked as failed, and the same command goes on without it. Widen [search] "
        "in the spec, or give thaw's objective to a study of your own (docs/writing-a-study.md)."
    )


def past_trial(trial: FrozenTrial) -> PastTrial:
    """What became of a trial's candidate."""
    attrs = trial.user_attrs
    status = STATUS.get(trial.state, "open")
    score = {"done": trial.value, "dropped": attrs.get("estimate")}.get(status)
    return PastTrial(_candidate(attrs), status, score, **{key: attrs.get(key, 0) for key in PAID})


def to_frozen_trial(trial: PastTrial, n_blocks: int) -> FrozenTrial:
    """A trial that was measured elsewhere, as a study would hold it; it is not open."""
    attrs = {**attributes(trial.candidate), **{key: getattr(trial, key) for key in PAID}}
    return optuna.trial.create_trial(
        state=next(state for state, status in STATUS.items() if status == trial.status),
        params=parameters(trial.candidate, n_blocks),
        distributions=_distributions(n_blocks),
        user_attrs={**attrs, "estimate": trial.score} if trial.status == "dropped" else attrs,
        value=trial.score if trial.status == "done" else None,
    )


def _candidate(attrs: dict[str, Any]) -> Candidate:
    fields = {name: attrs[name] for name in ("mask", "epochs", "learning_rate", "start", "seed", "split")}
    train = tuple((str(name), value) for name, value in attrs["train"])
    return Candidate(**fields, train=train, start_seed=attrs.get("start_seed"), images=attrs.get("images", 0))


def _distributions(n_blocks: int) -> dict[str, BaseDistribution]:
    blocks = {f"block_{number}": CategoricalDistribution([False, True]) for number in range(1, n_blocks + 1)}
    return {
        **blocks,
        "epochs": IntDistribution(0, LARGEST_EPOCHS),
        "learning_rate": FloatDistribution(SMALLEST_RATE, LARGEST_RATE, log=True),
        "start": CategoricalDistribution(STARTS),
        "seed": IntDistribution(0, LARGEST_SEED),
        "split": CategoricalDistribution(list(get_args(Split))),
    }

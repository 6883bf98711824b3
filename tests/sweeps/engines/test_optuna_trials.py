"""A candidate as Optuna holds it, and back."""

from __future__ import annotations

import optuna
import pytest

from sweeps.engines.optuna_trials import (
    attributes,
    foreign_trial_error,
    is_ours,
    parameters,
    past_trial,
    suggest_candidate,
    to_frozen_trial,
)
from sweeps.strategies.history import PastTrial
from trainer.candidate import Candidate

SEARCHED = Candidate("1-2,5", 6, 1e-2, seed=3, split="leaky", train=(("batch", 8), ("loss", "bce")))
FEWER = Candidate("1-5", 12, 1e-3, images=40)
CANDIDATES = [Candidate("1-5", 12, 1e-3), Candidate("all", 2, 1e-3, "scratch"), Candidate("none", 0, 1e-3), SEARCHED]
CANDIDATES += [Candidate("1-5", 12, 1e-3, "phantoms", start_seed=2), Candidate("1", 2, 1e-3, "random-frozen"), FEWER]


@pytest.mark.parametrize("candidate", CANDIDATES, ids=lambda candidate: candidate.name)
def test_an_enqueued_candidate_comes_back(candidate: Candidate) -> None:
    study = optuna.create_study()
    study.enqueue_trial(parameters(candidate, 9), user_attrs=attributes(candidate))
    assert suggest_candidate(study.ask(), 9) == candidate


def test_a_later_field_is_no_parameter_and_an_older_trial_has_its_default() -> None:
    whole = Candidate("1-5", 12, 1e-3)
    assert parameters(FEWER, 9) == parameters(whole, 9)
    kept = {name: value for name, value in attributes(whole).items() if name != "images"}
    study = optuna.create_study()
    study.enqueue_trial(parameters(whole, 9), user_attrs=kept)
    assert suggest_candidate(study.ask(), 9) == whole


@pytest.mark.parametrize(
    "trial",
    [
        PastTrial(SEARCHED, "done", 0.7, 5, 2.5, 99),
        PastTrial(SEARCHED, "dropped", 0.3, 2, 1.0, 99),
        PastTrial(SEARCHED, "failed", None, 1, 0.5, 99),
    ],
    ids=lambda trial: trial.status,
)
def test_a_past_trial_comes_back(trial: PastTrial) -> None:
    study = optuna.create_study(direction="maximize")
    study.add_trial(to_frozen_trial(trial, 9))
    (kept,) = study.get_trials()
    assert is_ours(kept) and past_trial(kept) == trial


def test_a_trial_of_somebody_else_is_not_ours() -> None:
    study = optuna.create_study()
    study.enqueue_trial({"epochs": 7})
    (trial,) = study.get_trials()
    assert not is_ours(trial)
    assert "Trial 0 of the study 's' (epochs=7) was not put there by thaw" in str(foreign_trial_error(trial, "s"))

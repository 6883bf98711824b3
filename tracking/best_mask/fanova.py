"""fANOVA as a cross-check of the block effects: how much of the variance of Dice each block explains by itself.

Optuna's `FanovaImportanceEvaluator` on a study in memory, rebuilt from the record: one boolean per block, and the
setting where several were searched. Not Optuna's default importance (PED-ANOVA), which looks at the best trials only:
on a full factorial it ranked the epochs above the one block that decided everything; fANOVA gave that block 0.994.
Source: Hutter, Hoos and Leyton-Brown, An Efficient Approach for Assessing Hyperparameter Importance (ICML 2014).
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import optuna
from optuna.distributions import CategoricalDistribution
from optuna.importance import FanovaImportanceEvaluator

from tracking.record import Json

FEWEST = 20  # trials below which its trees have nothing to split
TREES = 32  # half of Optuna's number: two seconds for 511 masks


def importance_object(answer: Json, n_blocks: int, seed: int = 0) -> Json:
    """The field `importance` of an answer (`tracking.best_mask.answer`): `trials`, `shares` (block or `setting` ->
    share of the
    variance, largest first, together 1; empty for fewer than 20 trials) and what to say of it.
    """
    trials = [one for one in answer["compared"] if not math.isnan(one["dice"])]
    if len(trials) < FEWEST:
        told = f"fANOVA needs {FEWEST} trials or more to check the effects by, but there are {len(trials)}."
        return {"trials": len(trials), "shares": {}, "sentence": told}
    if max(one["dice"] for one in trials) - min(one["dice"] for one in trials) <= 1e-12:
        told = f"fANOVA has nothing to explain: all {len(trials)} trials score the same."
        return {"trials": len(trials), "shares": {}, "sentence": told}
    shares = _shares(trials, n_blocks, seed)
    named = ", ".join(f"{name} {share:.2f}" for name, share in list(shares.items())[:5])
    told = f"Cross-check by fANOVA ({len(trials)} trials), shares of the variance explained by single ones: {named}."
    return {"trials": len(trials), "shares": shares, "sentence": told}


def _shares(trials: list[Json], n_blocks: int, seed: int) -> dict[str, float]:
    settings = [(one["epochs"], one["learning_rate"], tuple(one["train"].items())) for one in trials]
    places = {one: place for place, one in enumerate(dict.fromkeys(settings))}
    space: dict[str, Any] = {f"block {block}": CategoricalDistribution([False, True])
                             for block in range(1, n_blocks + 1)}  # fmt: skip
    if len(places) > 1:
        space["setting"] = CategoricalDistribution(list(range(len(places))))
    with _quiet():
        study = optuna.create_study(direction="maximize")
        for one, setting in zip(trials, settings, strict=True):
            params: dict[str, Any] = {f"block {block}": block in one["blocks"] for block in range(1, n_blocks + 1)}
            if len(places) > 1:
                params["setting"] = places[setting]
            study.add_trial(optuna.trial.create_trial(params=params, distributions=space, value=one["dice"]))
        found = optuna.importance.get_param_importances(
            study, evaluator=FanovaImportanceEvaluator(n_trees=TREES, seed=seed), params=list(space)
        )
    return {name: float(share) for name, share in sorted(found.items(), key=lambda item: -item[1])}


def _quiet() -> Any:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return warnings.catch_warnings(action="ignore", category=optuna.exceptions.ExperimentalWarning)

"""fANOVA as a cross-check of the block effects: how much of the variance of Dice each block explains by itself.

Optuna's `FanovaImportanceEvaluator` on a study in memory, rebuilt from the record: one boolean per block, and the
setting where several were searched. Not Optuna's default importance (PED-ANOVA), which looks at the best trials only:
on a full factorial it ranked the epochs above the one block that decided everything; fANOVA gave that block 0.994.
Source: Hutter, Hoos and Leyton-Brown, An Efficient Approach for Assessing Hyperparameter Importance (ICML 2014).
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tracking.best_mask.candidates import CandidateAt
from tracking.best_mask.drawn import drawn

FEWEST = 20  # trials below which its trees have nothing to split
# Settings that are categories; more are numbers in their order, which trees split, too: of n categories Optuna looks
# through 2^n combinations in every tree, here optuna 5.0.
FEW_SETTINGS = 6
TREES = 32  # half of Optuna's number: two seconds for 511 masks


@dataclass(frozen=True)
class Importance:
    """The variance of Dice over `trials` explained (of very many an even draw was asked): `shares` (`block 3` or
    `setting` -> share, largest first, together 1; empty for fewer than 20 trials and where all score the same);
    `sentence`: what to say of it.
    """

    trials: int
    shares: Mapping[str, float]
    sentence: str


def importance(candidates: Sequence[CandidateAt], n_blocks: int, seed: int = 0) -> Importance:
    """How much of the variance of Dice over the candidates each block explains, and the setting."""
    scored = [candidate for candidate in candidates if not math.isnan(candidate.dice)]
    count, scores = len(scored), [candidate.dice for candidate in scored]
    if count < FEWEST:
        return Importance(
            count, {}, f"fANOVA needs {FEWEST} trials or more to check the effects by, but there are {count}."
        )
    if max(scores) - min(scores) <= 1e-12:
        return Importance(count, {}, f"fANOVA has nothing to explain: all {count} trials score the same.")
    asked = drawn(scored)
    shares = _shares(asked, n_blocks, seed)
    largest = ", ".join(f"{name} {share:.2f}" for name, share in list(shares.items())[:5])
    trials = f"{count} trials" if len(asked) == count else f"{len(asked):,} of {count:,} trials, drawn evenly"
    sentence = f"Cross-check by fANOVA ({trials}), shares of the variance explained by single ones: {largest}."
    return Importance(count, shares, sentence)


def _shares(candidates: Sequence[CandidateAt], n_blocks: int, seed: int) -> dict[str, float]:
    import optuna  # half a second, which few reports need
    from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution

    settings = [(one.epochs, one.learning_rate, tuple(one.train.items()), one.start) for one in candidates]
    distinct = list(dict.fromkeys(settings))
    few = len(distinct) <= FEW_SETTINGS
    numbers = {setting: number for number, setting in enumerate(distinct if few else sorted(distinct, key=repr))}
    blocks = range(1, n_blocks + 1)
    space: dict[str, BaseDistribution] = {f"block {block}": CategoricalDistribution([False, True]) for block in blocks}
    if len(numbers) > 1:
        last = len(numbers) - 1
        space["setting"] = CategoricalDistribution(list(range(last + 1))) if few else IntDistribution(0, last)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with warnings.catch_warnings(action="ignore", category=optuna.exceptions.ExperimentalWarning):
        study = optuna.create_study(direction="maximize")
        for candidate, setting in zip(candidates, settings, strict=True):
            params: dict[str, bool | int] = {f"block {block}": block in candidate.blocks for block in blocks}
            if len(numbers) > 1:
                params["setting"] = numbers[setting]
            study.add_trial(
                optuna.trial.create_trial(params=dict(params), distributions=dict(space), value=candidate.dice)
            )
        evaluator = optuna.importance.FanovaImportanceEvaluator(n_trees=TREES, seed=seed)
        shares = optuna.importance.get_param_importances(study, evaluator=evaluator, params=list(space))
    return {name: float(share) for name, share in sorted(shares.items(), key=lambda item: -item[1])}

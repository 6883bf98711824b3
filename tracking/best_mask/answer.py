"""Which set of blocks is best, in numbers: what `thaw best --format json` prints, from a `SweepRecord` alone.

Scores are mean Dice, fractions of 1; NaN becomes null. A candidate is a mask at a setting.

- `sweep`, `synthetic`. `sentence`: the answer. `notes`: how to read it, and what was left out.
- `masks`, `candidates`: how many were finished and compared; `dropped` (before their last fold, so never compared),
  `failed`, `unfinished`: trials that were not. `settings`: `epochs`, `learning_rate`, `train` that occur among them.
- Every candidate has `mask`, `aliases`, `blocks`, `epochs`, `learning_rate`, `train` (searched training settings),
  `trainable_params`, `share` (of the network's parameters), `seconds` (of training, null where not recorded), `dice`.
- `best`: the highest. `corrected`: what is left of its score once the search is allowed for, null for fewer than ten
  images: `apparent`, `corrected`, `optimism`; `low`, `high`: 95 % of the draws; `images`, `draws`.
- `against`: best minus `expanding`, `contracting`, `all`, `zero-shot`, `scratch`, those measured, each at its own best
  setting: `name`, `candidate`, `apparent` (before the choice is allowed for) and a comparison as in the JSON report,
  `mean`, `low`, `high`, `p`, `p_holm` (over these), ... after it.
- `compared`: every candidate, cheapest first: how far `behind` the best; `low`, `high`: 95 % interval of that distance
  once the choice of the best is allowed for, by the spread of all candidates together; `tied`: that interval holds 0,
  so the candidate was not shown to be worse; `chosen`: share of the draws in which it wins; `p_adjusted`: the stricter
  test of the report, for all pairs. `one_standard_error`: the cheapest above the best minus its SEM.
- `pareto`: `parameters` and `seconds`, each the candidates that nothing as cheap scores higher than, cheapest first.
- `effects`: what each block does (`tracking.best_mask.block_effects`), or null: `masks` of `possible` sets that were
  measured, whether
  the `zero_shot` score stands beside them (with a mean of its own, so that it moves no effect), `design` (`full`,
  `balanced`, `sample`), `blocks` (`block`) and `pairs` (`blocks`; empty where they cannot be told apart), each a
  comparison with its `mean` effect; `inseparable` blocks; `clear` (no pair can pass for a block); `confounded`: effects
  that these masks cannot tell apart, in words; `sentences`.
- `importance`: fANOVA (`tracking.best_mask.fanova`), or null: `trials`, `shares` (name -> share of the variance),
  `sentence`.
- `smoothed`: the candidate that all scores together speak for (`tracking.best_mask.smoothed`), or null: `candidate`,
  its predicted
  `dice`, that of the `best`, `sentence`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tracking.analysis.contrasts import comparison_object
from tracking.analysis.winners_curse import against_best, margin_of_all, one_standard_error
from tracking.best_mask.block_effects import Effects, block_effects, usable
from tracking.best_mask.candidates import Field, field_of, judged, setting_of
from tracking.best_mask.confounding import confounded
from tracking.best_mask.pareto import front
from tracking.best_mask.sentences import effect_sentences, notes, sentence
from tracking.record import Json, SweepRecord, TrialRecord


def answer_object(record: SweepRecord) -> Json:
    """Every field but `importance` and `smoothed`; see the docstring of this file.

    Raises `UserError` for fewer than two masks.
    """
    field = field_of(record)
    info, trials = field.info, field.trials
    judgement = judged(field)
    selection = judgement.selection
    folds = np.array([one.folds["dice"] for one in trials])
    train, tested = zip(*info.fold_sizes, strict=True)
    _, behind = against_best(folds, train, tested)
    margin, optimism = margin_of_all(folds, train, tested), selection.optimism if selection else 0.0
    costs = [one.info.trainable_params for one in trials]
    cheap, _ = one_standard_error(folds, costs)
    chosen = selection.frequencies if selection else (math.nan,) * len(trials)
    dice = [one.mean_dice for one in trials]
    found: Json = {
        "sweep": info.name,
        "synthetic": bool(info.data.get("synthetic")),
        "masks": len({one.info.candidate.mask for one in trials}),
        "candidates": len(trials),
        "dropped": field.dropped,
        "failed": field.failed,
        "unfinished": field.unfinished,
        "settings": [
            {"epochs": epochs, "learning_rate": rate, "train": dict(more)} for epochs, rate, more in field.settings
        ],
        "best": candidate_object(field.winner, field),
        "corrected": selection
        and {
            "apparent": dice[field.best],
            "corrected": dice[field.best] - selection.optimism,
            "optimism": selection.optimism,
            "low": selection.low,
            "high": selection.high,
            "images": judgement.images,
            "draws": selection.draws,
        },
        "against": [
            {
                "name": one.name,
                "candidate": candidate_object(one.trial, field),
                "apparent": one.apparent,
                **(comparison_object(one.comparison, info) or {}),
            }
            for one in judgement.against
        ],
        "compared": [
            {
                **candidate_object(one, field),
                "behind": test.mean,
                "low": test.mean - optimism - margin,
                "high": test.mean - optimism + margin,
                "tied": not test.mean - optimism - margin > 0,
                "p_adjusted": test.p_adjusted,
                "chosen": share,
            }
            for one, test, share in zip(trials, behind, chosen, strict=True)
        ],
        "one_standard_error": candidate_object(trials[cheap], field),
        "pareto": {
            "parameters": _front(field, costs, dice),
            "seconds": _front(field, [one.seconds for one in trials], dice),
        },
        "effects": effects_of(field),
        "importance": None,
        "smoothed": None,
    }
    return found | {"sentence": sentence(found, info), "notes": notes(found, info)}


def candidate_object(trial: TrialRecord, field: Field) -> Json:
    """A candidate with its price and score."""
    epochs, rate, train = setting_of(trial.info.candidate)
    whole = sum(field.info.block_params) + field.info.always_params
    return {
        "mask": trial.info.candidate.mask,
        "aliases": list(trial.info.aliases),
        "blocks": list(trial.info.blocks),
        "epochs": epochs,
        "learning_rate": rate,
        "train": dict(train),
        "trainable_params": trial.info.trainable_params,
        "share": trial.info.trainable_params / max(1, whole),
        "seconds": trial.seconds,
        "dice": trial.mean_dice,
    }


def _front(field: Field, costs: Sequence[float], dice: Sequence[float]) -> list[Json]:
    return [candidate_object(field.trials[place], field) for place in front(costs, dice)]


def effects_of(field: Field) -> Json | None:
    """The JSON field `effects`. With one setting, the zero-shot score is the set of no block in a design.

    It has a mean of its own: no training at all is further from any set than sets are from each other, and in a design
    of 64 cells it bends every effect (tests/benchmarks/factorial_effects.py, `--apart`).
    """
    info, rows = field.info, list(field.trials)
    settings: list[Any] = [setting_of(one.info.candidate) for one in rows]
    if len(field.settings) == 1:
        rows += field.references.get("zero-shot", ())
        kept = usable([one.info.blocks for one in rows], info.n_blocks, _baselines(field))
        rows = [rows[place] for place in kept]
        settings = [bool(one.info.blocks) for one in rows]
    masks = [one.info.blocks for one in rows]
    found = block_effects(masks, np.array([one.folds["dice"] for one in rows]), info, settings)
    if found is None:
        return None
    distinct = list(dict.fromkeys(masks))
    told: Json = {
        "masks": len({mask for mask in distinct if mask}),
        "possible": 2**info.n_blocks - 1,
        "zero_shot": () in distinct,
        "settings": len(field.settings),
        "design": found.design,
        "blocks": [{"block": one.blocks[0], **(comparison_object(one.comparison, info) or {})} for one in found.mains],
        "pairs": [{"blocks": list(one.blocks), **(comparison_object(one.comparison, info) or {})}
                  for one in found.pairs],
        "inseparable": list(found.inseparable),
        "clear": found.clear,
        "confounded": _confounded(found, distinct, info.n_blocks),
    }  # fmt: skip
    return told | {"sentences": effect_sentences(told, info)}


def _baselines(field: Field) -> set[tuple[int, ...]]:
    """The masks that are measured whatever a design asks for."""
    info = field.info
    named = {info.named_masks.get(name) for name in ("contracting", "expanding")}
    found = {one.info.blocks for one in field.trials if one.info.candidate.mask in named}
    return found | {(), (info.n_blocks,), tuple(range(1, info.n_blocks + 1))}


def _confounded(found: Effects, masks: Sequence[tuple[int, ...]], n_blocks: int) -> list[str]:
    return [] if found.pairs else [one.words for one in confounded(masks, n_blocks)]

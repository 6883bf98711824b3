"""Whose weights stay: the trials that an answer names, and, while a sweep is at work, those that it may still name.

An answer names the winner, the cheapest choice and the smallest that ties with the winner (`Candidates.best`,
`Candidates.one_standard_error`, `Ranking.tied`). Each is the first in the order of cost that lies above some floor, so
it scores higher than everything cheaper, wherever the floor comes to lie. A trial that does not can never be named
again: a further trial raises floors and adds rivals, and scores do not change. That holds as long as the sweep's seeds
are the same.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from tracking.analysis.seeds import Reading
from tracking.best_mask.answer import CHEAPEST, WINNER, BestMask
from tracking.best_mask.candidates import HALVES, candidates_of, cost
from tracking.record import TrialRecord
from trainer.candidate import Candidate

SMALLEST_TIE = "smallest that ties"


@dataclass(frozen=True)
class Contender:
    """A candidate that may win, with its price and its mean Dice (over folds and seeds)."""

    candidate: Candidate
    trainable_params: int
    dice: float


def in_the_running(contenders: Iterable[Contender]) -> list[Contender]:
    """Those that an answer may still name, cheapest first; the last is the winner of today."""
    running: list[Contender] = []
    for contender in sorted(contenders, key=lambda one: cost(one.candidate, one.trainable_params)):
        if not math.isnan(contender.dice) and (not running or contender.dice > running[-1].dice):
            running.append(contender)
    return running


def named_runs(reading: Reading, answer: BestMask | None) -> dict[str, str]:
    """MLflow run id -> what it is to the `answer`: winner, cheapest choice, smallest that ties, contracting, expanding
    (each of these two at its best setting). Of a trial repeated with several seeds, the runs of all.

    A sweep with one finished mask has no answer, and yet a winner.
    """
    candidates = candidates_of(reading)
    named: list[tuple[TrialRecord, str]] = []
    if candidates.trials:
        named.append((candidates.winner, WINNER))
        named.append((candidates.trials[candidates.one_standard_error[0]], CHEAPEST))
    if answer is not None:
        position = next(index for index, one in enumerate(answer.compared) if one.tied)
        named.append((candidates.trials[position], SMALLEST_TIE))
    for name in HALVES:
        if name in candidates.references:
            named.append((max(candidates.references[name], key=lambda trial: trial.mean_dice), name))
    words: dict[str, list[str]] = {}
    for trial, word in named:
        for part in reading.repeats.parts.get(trial.info.candidate.key, (trial,)):
            words.setdefault(part.run_id, []).append(word)
    return {run: ", ".join(dict.fromkeys(all_words)) for run, all_words in words.items()}

"""Records drawn from a seed: whatever a sweep can leave behind, for properties that must hold of every sweep."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import numpy as np

from tests.tracking.made_up import BLOCK_PARAMS, FOLDS, PER_FOLD, sweep_info
from tracking.record import METRICS, Role, SweepInfo, SweepRecord, TrialInfo, TrialRecord
from trainer.candidate import Candidate, TrainValue
from trainer.masks import Mask, names, orders_and_depths, parse
from trainer.results import Score

Term = tuple[int, ...]
STATES = ("FINISHED",) * 5 + ("FAILED", "DROPPED", "RUNNING")
TRAINS: tuple[tuple[tuple[str, TrainValue], ...], ...] = ((), (("batch", 8),))


def drawn_record(seed: int) -> SweepRecord:
    """A sweep of 1 to 5 blocks: some masks at some settings and with some seeds, baselines, failed, dropped and open
    trials, folds without a score, equal scores, networks that learned nothing; with constraints or without.
    """
    rng = np.random.default_rng(seed)
    n_blocks = int(rng.integers(1, 6))
    masks, settings = _drawn_masks(rng, n_blocks), _drawn_settings(rng)
    seeds = [0, 1, 2][: int(rng.choice([1, 1, 3]))]
    candidates = [
        Candidate(str(Mask(blocks, n_blocks)), epochs, 1e-3, seed=each, train=train)
        for blocks, (epochs, train) in product(masks, settings)
        if rng.random() < 0.8
        for each in seeds
    ]
    epochs = settings[0][0]
    candidates += [Candidate("all", epochs, 1e-3, seed=each) for each in seeds]
    trials = [_drawn_trial(rng, candidate, n_blocks) for candidate in dict.fromkeys(candidates)]
    trials.append(_drawn_trial(rng, Candidate("all", epochs, 1e-3, "scratch"), n_blocks, "scratch"))
    trials.append(_drawn_trial(rng, Candidate("none", 0, 1e-3), n_blocks, "zero-shot"))
    most = int(rng.integers(1, n_blocks + 1)) if rng.random() < 0.5 else n_blocks
    outside = [trial.info.candidate.key for trial in trials if len(trial.info.blocks) > most]
    info = _drawn_info(rng, n_blocks, seeds, outside)
    return SweepRecord(info, "run", "FINISHED", "2026-11-23T06:00:00+00:00", tuple(trials))


def _drawn_masks(rng: np.random.Generator, n_blocks: int) -> list[Term]:
    blocks = range(1, n_blocks + 1)
    every = [tuple(block for block in blocks if bits >> (block - 1) & 1) for bits in range(1, 2**n_blocks)]
    return [every[index] for index in rng.permutation(len(every))[: rng.integers(0, 8)]]


def _drawn_settings(rng: np.random.Generator) -> list[tuple[int, tuple[tuple[str, TrainValue], ...]]]:
    every = list(product((6, 12), TRAINS))
    return [every[index] for index in rng.permutation(len(every))[: rng.choice([1, 1, 2, 3])]]


def _drawn_info(rng: np.random.Generator, n_blocks: int, seeds: Sequence[int], outside: list[str]) -> SweepInfo:
    search = {"space": "subsets", "strategy": str(rng.choice(["tpe", "grid"])), "seeds": list(seeds)}
    return replace(
        sweep_info(),
        n_blocks=n_blocks,
        block_params=BLOCK_PARAMS[:n_blocks],
        named_masks={name: str(parse(name, n_blocks)) for name in ("contracting", "expanding", "all")},
        spec={"search": search},
        outside=outside,
    )


def _drawn_trial(rng: np.random.Generator, candidate: Candidate, n_blocks: int, role: Role = "trial") -> TrialRecord:
    mask = parse(candidate.mask, n_blocks)
    params = sum(BLOCK_PARAMS[block - 1] for block in mask.blocks)
    info = TrialInfo(candidate, mask.blocks, orders_and_depths(mask), names(mask), params, role)
    level, noise = rng.choice([0.05, 0.5, 0.5, 0.6, 0.9]), rng.choice([0.0, 0.03])  # no noise: equal scores
    dice = np.clip(level + noise * rng.normal(size=(FOLDS, PER_FOLD)), 0, 1)
    status = str(rng.choice(STATES)) if role == "trial" else "FINISHED"
    lost = status != "FINISHED" or rng.random() < 0.03
    means = np.where(lost or rng.random(FOLDS) < 0.03, math.nan, dice.mean(axis=1))
    folds = {metric: tuple(float(value) for value in means) for metric in METRICS}
    return TrialRecord(info, f"run {candidate.key}", status, "", folds, () if lost else _scores(dice), None, 2.0)


def _scores(dice: np.ndarray) -> tuple[tuple[int, Score], ...]:
    return tuple(
        (fold, Score(case, "", 1, 1, 0, 1, float(value), 1.0, 0.5))
        for fold, (cases, row) in enumerate(zip(sweep_info().folds, dice, strict=True), 1)
        for case, value in zip(cases, row, strict=True)
    )

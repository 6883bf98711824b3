"""Stopping early, replayed on a table of every set of blocks: what it saves, and how often it drops the true best.

    .venv/bin/python tests/benchmarks/early_stopping.py TABLE.npz [--strategy NAME] [--replays N] [--neighbours]

The table is that of `subset_table.py`. A replay is one search on one seed and one epoch count: the sets that every
search starts from first, which are never dropped, then all others in a random order, or as many as a strategy proposes.
The truth comes from the other seeds alone: the mean Dice of a set in them. A search that drops the set which is best
there has dropped the true best. Printed, for the rule of `sweeps.run.early_stopping`, for neighbouring constants and
for four
other rules: the rate of searches that dropped the true best, the share of the true top 1 % that was dropped, the share
of trainings saved over the whole order and over its first 41 sets, and how much the best found is worse (in true Dice)
than without stopping: among what was proposed, so it says nothing of sets that a strategy proposed in place of others.
A rate counts only searches that proposed the true best.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sweeps.run.early_stopping import FOLD_NOISE, MARGIN, STANDARD_ERRORS, clearly_worse
from sweeps.spec.search_section import Search
from sweeps.spec.space import space_of
from sweeps.strategies.history import History, PastTrial
from sweeps.strategies.propose import strategy_of
from trainer.config import Settings

NONE, SCALE = 65_535, 10_000
WARM = (0b111111111, 0b000011111, 0b111100000, 0b100000000)  # all, contracting, expanding, deep-1
SHORT = 41  # sets: the length of a search that is to be enough (8 % of 511)
Floats = NDArray[np.float64]
Pairs = NDArray[np.int8]  # (set, best so far): the fold after which the first is dropped, 0 for never


@dataclass(frozen=True)
class Scores:
    """One seed at one epoch count. `dice` (sets, images), NaN for an empty truth; `fold` (images) from 0; `truth`
    (sets): mean Dice in the other seeds. Set m - 1 of the table's 1..511. `parameters` of each block.
    """

    dice: Floats
    fold: NDArray[np.int8]
    truth: Floats
    parameters: tuple[int, ...] = ()

    @property
    def folds(self) -> int:
        """How many there are."""
        return int(self.fold.max()) + 1

    @cached_property
    def running(self) -> Floats:
        """(folds, sets): mean over the first k folds of their mean Dice; the last row is the score of a set."""
        means = np.array([np.nanmean(self.dice[:, self.fold == fold], axis=1) for fold in range(self.folds)])
        return np.asarray(np.cumsum(means, axis=0) / np.arange(1, self.folds + 1)[:, None])


def read(path: Path) -> list[Scores]:
    """Every seed at every epoch count."""
    with np.load(path) as table:
        dice = np.where(table["dice"] == NONE, np.nan, table["dice"] / SCALE)[:, 1:]
        fold = table["fold"]
        parameters = tuple(int(table["parameters"][1 << block]) for block in range(9))
    mean = np.nanmean(dice, axis=3)
    seeds, _, budgets, _ = dice.shape
    return [
        Scores(dice[seed, :, budget], fold[seed], np.delete(mean[:, :, budget], seed, axis=0).mean(0), parameters)
        for seed in range(seeds)
        for budget in range(budgets)
    ]


def differences(scores: Scores) -> Iterator[tuple[Floats, Floats, int, int]]:
    """For every number of folds: mean and variance (sets, sets) of the paired differences, images, folds."""
    for folds in range(1, scores.folds):
        compared = (scores.fold < folds) & ~np.isnan(scores.dice).any(0)
        dice = scores.dice[:, compared]
        mean, cov = dice.mean(1), np.cov(dice)
        own = np.diag(cov)
        variance = np.maximum(own[:, None] + own[None, :] - 2 * cov, 0)
        yield mean[:, None] - mean[None, :], variance, dice.shape[1], folds


def by_rule(scores: Scores, rule: Callable[[Floats, Floats, int, int], NDArray[np.bool_]]) -> Pairs:
    """The first number of folds at which a rule drops a set against a best."""
    fold_of_drop = np.zeros((len(scores.dice),) * 2, np.int8)
    for mean, variance, images, folds in differences(scores):
        fold_of_drop[(fold_of_drop == 0) & rule(mean, variance, images, folds)] = folds
    return fold_of_drop


def by_wilcoxon(scores: Scores, threshold: float = 0.1) -> Callable[[int, int], int]:
    """Optuna's WilcoxonPruner with its own threshold, asked between folds; computed for a best when it is one."""
    from scipy.stats import wilcoxon

    known: dict[int, NDArray[np.int8]] = {}

    def dropped(candidate: int, best: int) -> int:
        if best not in known:
            fold_of_drop = np.zeros(len(scores.dice), np.int8)
            for folds in range(1, scores.folds):
                compared = (scores.fold < folds) & ~np.isnan(scores.dice).any(0)
                gap = scores.dice[:, compared] - scores.dice[best, compared]
                p = wilcoxon(gap, axis=1, alternative="less", zero_method="zsplit", method="asymptotic").pvalue
                fold_of_drop[(fold_of_drop == 0) & (p < threshold) & (gap.mean(1) < 0)] = folds
            known[best] = fold_of_drop
        return int(known[best][candidate])

    return dropped


Dropped = Callable[[int, int, list[int]], int]  # a set, the best so far, those scored as wholes -> after which fold


def by_median(scores: Scores, startup: int = 5) -> Dropped:
    """Optuna's MedianPruner with its own settings, on running means over folds."""
    running = scores.running

    def dropped(candidate: int, best: int, whole: list[int]) -> int:
        if len(whole) >= startup:
            for folds in range(1, scores.folds):
                if running[folds - 1, candidate] < np.median(running[folds - 1, whole]):
                    return folds
        return 0

    return dropped


def rules(scores: Scores, neighbours: bool) -> Iterator[tuple[str, Dropped]]:
    """Every rule by name, ours first."""

    def ours(standard_errors: float, noise: float, margin: float) -> Dropped:
        def rule(mean: Floats, variance: Floats, images: int, folds: int) -> NDArray[np.bool_]:
            return clearly_worse(mean, variance, images, folds, standard_errors, noise, margin)

        table = by_rule(scores, rule)
        return lambda candidate, best, whole: int(table[candidate, best])

    yield "ours", ours(STANDARD_ERRORS, FOLD_NOISE, MARGIN)
    if neighbours:
        for errors in (1.5, 2.0, 2.5):
            for noise in (0.0, 0.02, 0.03):
                for margin in (0.0, 0.01, 0.02):
                    yield f"{errors} SE, noise {noise:.2f}, margin {margin:.2f}", ours(errors, noise, margin)
    lower = by_rule(scores, lambda mean, variance, images, folds: mean < 0)
    yield "lower mean after any fold", lambda candidate, best, whole: int(lower[candidate, best])
    yield "lower mean after fold 1", lambda candidate, best, whole: int(lower[candidate, best] == 1)
    wilcoxon = by_wilcoxon(scores)
    yield "WilcoxonPruner (p < 0.1)", lambda candidate, best, whole: wilcoxon(candidate, best)
    yield "MedianPruner", by_median(scores)


Fate = dict[int, int]  # set -> the fold after which it was dropped, 0 for never
Propose = Callable[[Fate], int | None]  # the next set, after what became of those before


def replay(scores: Scores, propose: Propose, dropped: Dropped) -> Fate:
    """One search: what became of every set that it proposed."""
    score = scores.running[-1]
    whole = [bits - 1 for bits in WARM]
    best, fate = max(whole, key=lambda candidate: score[candidate]), dict[int, int]()
    while (candidate := propose(fate)) is not None:
        fate[candidate] = dropped(candidate, best, whole)
        if not fate[candidate]:
            whole.append(candidate)
            best = candidate if score[candidate] > score[best] else best
    return fate


def at_random(scores: Scores, seed: int) -> Propose:
    """All sets that a search does not start from."""
    others = [index for index in range(len(scores.dice)) if index + 1 not in WARM]
    order = [others[draw] for draw in np.random.default_rng(seed).permutation(len(others))]
    return lambda fate: order[len(fate)] if len(fate) < len(order) else None


def by_strategy(scores: Scores, name: str, seed: int) -> Propose:
    """The first sets that a strategy of `sweeps.spec.strategy_names` proposes. It is told what a search knows: the
    score of a
    whole trial, the estimate of a dropped one. Its probe is the first fold at the table's own epochs.
    """
    space = space_of(Search(space="subsets"), scores.parameters, Settings())
    running, ask = scores.running, strategy_of(name)
    score, first = running[-1], running[0]
    probe = {block: float(first[(1 << block - 1) - 1]) for block in range(1, space.n_blocks + 1)}
    candidates = [space.candidate(mask, 12, 1e-3) for mask in space.masks]  # in the order of the table
    index_of = {index: number for number, index in enumerate(candidates)}
    start = tuple(PastTrial(candidates[bits - 1], "done", float(score[bits - 1])) for bits in WARM)

    def propose(fate: Fate) -> int | None:
        best = max((bits - 1 for bits in WARM), key=lambda index: score[index])
        trials = list(start)
        for index, after in fate.items():
            gap = running[after - 1, index] - running[after - 1, best]
            estimate = score[best] + gap if after else score[index]
            trials.append(PastTrial(candidates[index], "dropped" if after else "done", float(estimate)))
            best = index if not after and score[index] > score[best] else best
        proposal = ask(space, History(tuple(trials), probe), seed) if len(fate) < SHORT else None
        return None if proposal is None else index_of[proposal]

    return propose


def measures(scores: Scores, fate: Fate) -> dict[str, float]:
    """What one replay says; NaN where it cannot tell (the true best was no candidate)."""
    ranked, score = np.argsort(-scores.truth), scores.running[-1]
    top = [index for index in ranked[: round(len(ranked) / 100)] if index in fate]
    saved = np.array([scores.folds - after if after else 0 for after in fate.values()]) / scores.folds

    def true_dice_of_winner(sets: Sequence[int]) -> float:
        return float(scores.truth[max(sets, key=lambda index: score[index])])

    start = [bits - 1 for bits in WARM]
    dice_with_drops = true_dice_of_winner([*start, *(index for index, after in fate.items() if not after)])
    return {
        "best": float(fate[ranked[0]] > 0) if ranked[0] in fate else np.nan,
        "top": float(np.mean([fate[index] > 0 for index in top])) if top else np.nan,
        "saved": float(saved.mean()),
        "short": float(saved[:SHORT].mean()),
        "loss": true_dice_of_winner([*start, *fate]) - dice_with_drops,
    }


def judged(table: Sequence[Scores], replays: int, strategy: str, neighbours: bool) -> dict[str, dict[str, float]]:
    """Rule -> mean of every measure over seeds, epoch counts and replays; `worst`: the highest rate of any of them."""
    groups_of_rule: dict[str, list[list[dict[str, float]]]] = {}
    for scores in table:
        for name, dropped in rules(scores, neighbours):
            orders = (
                by_strategy(scores, strategy, seed) if strategy else at_random(scores, seed) for seed in range(replays)
            )
            groups_of_rule.setdefault(name, []).append(
                [measures(scores, replay(scores, propose, dropped)) for propose in orders]
            )
    return {name: _mean(groups) for name, groups in groups_of_rule.items()}


def _mean(groups: list[list[dict[str, float]]]) -> dict[str, float]:
    everything = [replay_measures for group in groups for replay_measures in group]
    rates = [
        [replay_measures["best"] for replay_measures in group if not np.isnan(replay_measures["best"])]
        for group in groups
    ]
    worst = max(float(np.mean(rate)) if rate else 0.0 for rate in rates)
    values_of = {
        key: [replay_measures[key] for replay_measures in everything if not np.isnan(replay_measures[key])]
        for key in everything[0]
    }
    return {key: float(np.mean(values)) if values else np.nan for key, values in values_of.items()} | {"worst": worst}


def main(arguments: list[str]) -> None:
    """Print the table of rules, as text and, for the record, as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("table", type=Path)
    parser.add_argument("--replays", type=int, default=200)
    parser.add_argument("--strategy", default="", help="In the order that it proposes; none: in random orders.")
    parser.add_argument("--neighbours", action="store_true", help="Other constants of our rule, too.")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    table = read(given.table)
    measures_of_rule = judged(table, given.replays, given.strategy, given.neighbours)
    if given.json:
        print(json.dumps(measures_of_rule, indent=1))
        return
    sets, images = table[0].dice.shape
    print(
        f"{given.table.name}: {sets} sets, {images} images, {len(table)} tables (seed x epochs), {given.replays} "
        f"searches each, {given.strategy or 'in random order'}"
    )
    print(
        f"{'rule':32} {'best dropped':>12} {'worst table':>11} {'top 1 %':>8} {'saved':>6} {'of 41':>6} "
        f"{'lost Dice':>9}"
    )
    for name, rates in measures_of_rule.items():
        print(
            f"{name:32} {rates['best']:12.1%} {rates['worst']:11.1%} {rates['top']:8.1%} {rates['saved']:6.1%} "
            f"{rates['short']:6.1%} {rates['loss']:9.4f}"
        )


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])

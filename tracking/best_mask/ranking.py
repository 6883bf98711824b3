"""The candidates of a sweep ranked: winner, what ties with it, the cheapest choice, prices; all numbers, no words."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tracking.analysis.seed_noise import SeedNoise, seed_noise
from tracking.analysis.winners_curse import FurtherVariance, Selection, against_best
from tracking.best_mask.candidates import CandidateAt, Candidates, Setting, candidate_at
from tracking.best_mask.pareto import Pareto, pareto
from tracking.best_mask.references import Against, judged


@dataclass(frozen=True)
class Corrected:
    """The winner's Dice corrected for the search: `apparent` as measured, `corrected`, their difference `optimism`;
    `low`, `high`: 95 % of the draws; over `images`, in `draws` of these.
    """

    apparent: float
    corrected: float
    optimism: float
    low: float
    high: float
    images: int
    draws: int


@dataclass(frozen=True, kw_only=True)
class Compared(CandidateAt):
    """A candidate and its distance from the best: `behind` in Dice; `low`, `high`: 95 % interval of that distance,
    corrected for the choice of the best, from the pooled variance of all candidates.

    `tied`: that interval holds 0 or is unknown (NaN), so the candidate was not shown to be worse (the best ties with
    itself); `p_adjusted`: the stricter test, for all pairs; `chosen`: share of the draws in which it wins (NaN without
    a correction); `noise`: how far another training seed moves `behind`, None with one seed and for the best.
    """

    behind: float
    low: float
    high: float
    tied: bool
    p_adjusted: float
    chosen: float
    noise: SeedNoise | None


@dataclass(frozen=True, kw_only=True)
class CheapestChoice(CandidateAt):
    """The one-standard-error choice: the cheapest candidate above the `floor`, the best Dice minus its SEM."""

    floor: float


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """The numbers of an answer. Scores are mean Dice over folds, fractions of 1; a candidate is a mask at a setting.

    `sweep`: its name; `synthetic`: whether its data are. `masks`, `candidates`: how many were finished and compared;
    `dropped` (before their last fold, so never compared), `failed`, `unfinished`: trials that were not; `settings` that
    occur among the candidates. `best`: the winner; `corrected`: its score corrected for the search, None for fewer
    than ten images; `against`: the winner minus `expanding`, `contracting`, `all`, `zero-shot`, `scratch`, those
    measured; `compared`: every candidate, cheapest first; `one_standard_error`: the cheapest choice; `pareto`: both
    fronts.
    """

    sweep: str
    synthetic: bool
    masks: int
    candidates: int
    dropped: int
    failed: int
    unfinished: int
    settings: tuple[Setting, ...]
    best: CandidateAt
    corrected: Corrected | None
    against: tuple[Against, ...]
    compared: tuple[Compared, ...]
    one_standard_error: CheapestChoice
    pareto: Pareto

    @property
    def tied(self) -> tuple[Compared, ...]:
        """The best and what ties with it, cheapest first."""
        return tuple(candidate for candidate in self.compared if candidate.tied)


def rank(candidates: Candidates) -> Ranking:
    """Rank two or more candidates of at least two masks."""
    info, judgement = candidates.info, judged(candidates)
    priced = [candidate_at(trial, info) for trial in candidates.trials]
    cheapest, floor = candidates.one_standard_error
    return Ranking(
        sweep=info.name,
        synthetic=bool(info.data.get("synthetic")),
        masks=len(candidates.masks),
        candidates=len(priced),
        dropped=candidates.dropped,
        failed=candidates.failed,
        unfinished=candidates.unfinished,
        settings=tuple(
            Setting(epochs=epochs, learning_rate=rate, train=dict(train), start=start)
            for epochs, rate, train, start in candidates.settings
        ),
        best=priced[candidates.best],
        corrected=_corrected(priced[candidates.best].dice, judgement.selection, judgement.images),
        against=judgement.against,
        compared=_compared(priced, candidates, judgement.selection),
        one_standard_error=CheapestChoice(**vars(priced[cheapest]), floor=floor),
        pareto=pareto(priced),
    )


def _corrected(dice: float, selection: Selection | None, images: int) -> Corrected | None:
    if selection is None:
        return None
    optimism = selection.optimism
    return Corrected(dice, dice - optimism, optimism, selection.low, selection.high, images, selection.draws)


def _compared(priced: list[CandidateAt], candidates: Candidates, selection: Selection | None) -> tuple[Compared, ...]:
    train, tested = zip(*candidates.info.fold_sizes, strict=True)
    _, tests = against_best(candidates.folds, train, tested, further=_of_pretrainings(candidates))
    optimism = selection.optimism if selection else 0.0
    shares = selection.frequencies if selection else (math.nan,) * len(priced)
    compared = []
    for index, (candidate, test, share) in enumerate(zip(priced, tests, shares, strict=True)):
        low = test.mean - optimism - test.margin
        compared.append(
            Compared(
                **vars(candidate),
                behind=test.mean,
                low=low,
                high=test.mean - optimism + test.margin,
                tied=index == candidates.best or not low > 0,
                p_adjusted=test.p_adjusted,
                chosen=share,
                noise=_behind_noise(candidates, index),
            )
        )
    return tuple(compared)


def _of_pretrainings(candidates: Candidates) -> FurtherVariance | None:
    """The variance over pre-trainings of each candidate's distance from the best, mean over the candidates of its
    start, which share theirs; None for one pre-training.
    """
    repeats, best = candidates.repeats, candidates.best
    means = np.array([np.nanmean(repeats.by_pretraining(trial), axis=1) for trial in candidates.trials])
    count = means.shape[1]
    if count < 2:
        return None
    own = (means[best] - means).var(axis=1, ddof=1) / count
    starts = [trial.info.candidate.start for trial in candidates.trials]
    others = [
        (start, float(value)) for index, (start, value) in enumerate(zip(starts, own, strict=True)) if index != best
    ]
    of = {start: [value for other, value in others if other == start] for start in starts}
    return FurtherVariance([float(np.mean(of[start] or 0.0)) for start in starts], count - 1)


def _behind_noise(candidates: Candidates, index: int) -> SeedNoise | None:
    """How far another seed moves the distance from the best, which is the best of the means over seeds."""
    if index == candidates.best:
        return None
    pairs = candidates.repeats.by_seed([candidates.winner, candidates.trials[index]])
    return seed_noise([best.mean_dice - other.mean_dice for best, other in pairs])

"""thaw's own search: a model of the landscape, learnt from every score so far, names the most promising candidate.

Efficient global optimization (Jones, Schonlau and Welch 1998) on sets of blocks: a Gaussian process
(`tracking.best_mask.gaussian_process`) over the scores, the probe as hints, and the unseen candidate with the largest
expected improvement on the best of those seen.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from sweeps.spec.space import Setting, Space
from sweeps.strategies.history import History, PastTrial
from tracking.best_mask.gaussian_process import Array, Points, Surrogate, fitted, places, signs
from trainer.candidate import Candidate
from trainer.masks import parse

LEARNT = 1000  # scores that the model learns from: its time grows with their third power. Five seconds
LARGEST = 300_000  # candidates weighed for one proposal; of a larger space so many are drawn. About a second
CHUNK = 4_000_000  # candidates predicted at once x scores that they are predicted from: 32 MB
TIE = 1e-9  # improvements that differ by less, in parts of the largest, are equal


def guided(space: Space, history: History, seed: int) -> Candidate | None:
    """The unseen candidate with the largest expected improvement; ties go to fewer parameters.

    An open candidate counts as scored as predicted (constant liar), so that workers keep away from each other; a failed
    one as bad as the worst. Of more than 1,000 scores it learns from the best 500 and as many of the others, evenly
    drawn. None when everything has been handed out.
    """
    grid = _grid(space)
    rows = _unseen_numbers(grid, space, history, seed)
    if not len(rows):
        return None
    model_and_best = _fit_model(grid, space, history)
    if model_and_best is None:  # nothing to go by
        gain = np.zeros(len(rows))
    else:
        parts = np.array_split(rows, -(-len(rows) * len(model_and_best[0].scored) // CHUNK))
        gain = np.concatenate([_improvement(*model_and_best, grid.points(part)) for part in parts])
    tied = rows[gain >= gain.max() * (1 - TIE)]
    fewest = np.asarray(space.parameters)[tied // len(grid.choices)]
    return grid.candidate(space, int(tied[np.argmin(fewest)]))


_Choice = tuple[int, float, Setting]  # epochs, rate, searched settings


@dataclass(frozen=True)
class _Grid:
    """A space as arrays. Candidate number i has mask i // k and choice i % k of the k = `len(choices)`."""

    blocks: Array  # (masks, blocks), 1.0 trains, -1.0 frozen
    choices: tuple[_Choice, ...]
    coordinates: Array  # (choices, places on the axes with more than one value)
    allowed: NDArray[np.bool_]  # (masks x choices,)
    row: dict[str, int]  # mask -> its number
    number: dict[_Choice, int]  # choice -> its number

    def points(self, rows: NDArray[np.intp]) -> Points:
        return Points(self.blocks[rows // len(self.choices)], self.coordinates[rows % len(self.choices)])

    def candidate(self, space: Space, number: int) -> Candidate:
        epochs, rate, setting = self.choices[number % len(self.choices)]
        return space.candidate(space.masks[number // len(self.choices)], epochs, rate, setting)


@lru_cache(maxsize=2)
def _grid(space: Space) -> _Grid:
    rates = tuple(sorted(space.learning_rate))
    settings = list(space.settings())
    choices = tuple(itertools.product(space.epochs, rates, settings))
    axes = [places(values) for values in (range(len(space.epochs)), range(len(rates)), *dict(space.searched).values())]
    rows = itertools.product(*axes)
    return _Grid(
        signs([mask.blocks for mask in space.masks], space.n_blocks),
        choices,
        np.array([list(itertools.chain.from_iterable(row)) for row in rows], float),
        np.array([space.allows(str(mask), setting) for mask in space.masks for _, _, setting in choices]),
        {str(mask): number for number, mask in enumerate(space.masks)},
        {choice: number for number, choice in enumerate(choices)},
    )


def _unseen_numbers(grid: _Grid, space: Space, history: History, seed: int) -> NDArray[np.intp]:
    """Numbers of the candidates that were not proposed yet; of a space too large, a sample of them."""
    size = len(grid.choices)
    inside = [candidate for candidate in history.known if candidate in space]
    known_numbers = [
        grid.row[candidate.mask] * size
        + grid.number[candidate.epochs, candidate.learning_rate, space.setting_of(candidate)]
        for candidate in inside
    ]
    total = len(grid.allowed)
    if total <= LARGEST:
        is_unseen = grid.allowed.copy()
        is_unseen[known_numbers] = False
        return np.flatnonzero(is_unseen)
    sample = np.random.default_rng([seed, len(history.trials)]).integers(total, size=LARGEST)
    return np.setdiff1d(sample[grid.allowed[sample]], known_numbers)


@dataclass(frozen=True)
class _Observation:
    """A point with its score (None while it runs); `hint` where the score only comes from the probe."""

    blocks: tuple[int, ...]
    choice: int  # number of the choice
    score: float | None
    hint: bool = False


def _fit_model(grid: _Grid, space: Space, history: History) -> tuple[Surrogate, float] | None:
    """The model after what is known, and the score to improve on: the best of those seen, as the model sees them."""
    worst = min((trial.score for trial in history.trials if trial.score is not None), default=0.0)
    observations = [
        observation for trial in history.trials if (observation := _observation(grid, space, trial, worst)) is not None
    ]
    scored = _learnt([observation for observation in observations if observation.score is not None])
    if not scored:
        return None
    with_score = [*scored, *_hints(grid, space, history)]
    scores = np.array([observation.score for observation in with_score], float)
    model = fitted(_points(grid, space, with_score), scores, np.array([observation.hint for observation in with_score]))
    best = float(model.means(_points(grid, space, scored)).max())
    running = [observation for observation in observations if observation.score is None]
    return model.believing(_points(grid, space, running)) if running else model, best


def _learnt(scored: Sequence[_Observation]) -> list[_Observation]:
    """All that scored, in their order; of more than `LEARNT` the best half and an even draw of the others."""
    if len(scored) <= LEARNT:
        return list(scored)
    by_score = np.argsort([-(observation.score or 0.0) for observation in scored], kind="stable")
    others = np.random.default_rng(len(scored)).permutation(by_score[LEARNT // 2 :])[: LEARNT - LEARNT // 2]
    return [scored[index] for index in sorted([*by_score[: LEARNT // 2], *others])]


def _observation(grid: _Grid, space: Space, trial: PastTrial, worst: float) -> _Observation | None:
    """What a trial tells of the space; None of one with a start or settings that are not searched, or on a part of the
    images.

    A failed one counts as bad as the `worst` that scored; zero-shot is the set of no blocks at the largest epoch count.
    """
    candidate = trial.candidate
    epochs = candidate.epochs or space.epochs[-1]
    choice = (epochs, candidate.learning_rate, space.setting_of(candidate))
    if choice not in grid.number or not candidate.plain:
        return None
    score = worst if trial.status == "failed" else trial.score
    return _Observation(parse(candidate.mask, space.n_blocks).blocks, grid.number[choice], score)


def _hints(grid: _Grid, space: Space, history: History) -> list[_Observation]:
    """The probe: something like the score of each block alone, at the settings that it is measured with."""
    choice = grid.number[space.epochs[-1], space.learning_rate[0], next(iter(space.settings()))]
    return [_Observation((block,), choice, dice, True) for block, dice in history.probe.items()]


def _points(grid: _Grid, space: Space, observations: list[_Observation]) -> Points:
    blocks = signs([observation.blocks for observation in observations], space.n_blocks)
    return Points(blocks, grid.coordinates[[observation.choice for observation in observations]])


def _improvement(model: Surrogate, best: float, points: Points) -> Array:
    """Expected improvement on `best`, (n,), at least 0."""
    mean, deviation = model.predict(points)
    z = (mean - best) / deviation
    improvement: Array = deviation * (z * ndtr(z) + np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi))
    return improvement

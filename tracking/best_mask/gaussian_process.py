"""A Gaussian process over candidates: what is known of one says something about those that differ from it in little.

Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006, chapters 2 and 5. The correlation of two sets of
blocks is `block` to the power of the number of blocks in which they differ: on sets this is the product of one factor
per block, so it holds main effects, pairs, triples, each order weaker than the one before. What else is searched
multiplies it by a Gaussian of the places in the order of the spec.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag, cho_factor, cho_solve

Array = NDArray[np.float64]

# Correlation of two sets that differ in one block: from nearly additive landscapes to rugged ones.
BLOCK = (0.95, 0.9, 0.8, 0.7, 0.5)
PLACE = 1.5  # places on an ordinal axis after which the correlation is 0.61
NOISE = (0.003, 0.01, 0.03, 0.1)  # variance of what a second training seed changes, in parts of the landscape's
LEVEL = 1.0  # prior variance of the mean level in the same unit: only a few scores determine it
HINT = 1.0  # variance of a hint's noise: on a pilot a probe correlated 0.58 to 0.67 with whole scores
PRIOR = 2.0  # scores that the prior guess of the scale counts as
CHUNK = 4000  # points predicted at once: 4,000 x 1,500 scores are 48 MB


@dataclass(frozen=True)
class Points:
    """`blocks` (n, blocks): 1.0 trains, -1.0 is frozen. `places` (n, columns): where every other searched axis stands
    (`places`).
    """

    blocks: Array
    places: Array

    def __len__(self) -> int:
        return len(self.blocks)

    def take(self, rows: NDArray[np.intp]) -> Points:
        return Points(self.blocks[rows], self.places[rows])


def places(values: Sequence[object]) -> list[tuple[float, ...]]:
    """The columns of `Points.places` for each value of an axis: its number in the order of numbers, or a corner of a
    simplex, so that unordered ones are all one place apart. An axis of one value has no column.

    >>> places([6, 12]), places(["a", "b"]), len(places(["a", "b", "c"])[0])
    ([(0.0,), (1.0,)], [(0.0,), (1.0,)], 3)
    """
    if len(values) < 2:
        return [()]
    if len(values) == 2 or not isinstance(values[0], str | bool):
        return [(float(number),) for number in range(len(values))]
    return [tuple(float(row) for row in corner) for corner in np.eye(len(values)) / np.sqrt(2)]


def signs(sets: Sequence[Sequence[int]], n_blocks: int) -> Array:
    """(sets, blocks) of `Points`, from the numbers of the blocks that train in each set."""
    matrix = np.full((len(sets), n_blocks), -1.0)
    rows = np.repeat(np.arange(len(sets)), [len(blocks) for blocks in sets])
    matrix[rows, np.fromiter(itertools.chain.from_iterable(sets), int, len(rows)) - 1] = 1.0
    return matrix


def correlation(left: Points, right: Points, block: float) -> Array:
    """(n, m), in (0, 1]."""
    n_blocks = left.blocks.shape[1]
    differing = ((n_blocks - left.blocks @ right.blocks.T) / 2).astype(np.uint8)
    correlated: Array = (block ** np.arange(n_blocks + 1.0))[differing]
    if left.places.shape[1]:
        distances = np.zeros(correlated.shape)
        for ours, theirs in zip(left.places.T, right.places.T, strict=True):
            distances += (ours[:, None] - theirs) ** 2
        correlated *= np.exp(-distances / (2 * PLACE**2))
    return correlated


@dataclass(frozen=True)
class Surrogate:
    """A fitted process; `predict` gives mean and standard deviation of the score without its noise."""

    scored: Points
    block: float
    noise: Array  # (n, n) covariance of the scores' noise, in units of `scale`
    scale: float  # variance of the landscape
    centre: float
    inverse: Array  # (n, n) of the covariance of the scores, in units of 1 / `scale`
    weights: Array  # (n,)

    def means(self, points: Points) -> Array:
        """The means of `predict`, (n,), of any number of points in little memory."""
        parts = (points.take(part) for part in np.split(np.arange(len(points)), range(CHUNK, len(points), CHUNK)))
        means = [self.centre + (correlation(part, self.scored, self.block) + LEVEL) @ self.weights for part in parts]
        return np.concatenate(means)

    def predict(self, points: Points) -> tuple[Array, Array]:
        """Mean and standard deviation, (n,) each."""
        across = correlation(points, self.scored, self.block) + LEVEL
        mean = self.centre + across @ self.weights
        explained = np.einsum("ij,ij->i", across @ self.inverse, across)
        return mean, np.sqrt(self.scale * np.maximum(1 + LEVEL - explained, 1e-12))

    def believing(self, points: Points) -> Surrogate:
        """The same process after the scores that it predicts for `points`: surer of them, of the same opinion."""
        blocks, places = np.vstack([self.scored.blocks, points.blocks]), np.vstack([self.scored.places, points.places])
        scored = Points(blocks, places)
        noise = block_diag(self.noise, np.diag(self.noise).min() * np.eye(len(points)))
        inverse = np.linalg.inv(correlation(scored, scored, self.block) + LEVEL + noise)
        # What it predicts for them anyway changes no weight but these, which stay 0.
        weights = np.append(self.weights, np.zeros(len(points)))
        return Surrogate(scored, self.block, noise, self.scale, self.centre, inverse, weights)


def fitted(points: Points, scores: Array, hints: NDArray[np.bool_]) -> Surrogate:
    """The process whose settings make `scores` (n,) likeliest. Those that are `hints` (n,) come from a shorter
    training: noisy, and all of them shifted by the same unknown amount.
    """
    centre = float(scores.mean())
    guess = float(scores.var()) or 1e-6
    hinted = hints.astype(np.float64)
    shift = HINT * np.diag(hinted) + LEVEL * np.outer(hinted, hinted)
    fits = []
    for block in BLOCK:
        correlated = correlation(points, points, block) + LEVEL
        for noise in NOISE:
            covariance = correlated + (shift + noise * np.eye(len(scores)))
            fits.append((*_fit(covariance, scores - centre, guess), block, noise))
    _, scale, block, noise = max(fits, key=lambda fit: fit[0])
    noises = shift + noise * np.eye(len(scores))
    inverse = np.asarray(np.linalg.inv(correlation(points, points, block) + LEVEL + noises), np.float64)
    return Surrogate(points, block, noises, scale, centre, inverse, inverse @ (scores - centre))


def _fit(covariance: Array, scores: Array, guess: float) -> tuple[float, float]:
    """Log marginal likelihood of the scores at one pair of settings, and the scale at its likeliest value."""
    factor = cho_factor(covariance, lower=True)
    n = len(scores)
    scale = (float(scores @ cho_solve(factor, scores)) + PRIOR * guess) / (n + PRIOR)
    return -0.5 * (n + PRIOR) * np.log(scale) - float(np.log(np.diag(factor[0])).sum()), scale

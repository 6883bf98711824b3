"""What a sweep leaves on disk, and holds on the way, in bytes: by arithmetic, nothing is trained (docs/disk.md)."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from sweeps.planning.resolve import ResolvedSweep
from tracking.best_mask.candidates import HALVES
from trainer.masks import named, parse

FLOAT = 4
MOMENTS = 2  # of Adam, beside each weight: what a training goes on from
SCORE = 350  # bytes of one image's scores, as JSON with its name, in a fold's result
# A trial's scores, predictions and the figure of its validation images, and one neuron's drawing before and after
# training (docs/disk.md gives what was measured).
TRIAL, NEURON = 330_000, 22_000
RECORD = 5_000_000  # the databases and the report
RUNNING = 4  # whole networks' worth of weights that may still be named while a sweep is at work, about
PACKED = 4  # how much smaller than one bit a pixel predictions lie in MLflow, about
PIXEL = 5  # a float and a mask: the images as loaded


@dataclass(frozen=True)
class FoldDisk:
    """One fold of one mask at one budget: its `scores` and predictions, its `weights`, and the `state` from which a
    larger budget goes on. The weights lie in the ledger and in MLflow, on one disk once the sweep has ended.
    """

    scores: int
    weights: int
    state: int

    @property
    def trained(self) -> int:
        """What lies there when the fold was trained and its trial recorded, before anything goes."""
        return self.scores + 2 * self.weights + self.state


@dataclass(frozen=True)
class SweepDisk:
    """Bytes of a whole sweep: `after` it at most, as its spec keeps weights; at most so much more `during` it; and what
    it would leave with `keep = "all"`.
    """

    after: int
    during: int
    everything: int


def fold_disk(parameters: int, images: int, side: int) -> FoldDisk:
    """One fold that scores `images` of `side` x `side` pixels and trains so many parameters."""
    weights = FLOAT * parameters
    scores = images * (ceil(side * side / 8) + SCORE)
    return FoldDisk(scores, weights, weights * (1 + MOMENTS) if parameters else 0)


def sweep_disk(resolved: ResolvedSweep, further: int, images: int) -> SweepDisk:
    """A sweep on `images` cases of what is listed and of `further` candidates, which may train everything."""
    settings, keep, seeds = resolved.settings, resolved.spec.keep, resolved.repeats
    folds, whole, side = settings.folds, resolved.parameters, settings.model.size
    masks = dict(named(resolved.n_blocks))

    def weights(parameters: int) -> int:
        return folds * fold_disk(parameters, ceil(images / folds), side).weights

    trained = [resolved.thawed(parse(one.mask, resolved.n_blocks)) for one in resolved.listed if one.epochs]
    trained += [whole] * further
    trials = len(resolved.listed) + further
    base = RECORD + images * side * side * PIXEL + FLOAT * whole * (3 + seeds)  # starts, and the champion twice
    base += trials * (TRIAL + NEURON * len(resolved.search.neurons) + images * ceil(side * side / 8) // PACKED)
    # Each budget's results, in the ledger and in MLflow, and one state for each training.
    sets, budgets = sum(map(weights, trained)), len(resolved.search.epochs)
    everything = base + 2 * sets + (1 + MOMENTS) * sets // budgets
    # The winner, and a smaller one that ties with it, are at most whole networks.
    named_sets = seeds * (2 * weights(whole) + sum(weights(resolved.thawed(masks[half])) for half in HALVES))
    after = {"all": everything, "none": base, "best": min(base + named_sets, everything)}[keep]
    at_work = RUNNING * 2 * seeds * weights(whole) + (budgets + 1 + MOMENTS) * weights(whole)
    return SweepDisk(after, 0 if keep == "all" else min(at_work, everything - after), everything)

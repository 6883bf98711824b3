"""How long a sweep takes, from what one step costs: training, compiling, scoring, drawing, recording, start and end.

Every part is counted for the mask that it belongs to. What a search will propose is not known, so each of its trials
counts as one of all blocks: for a search the time is an upper bound.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from sweeps.planning.resolve import ResolvedSweep
from sweeps.spec.space import longest_epochs
from trainer.candidate import Candidate
from trainer.masks import parse
from trainer.training.step_cost import ALL, Cost
from trainer.training.steps.batches import scoring_batch

# Two single-threaded processes on two cores share caches and memory (`tests/benchmarks/workers.py`).
WORKER_EFFICIENCY = 0.88
DRAWN_IMAGES = 70  # drawing a neuron costs as much as so many images in steps of all blocks
RECORDING = 0.8  # seconds of a trial for its record, its proof and its place in the study
STARTING = 9.0  # seconds of the launcher: until the workers train, and for the report after them


@dataclass(frozen=True)
class SweepTime:
    """Seconds of work by kind, of all workers together, and the seconds that pass from the start to the end."""

    training: float
    compiling: float
    scoring: float
    drawing: float
    recording: float
    passing: float


def sweep_time(resolved: ResolvedSweep, cost: Cost, further: int, images: int, steps: int, workers: int) -> SweepTime:
    """The time of a sweep on `images` cases, of `steps` in an epoch of a fold.

    `further`: trials that a search may propose beside its list. Several workers on an accelerator count as one.
    """
    search, folds = resolved.search, resolved.settings.folds
    masks = {one.training: one.mask for one in resolved.listed if one.epochs}
    longest = longest_epochs(resolved.listed)
    of_all = cost.of_mask(ALL)
    fold_steps = sum(longest[training] * cost.of_mask(mask)[0] for training, mask in masks.items())
    training = folds * steps * (fold_steps + further * max(search.epochs) * of_all[0])
    compiling = sum(cost.of_mask(mask)[1] for mask in {*masks.values()}) + further * of_all[1]
    trials = len(resolved.listed) + further
    batches = ceil(images / folds / scoring_batch(resolved.settings.model.size**2))
    scoring = trials * folds * batches * cost.scoring
    drawing = _drawn(resolved, further) * DRAWN_IMAGES * of_all[0] / resolved.settings.train.batch
    recording = trials * RECORDING
    work = training + compiling + scoring + drawing + recording
    at_once = 1.0 if cost.name or workers == 1 else workers * WORKER_EFFICIENCY
    end = _champion(resolved, of_all, steps) if resolved.spec.champion else 0.0
    return SweepTime(training, compiling, scoring, drawing, recording, STARTING + work / at_once + end)


def _drawn(resolved: ResolvedSweep, further: int) -> int:
    """How many neurons are drawn: each before anything is trained, and after each trial that its block may show."""
    blocks = resolved.search.neurons
    if not blocks or resolved.settings.model.blocks:
        return 0
    origins = {one.origin for one in resolved.listed}
    after = sum(sum(block >= _shallowest(one, resolved.n_blocks) for block in blocks) for one in resolved.listed)
    return len(blocks) * (len(origins) + further) + after


def _shallowest(candidate: Candidate, n_blocks: int) -> int:
    """The first block that a candidate trains; one behind the last where it trains none."""
    return min(parse(candidate.mask, n_blocks).blocks, default=n_blocks + 1) if candidate.epochs else n_blocks + 1


def _champion(resolved: ResolvedSweep, of_all: tuple[float, float], steps: int) -> float:
    """One more training, of all images."""
    folds = resolved.settings.folds
    return max(resolved.search.epochs) * steps * folds / (folds - 1) * of_all[0] + of_all[1]

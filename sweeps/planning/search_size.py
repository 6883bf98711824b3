"""How much a search trains, and how long that takes by what a step costs: of the sweep, and of each outer part."""

from __future__ import annotations

from math import ceil

from sweeps.planning.resolve import ResolvedSweep
from sweeps.planning.sweep_time import sweep_time
from sweeps.spec.load import Spec
from sweeps.spec.search_section import Search
from sweeps.spec.space import longest_epochs
from sweeps.spec.strategy_names import PROBE_EPOCHS, PROBED
from trainer.training.step_cost import Cost


def search_size(resolved: ResolvedSweep) -> tuple[int, int]:
    """How many candidates a search may propose beside those it starts from, and how many folds all of them train."""
    folds = resolved.settings.folds
    initial = sum(count > 0 for count in longest_epochs(resolved.listed).values()) * folds + _probes(resolved)
    further = _further(resolved.search, len(resolved.space), len(resolved.listed), initial, folds)
    return further, initial + further * folds


def search_seconds(resolved: ResolvedSweep, cost: Cost, images: int, workers: int) -> float:
    """How long a search on so many images takes, from its start to its end; of one that proposes an upper bound."""
    steps = epoch_steps(resolved.spec, images)
    further, _ = search_size(resolved)
    probe_epochs = min(PROBE_EPOCHS, resolved.search.epochs[-1])
    passing = sweep_time(resolved, cost, further, images, steps, workers).passing
    return passing + _probes(resolved) * probe_epochs * steps * cost.step


def epoch_steps(spec: Spec, images: int) -> int:
    """Steps in an epoch of a fold."""
    return ceil(training_part(spec, images) / spec.settings.train.batch)


def training_part(spec: Spec, images: int) -> int:
    """Images, copies included, that one fold trains on."""
    settings = spec.settings
    return round(max(settings.augmentation.total, images) * (1 - 1 / settings.folds))


def _probes(resolved: ResolvedSweep) -> int:
    """Trainings of a block alone that a search starts from."""
    return len(resolved.space.varied) if resolved.search.strategy in PROBED else 0


def _further(search: Search, size: int, listed_trials: int, initial_trainings: int, folds: int) -> int:
    """How many candidates a search may propose beside those it starts from: its budgets allow no more, nor its space.

    `initial_trainings`: those of what it starts from.
    """
    if not search.proposes:
        return 0
    by_trials = search.trials - listed_trials if search.trials else size
    by_trainings = ceil((search.trainings - initial_trainings) / folds) if search.trainings else size
    return max(0, min(size, by_trials, by_trainings))

"""What a sweep will cost, before it runs: trials, parameters per mask, minutes, memory and disk, measured here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, inf
from pathlib import Path
from typing import Any

from sweeps.environment.machine import duration, free_memory, gib, on_disk, overloaded
from sweeps.planning.disk import SweepDisk, sweep_disk
from sweeps.planning.outer_price import OuterPrice, outer_price, outer_words
from sweeps.planning.resolve import ResolvedSweep
from sweeps.planning.search_size import epoch_steps, search_seconds, search_size, training_part
from sweeps.planning.starts import configs
from sweeps.planning.step_probe import measure_step
from sweeps.spec.load import Spec, seeds_of
from sweeps.spec.search_section import Search
from sweeps.spec.starts import further
from sweeps.strategies.propose import budget, searcher_name, warnings
from trainer.candidate import Candidate
from trainer.config import (
    COMPOSITES,
    PHANTOMS,
    WEIGHT_FILES,
    DataConfig,
    ModelConfig,
    PretrainConfig,
    Settings,
    own_weights,
)
from trainer.data.pairing.sources import find_whole
from trainer.masks import parse
from trainer.training.cross_validation import KEPT_FOLDS
from trainer.training.pretraining import EMBEDDED_IMAGES
from trainer.training.step_cost import ALL, Cost, expected_peak
from trainer.training.steps.batches import scoring_batch

# Beside the network and its optimizer: two starts, what a fold trained, and its newest state with Adam's two moments.
KEPT_COPIES = 6
CHANNEL, MASK = 4, 1  # bytes of one pixel in a channel of an image and in its mask
BUSY = 1.5
TERA = 1e12


@dataclass(frozen=True)
class Estimate:
    """What a sweep on `images` cases costs with `workers`. Times in seconds, memory in bytes.

    `candidates` are known beforehand, `further` ones a search may propose within its budgets. `trainings` are
    (mask, rate, start) groups times folds, and the probe's; `training` is from the start to the end without
    pre-training, and of a search an upper bound;
    `sizes` are the parameters of each block; `epoch` is one epoch of one fold; `pretraining` 0 where weights are given;
    `memory` is that of one worker. `outer`: what a nested cross-validation takes beside all this.
    """

    candidates: tuple[Candidate, ...]
    further: int
    sizes: tuple[int, ...]
    trainings: int
    parameters: dict[str, int]
    images: int
    workers: int
    cost: Cost
    steps: int
    epoch: float
    training: float
    pretraining: float
    pretraining_images: int
    memory: int
    free: int
    disk: SweepDisk
    outer: OuterPrice | None


def estimate(
    resolved: ResolvedSweep, images: int, workers: int, say: Callable[[str], None] = lambda message: None
) -> Estimate:
    """Run one real training step and scale up to the sweep on `images` original cases."""
    spec, settings, candidates = resolved.spec, resolved.settings, resolved.listed
    masks = dict.fromkeys(parse(candidate.mask, resolved.n_blocks) for candidate in candidates)
    further, trainings = search_size(resolved)
    cost = measure_step(spec, [mask for mask in masks if mask.blocks], say)
    steps = epoch_steps(spec, images)
    seconds = search_seconds(resolved, cost, images, workers)
    pretraining, pretraining_images = _pretraining(resolved, scoring_batch(settings.model.size**2), cost)
    return Estimate(
        candidates=candidates,
        further=further,
        sizes=resolved.block_params,
        trainings=trainings,
        parameters={str(mask): resolved.thawed(mask) for mask in masks},
        images=images,
        workers=workers,
        cost=cost,
        steps=steps,
        epoch=steps * cost.step,
        training=min(seconds, 3600 * spec.search.hours or inf),
        pretraining=pretraining,
        pretraining_images=pretraining_images,
        memory=cost.peak + kept_memory(spec, images, resolved.parameters),
        free=free_memory(),
        disk=sweep_disk(resolved, further, images),
        outer=outer_price(resolved, cost, images, workers) if spec.outer else None,
    )


def kept_memory(spec: Spec, images: int, parameters: int) -> int:
    """Bytes that a worker keeps beside its training step: every fold's images, augmented, and copies of weights."""
    settings = spec.settings
    side = settings.model.size
    copies = len(seeds_of(spec)) * (1 + (settings.augmentation.order == "leaky"))  # each draws its own copies
    if spec.search.images:
        copies = max(copies, KEPT_FOLDS)  # as many rows as with all images
    per_seed = settings.folds * training_part(spec, images) + images
    pixel = settings.model.channels * CHANNEL + MASK
    starts = len(further(spec.search)) + len(spec.search.start_seeds)
    return copies * per_seed * side * side * pixel + (KEPT_COPIES + starts) * parameters * 4


def expected_shortage(spec: Spec, network: Any, images: int, workers: int) -> list[str]:
    """The warning before a sweep on this Keras network starts, estimated without running a step; empty where the
    memory should suffice.
    """
    memory = expected_peak(network, spec.settings.train.batch) + kept_memory(spec, images, network.count_params())
    return shortage(memory, workers, free_memory())


def dry_run_lines(spec: Spec, costs: Estimate, home: Path) -> list[str]:
    """The estimate as lines of text."""
    settings = spec.settings
    total = costs.parameters.get("all", max(costs.parameters.values()))
    return [
        f"spec        {spec.name}: {costs.images} images, {settings.model.size}x{settings.model.size}, "
        f"{settings.folds} folds",
        f"network     {settings.model.name}: {total:,} parameters",
        f"trials      {_trials(spec.search, costs)}",
        *(f"            {line}" for line in warnings(spec.search, len(costs.sizes))),
        f"trainings   {costs.trainings} (one per fold, mask, rate and start; smaller epoch counts lie on the way)",
        f"one step    {duration(costs.cost.step)} for {settings.train.batch} images with all blocks, "
        f"{duration(costs.cost.lightest)} with the last alone, measured here",
        *_accelerator_lines(settings, costs.cost),
        *_busy_lines(costs),
        f"one epoch   {duration(costs.epoch)} ({costs.steps} steps, one fold)",
        f"memory      {gib(costs.memory)} for each worker ({gib(costs.cost.peak)} measured in that step, the rest for "
        f"images and copies of weights); {gib(costs.free)} are free here",
        *shortage(costs.memory, costs.workers, costs.free),
        _disk_line(spec, costs.disk),
        _pretraining_line(settings, costs, home),
        *_total_lines(costs, spec.search.hours),
    ]


def _busy_lines(costs: Estimate) -> list[str]:
    """How long the step would take if other programs left the machine alone."""
    if costs.cost.busy <= BUSY or not overloaded():
        return []
    return [
        f"            about {duration(costs.cost.step / costs.cost.busy)} on an idle machine: other programs keep "
        "this one busy, and every time below would shrink alike"
    ]


def _accelerator_lines(settings: Settings, cost: Cost) -> list[str]:
    """What share of its matrix rate the step reaches, and what memory it takes there."""
    if not cost.name:
        return []
    rate = cost.operations.get(ALL, 0) * settings.train.batch / cost.step
    memory = f", {gib(cost.device_memory)} of its memory" if cost.device_memory else ""
    return [
        f"device      {cost.name}: {rate / TERA:.3g} TFLOP/s in {settings.train.precision}, "
        f"{rate / cost.matrix_rate:.0%} of its {cost.matrix_rate / TERA:.3g} in matrix products{memory}; the first "
        f"step of a mask {duration(cost.compiling)}"
    ]


def _disk_line(spec: Spec, disk: SweepDisk) -> str:
    if spec.keep == "all":
        return f"disk        at most about {on_disk(disk.after)}: keep = all keeps all weights"
    return (
        f"disk        at most about {on_disk(disk.after)} in the end and {on_disk(disk.during)} more on the way "
        f"(keep = {spec.keep}); keep = all would take about {on_disk(disk.everything)}"
    )


def _pretraining_line(settings: Settings, costs: Estimate, home: Path) -> str:
    if not costs.pretraining:
        return "pre-train   nothing: weights are given"
    return (
        f"pre-train   about {duration(costs.pretraining)}: {costs.pretraining_images:,} images, "
        f"{settings.pretrain.epochs} epochs; once, then kept in {home / 'weights'}"
    )


def _total_lines(costs: Estimate, hours: float) -> list[str]:
    bound = "at most " if costs.further else ""
    with_workers = f"with {costs.workers} workers, after pre-training"
    if costs.outer is None:
        return [_total_line(bound, costs.training, with_workers)]
    whole = min(costs.training + costs.outer.seconds, 3600 * hours or inf)
    seconds, disk = duration(costs.outer.seconds), on_disk(costs.outer.disk)
    return [
        f"outer       {outer_words(costs.outer, costs.images)}: {costs.outer.trainings} more trainings, {bound}about "
        f"{seconds} beside {duration(costs.training)}, and at most {disk} more on disk",
        _total_line(bound, whole, f"in all {with_workers}"),
    ]


def _total_line(bound: str, seconds: float, with_workers: str) -> str:
    if seconds < 3 * 3600:
        minutes = seconds / 60
        digits = 0 if minutes >= 10 else 1
        return f"minutes     {bound}about {minutes:.{digits}f} {with_workers}"
    return f"in all      {bound}about {duration(seconds)} {with_workers.removeprefix('in all ')}"


def _trials(search: Search, costs: Estimate) -> str:
    if not search.proposes:
        parts = sum(candidate.images > 0 for candidate in costs.candidates)
        of_parts = f"; {parts} of them as if fewer images were labelled" if parts else ""
        what = f"every mask at every epoch count and learning rate, and the baselines{of_parts}"
        return f"{len(costs.candidates)} ({what})"
    return f"{len(costs.candidates)} to start from, then {searcher_name(search)} proposes ({budget(search)})"


def shortage(memory: int, workers: int, free: int) -> list[str]:
    """Empty where `workers` of `memory` bytes each fit into the `free` bytes; else the shortage and what to do."""
    if workers * memory <= free:
        return []
    workers_that_fit = int(free // memory)
    remedy = (
        f"Use --workers {workers_that_fit}"
        if workers_that_fit
        else "Set a smaller train.batch, model.size or model.filters"
    )
    return [
        f"NOT ENOUGH MEMORY: {workers} workers need about {gib(workers * memory)}, but {gib(free)} are free. "
        f"{remedy}, or a machine with more; otherwise the system may end workers in the middle of their work."
    ]


def _pretraining(resolved: ResolvedSweep, scoring_batch_size: int, cost: Cost) -> tuple[float, int]:
    """Seconds of all pre-trainings and the images they take, those held out included; none for given weights."""
    settings = resolved.settings
    seconds, images = 0.0, 0
    for config in configs(resolved).values():
        taken = _pretraining_images(config, settings.model)
        held_out = max(1, round(taken * config.validation))
        steps = ceil((taken - held_out) / config.batch)
        # A step's time goes with its images.
        epoch = steps * cost.step * config.batch / settings.train.batch
        epoch += ceil(held_out / scoring_batch_size) * cost.scoring
        seconds += config.epochs * epoch if taken else 0.0
        images += taken
    return seconds, images


def _pretraining_images(config: PretrainConfig, model: ModelConfig) -> int:
    """How many images one pre-training takes; 0 where the weights are given."""
    if own_weights(config, model) or (config.path is not None and config.path.endswith(WEIGHT_FILES)):
        return 0
    if config.path in (None, COMPOSITES, PHANTOMS):
        return config.images or EMBEDDED_IMAGES
    available = len(find_whole(DataConfig(path=config.path, masks=config.masks)).pairs)
    return min(config.images or available, available)

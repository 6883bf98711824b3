"""What a sweep will cost, before it runs: trials, trainings, parameters per mask, minutes measured on this machine."""

from __future__ import annotations

from dataclasses import dataclass

from sweeps.space import listed
from sweeps.spec import Spec
from trainer.blocks import partition, searchable, trainable_parameters
from trainer.config import Candidate
from trainer.masks import parse
from trainer.network import seconds_per_step
from trainer.unet import unet

COMPILE_SECONDS = 1.5  # tracing one mask of the nine-block network takes 1.3-2.3 s (facts.md, Keras 4)
# Two single-threaded processes gave 1.6 times the throughput of one (facts.md, Keras 7): 0.8 of a core each.
WORKER_EFFICIENCY = 0.8


@dataclass(frozen=True)
class Estimate:
    """`trainings` are (mask, rate, start) groups times folds; `minutes` counts every mask as if all blocks trained."""

    candidates: tuple[Candidate, ...]
    trainings: int
    parameters: dict[str, int]
    step_seconds: float
    minutes: float


def estimate(spec: Spec, images: int, workers: int) -> Estimate:
    """Time a few training steps of all blocks and scale up to the spec on `images` original cases."""
    settings = spec.settings
    network = unet(settings.model)
    blocks = partition(network, settings.partition)
    candidates = listed(spec.search, searchable(blocks), settings)
    masks = dict.fromkeys(parse(one.mask, searchable(blocks)) for one in candidates)
    longest: dict[tuple[str, float, str, int, str], int] = {}
    for one in candidates:
        longest[one.training] = max(longest.get(one.training, 0), one.epochs)
    step = seconds_per_step(network, settings.train)
    per_fold = round(max(settings.augmentation.total, images) * (1 - 1 / settings.folds))
    steps = sum(longest.values()) * settings.folds * -(-per_fold // settings.train.batch)
    seconds = steps * step + len(masks) * workers * COMPILE_SECONDS
    parallel = max(1.0, workers * WORKER_EFFICIENCY)
    return Estimate(
        candidates,
        len(longest) * settings.folds,
        {str(mask): trainable_parameters(blocks, mask) for mask in masks},
        step,
        seconds / parallel / 60,
    )


def dry_run_lines(spec: Spec, found: Estimate, workers: int, images: int) -> list[str]:
    """The estimate in words, one line each."""
    settings = spec.settings
    return [
        f"spec        {spec.name}: {images} images, {settings.model.size}x{settings.model.size}, "
        f"{settings.model.filters} filters, {settings.folds} folds",
        f"trials      {len(found.candidates)} (every mask at every epoch count and learning rate, and the baselines)",
        f"trainings   {found.trainings} (one per fold, mask, rate and start; smaller epoch counts lie on the way)",
        f"one step    {found.step_seconds * 1000:.0f} ms for {settings.train.batch} images, all blocks, measured here",
        f"minutes     at most about {max(1, round(found.minutes))} with {workers} workers, pre-training not counted",
    ]

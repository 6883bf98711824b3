"""What a network's training steps cost here: seconds of a step under any mask, of its first, of scoring; memory."""

from __future__ import annotations

import math
import resource
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np

from trainer.config import Settings
from trainer.masks import Mask
from trainer.network.blocks import apply_mask, partition, searchable
from trainer.network.flat_memory import Adam
from trainer.network.graph import evaluated
from trainer.network.operations import training_operations
from trainer.network.precision import compute_in
from trainer.training.device import CPU, device
from trainer.training.losses import loss_named
from trainer.training.matrix_rate import matrix_rate
from trainer.training.steps.batches import scoring_batch
from trainer.training.steps.contract import Steps
from trainer.training.steps.engine import steps_of

STEPS_TIMED = 8
FLOAT = 4  # bytes
KERAS_ITSELF = 850 * 2**20  # bytes of a process that has only imported Keras with TensorFlow
PATIENCE = 20.0  # seconds after which no further step is timed: at the paper's size one is enough

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Timed:
    """Seconds of a training step, the least of those timed, and of the first beyond a usual one, which compiles it."""

    step: float
    first: float
    busy: float = 1.0


@dataclass(frozen=True)
class Cost:
    """Seconds of one training step of all blocks, `step`, and of the last block alone, `lightest`; of the first step of
    each beyond that, which compiles it; of scoring one batch. The process's peak memory in bytes.

    `operations`: floating-point operations of one image in a step, by mask, `all` and `last` among them (0: not
    counted). `busy`: the seconds of the step over those that the processor worked on it; well above 1 on a busy
    machine. Of an accelerator: its `name`, the most of its memory that was in use, and the operations a second of a
    product of two large matrices.
    """

    step: float
    scoring: float
    peak: int
    busy: float = 1.0
    lightest: float = 0.0
    compiling: float = 0.0
    compiling_lightest: float = 0.0
    operations: dict[str, int] = field(default_factory=dict)
    name: str = ""
    device_memory: int = 0
    matrix_rate: float = 0.0

    def of_mask(self, mask: str) -> tuple[float, float]:
        """Seconds of a step under a mask, and of compiling it: between the two that were measured, by operations."""
        of_all, of_last = self.operations.get(ALL, 0), self.operations.get(LAST, 0)
        share = 1.0
        if of_all > of_last:
            share = (self.operations.get(mask, of_all) - of_last) / (of_all - of_last)
        step = self.lightest + share * (self.step - self.lightest)
        return step, self.compiling_lightest + share * (self.compiling - self.compiling_lightest)


ALL, LAST = "all", "last"
MEASURED = {ALL: "all blocks", LAST: "the last block alone"}  # and in words


def measured_cost(
    network: keras.Model, settings: Settings, masks: Sequence[Mask] = (), progress: Progress = lambda words: None
) -> Cost:
    """Train a few real steps with all blocks thawed, and with the last alone, and score one batch, as a worker does.

    This changes the weights. The first step, which compiles, is told apart; the fastest of the others counts. The peak
    is that of the whole process up to now, so measure in a process that has done nothing else.
    """
    blocks = partition(network, settings.partition, settings.model.blocks)
    units = searchable(blocks)
    compute_in(network, settings.train.precision)
    _, steps = steps_of(network)
    wanted = {str(mask): mask for mask in masks} | {
        ALL: Mask(tuple(range(1, units + 1)), units),
        LAST: Mask((units,), units),
    }
    operations, timed = {}, {}
    for name, mask in wanted.items():
        apply_mask(network, blocks, mask)
        operations[name] = training_operations(network)
        if name in MEASURED:
            timed[name] = _time_steps(steps, network, settings, MEASURED[name], progress)
    progress("timing the scoring of one batch")
    here = device()
    return Cost(
        step=timed[ALL].step,
        scoring=_time_scoring(steps, network),
        peak=peak_memory(),
        busy=timed[ALL].busy,
        lightest=timed[LAST].step,
        compiling=timed[ALL].first,
        compiling_lightest=timed[LAST].first,
        operations=operations,
        name="" if here.kind == CPU else here.processor,
        device_memory=steps.device_memory(),
        matrix_rate=0.0 if here.kind == CPU else matrix_rate(settings.train.precision),
    )


def _time_steps(steps: Steps, network: keras.Model, settings: Settings, words: str, progress: Progress) -> Timed:
    """Steps of the network's present flags, each waited for."""
    config = settings.train
    steps.compile(Adam(), loss_named(config.loss))
    rng = np.random.default_rng(0)
    images = rng.random((config.batch, *network.input_shape[1:]), np.float32)
    masks = (images[..., 0] > np.median(images)).astype(np.uint8)
    order = np.tile(np.arange(config.batch), (STEPS_TIMED + 1, 1))
    run = steps.epoch(images, masks, order)
    times: list[tuple[float, float]] = []  # seconds on the clock, seconds of the processor
    while len(times) < 2 or (len(times) <= STEPS_TIMED and sum(clock for clock, _ in times) < PATIENCE):
        progress(f"timing training step {len(times) + 1} of {words}")
        started, worked = time.perf_counter(), time.process_time()
        run.step()
        run.losses()
        times.append((time.perf_counter() - started, time.process_time() - worked))
    steps.settle()
    step, work = min(times[1:])
    return Timed(step, times[0][0] - step, step / max(work, 1e-6))


def _time_scoring(steps: Steps, network: keras.Model) -> float:
    """Seconds of scoring one batch, the second time."""
    shape = network.input_shape[1:]
    images = np.zeros((scoring_batch(math.prod(shape[:2])), *shape), np.float32)
    steps.predict(images, lambda: None)
    started = time.perf_counter()
    steps.predict(images, lambda: None)
    return time.perf_counter() - started


def expected_peak(network: keras.Model, batch: int) -> int:
    """About what `measured_cost` would find as the peak, in bytes, without running anything.

    Training keeps every layer's output for the backward pass, and four more values for each weight (its gradient,
    Adam's two moments, an update). Scoring a batch no larger than the training batch fits into the memory of training;
    a larger one adds the outputs that are alive at once. At the paper's size: 3.6 GiB, measured 3.6; with 32 images
    scored at once, 6.6 and 6.5.
    """
    sizes = [_bytes(step.outputs) for step in evaluated(network)]
    weights = 5 * FLOAT * network.count_params()
    scored = scoring_batch(math.prod(network.input_shape[1:3]))
    scoring = scored * _largest_live_outputs(network) if scored > batch else 0
    return int(KERAS_ITSELF + weights + batch * sum(sizes) + scoring)


def _largest_live_outputs(network: keras.Model) -> int:
    """The most bytes of one image's layer outputs that are alive at once; an output lives until its last reader."""
    steps = list(evaluated(network))
    last_reader = {id(tensor): index for index, step in enumerate(steps) for tensor in step.inputs}
    alive: dict[int, int] = {}
    most = 0
    for index, step in enumerate(steps):
        alive |= {id(tensor): _bytes([tensor]) for tensor in step.outputs}
        most = max(most, sum(alive.values()))
        alive = {tensor: size for tensor, size in alive.items() if last_reader.get(tensor, -1) > index}
    return most


def _bytes(tensors: Iterable[Any]) -> int:
    """Of one image's part of tensors whose shapes are known."""
    return sum(FLOAT * math.prod(tensor.shape[1:]) for tensor in tensors)


def peak_memory() -> int:
    """The largest memory of this process so far, in bytes; the accelerator's own memory is not counted."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak

"""A network from a `.keras` file, and what one of its training steps costs here: seconds and memory."""

from __future__ import annotations

import math
import resource
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from trainer.config import TrainConfig
from trainer.network.graph import evaluated
from trainer.training.losses import loss_named
from trainer.training.steps.batches import scoring_batch
from trainer.training.steps.prediction import predict

STEPS_TIMED = 3
FLOAT = 4  # bytes
KERAS_ITSELF = 850 * 2**20  # bytes of a process that has only imported Keras with TensorFlow
PATIENCE = 20.0  # seconds after which no further step is timed: at the paper's size one is enough


@dataclass(frozen=True)
class Cost:
    """Seconds of one training step of all blocks and of scoring one batch; the process's peak memory in bytes.

    `busy`: the seconds of the step over those that the processor worked on it; well above 1 on a busy machine.
    """

    step: float
    scoring: float
    peak: int
    busy: float = 1.0


def measured_cost(
    network: keras.Model, config: TrainConfig, progress: Callable[[str], None] = lambda words: None
) -> Cost:
    """Train a few real steps with all blocks thawed and score one batch, as a worker does. This changes the weights.

    The first step, which traces, does not count; the fastest of the others does. The peak is that of the whole process
    up to now, so measure in a process that has done nothing else.
    """
    network.trainable = True
    network.compile(optimizer=keras.optimizers.Adam(), loss=loss_named(config.loss))
    batch = np.zeros((config.batch, *network.input_shape[1:]), np.float32)
    times: list[tuple[float, float]] = []  # seconds on the clock, seconds of the processor
    while len(times) < 2 or (len(times) <= STEPS_TIMED and sum(clock for clock, _ in times) < PATIENCE):
        progress(f"timing training step {len(times) + 1}")
        started, worked = time.perf_counter(), time.process_time()
        network.train_on_batch(batch, batch[..., :1])
        times.append((time.perf_counter() - started, time.process_time() - worked))
    progress("timing the scoring of one batch")
    started = time.perf_counter()
    shape = network.input_shape[1:]
    predict(network, np.zeros((scoring_batch(math.prod(shape[:2])), *shape), np.float32))
    scoring = time.perf_counter() - started
    step, work = min(times[1:])
    return Cost(step, scoring, peak_memory(), step / max(work, 1e-6))


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

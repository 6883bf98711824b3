"""A network from a `.keras` file, and what one of its training steps costs here: seconds and memory."""

from __future__ import annotations

import math
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np

from trainer.config import TrainConfig
from trainer.training.fit import predict, scoring_batch
from trainer.training.losses import loss_named

STEPS_TIMED = 3
FLOAT = 4  # bytes
KERAS_ITSELF = 850 * 2**20  # a process that has imported Keras with TensorFlow and done nothing
PATIENCE = 20.0  # seconds after which no further step is timed: one of the study's size says enough


@dataclass(frozen=True)
class Cost:
    """Seconds of one training step of all blocks and of scoring one batch; the process's peak memory in bytes.

    `busy`: how many times longer the step took than the processor worked on it; well above 1 if others kept it busy.
    """

    step: float
    scoring: float
    peak: int
    busy: float = 1.0


def measured_cost(
    network: keras.Model, config: TrainConfig, progress: Callable[[str], None] = lambda words: None
) -> Cost:
    """Train a few real steps with all blocks thawed and score one batch, as a worker does; the weights are spoilt.

    The step that traces is not counted; of the others, the fastest. The peak is that of the whole process up to now,
    so ask in one that has done nothing else.
    """
    network.trainable = True
    network.compile(optimizer=keras.optimizers.Adam(), loss=loss_named(config.loss))
    batch = np.zeros((config.batch, *network.input_shape[1:]), np.float32)
    times: list[tuple[float, float]] = []  # seconds on the clock, seconds of the processor
    while len(times) < 2 or (len(times) <= STEPS_TIMED and sum(clock for clock, _ in times) < PATIENCE):
        progress(f"timing training step {len(times) + 1}")
        started, worked = time.perf_counter(), time.process_time()
        network.train_on_batch(batch, batch)
        times.append((time.perf_counter() - started, time.process_time() - worked))
    progress("timing the scoring of one batch")
    started = time.perf_counter()
    side = int(network.input_shape[1])
    predict(network, np.zeros((scoring_batch(side * side), side, side), np.float32))
    scoring = time.perf_counter() - started
    step, work = min(times[1:])
    return Cost(step, scoring, peak_memory(), step / max(work, 1e-6))


def expected_peak(network: keras.Model, batch: int) -> int:
    """About what `measured_cost` would find as the peak, in bytes, without running anything.

    Training keeps every layer's output for the way back, and four more values for each weight (its gradient, Adam's
    two moments, an update). Scoring no more pictures than a training batch fits into what that leaves; more of them
    take what they hold at once on top. At the study's size: 3.6 GiB, measured 3.6; scoring 32 at once, 6.6 and 6.5.
    """
    sizes = [FLOAT * math.prod(layer.output.shape[1:]) for layer in network.layers]
    weights = 5 * FLOAT * network.count_params()
    scored = scoring_batch(math.prod(network.input_shape[1:3]))
    scoring = scored * _held_at_once(network) if scored > batch else 0
    return int(KERAS_ITSELF + weights + batch * sum(sizes) + scoring)


def _held_at_once(network: keras.Model) -> int:
    """Bytes of one picture's outputs that are alive at the same time, at most: what a later layer still reads."""
    read_last = {id(t): place for place, layer in enumerate(network.layers) for t in keras.tree.flatten(layer.input)}
    held: dict[int, int] = {}
    most = 0
    for place, layer in enumerate(network.layers):
        held[id(layer.output)] = FLOAT * math.prod(layer.output.shape[1:])
        most = max(most, sum(held.values()))
        held = {tensor: size for tensor, size in held.items() if read_last.get(tensor, -1) > place}
    return most


def peak_memory() -> int:
    """The most memory, in bytes, that this process ever held (the accelerator's own is not counted)."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak

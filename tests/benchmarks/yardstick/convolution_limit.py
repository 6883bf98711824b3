"""The limit: how long the convolutions of a training step take here when nothing else is done.

    python -m tests.benchmarks.yardstick.convolution_limit TASK --out FILE

Forward and both gradients of every convolution, with the shapes, batch, thread and kernels of thaw's training, each
mask's as one function of TensorFlow: all activations, weight gradients of the thawed blocks only, and gradients with
respect to a layer's input only behind the first convolution that trains. Beside it thaw's own step with mask `all`.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from tests.benchmarks.yardstick.task import WEIGHTS, Task, read_task, read_training_part

if TYPE_CHECKING:
    from trainer.training.fit import FoldData

REPEATS, SECONDS = 5, 1.0  # of one mask, at least
STEPS = 120  # of thaw's training, at least


@dataclass(frozen=True)
class Convolution:
    """One of the network, in the order in which they are computed: `side` pixels out, a kernel of `kernel` pixels."""

    block: int
    side: int
    kernel: int
    channels_in: int
    channels_out: int

    def flops(self, batch: int) -> int:
        """Multiplications and additions of one direction; the border counts like the middle.

        >>> Convolution(block=1, side=64, kernel=3, channels_in=8, channels_out=8).flops(batch=16)
        75497472
        """
        return 2 * batch * self.side**2 * self.kernel**2 * self.channels_in * self.channels_out


@dataclass(frozen=True)
class Directions:
    """What one training step needs of a convolution besides its forward direction."""

    weights: bool
    inputs: bool

    @property
    def count(self) -> int:
        """Of all directions."""
        return 1 + self.weights + self.inputs


def needed(convolutions: Sequence[Convolution], blocks: Collection[int]) -> list[Directions]:
    """What training `blocks` needs of each: an input's gradient only where something before it trains."""
    trains = [convolution.block in blocks for convolution in convolutions]
    return [Directions(train, any(trains[:place])) for place, train in enumerate(trains)]


def flops(convolutions: Sequence[Convolution], blocks: Collection[int], batch: int) -> int:
    """Of all convolutions in one training step of `blocks`."""
    directions = needed(convolutions, blocks)
    return sum(one.flops(batch) * need.count for one, need in zip(convolutions, directions, strict=True))


def convolutions_of(task: Task) -> list[Convolution]:
    """The convolutions of the task's network."""
    from trainer.config import ModelConfig
    from trainer.network.blocks import partition
    from trainer.network.unet import unet

    network = unet(ModelConfig(size=task.size, filters=task.filters))
    block_of = {layer.path: block.number for block in partition(network) for layer in block.layers}
    return [
        Convolution(
            block_of[layer.path], layer.output.shape[1], layer.kernel_size[0], layer.input.shape[-1], layer.filters
        )
        for layer in network.layers
        if hasattr(layer, "kernel_size")
    ]


def step_of(convolutions: Sequence[Convolution], blocks: Collection[int], batch: int) -> Any:
    """A function of TensorFlow that computes the convolutions of a step, none of which depends on another."""
    import tensorflow as tf

    draw = np.random.default_rng(0)
    tensors = [
        [
            tf.constant(draw.standard_normal(shape, np.float32))
            for shape in (
                (batch, one.side, one.side, one.channels_in),
                (one.kernel, one.kernel, one.channels_in, one.channels_out),
                (batch, one.side, one.side, one.channels_out),
            )
        ]
        for one in convolutions
    ]
    how = {"strides": [1, 1, 1, 1], "padding": "SAME"}

    @tf.function  # type: ignore[untyped-decorator]
    def step(tensors: Any) -> list[Any]:
        results = []
        for (x, kernel, gradient), need in zip(tensors, needed(convolutions, blocks), strict=True):
            results.append(tf.nn.conv2d(x, kernel, **how))
            if need.weights:
                sizes = kernel.shape.as_list()
                results.append(
                    tf.raw_ops.Conv2DBackpropFilter(input=x, filter_sizes=sizes, out_backprop=gradient, **how)
                )
            if need.inputs:
                sizes = x.shape.as_list()
                results.append(
                    tf.raw_ops.Conv2DBackpropInput(input_sizes=sizes, filter=kernel, out_backprop=gradient, **how)
                )
        return results

    return lambda: step(tensors)


def seconds_of(step: Any) -> float:
    """The median of single calls."""
    step()
    taken: list[float] = []
    while len(taken) < REPEATS or sum(taken) < SECONDS:
        began = time.perf_counter()
        step()
        taken.append(time.perf_counter() - began)
    return median(taken)


class InTurn:
    """Asked by thaw's trainer between two steps whether to stop: times the step before, and the convolutions alone.

    So both have the same of the processor, whatever else is at work.
    """

    def __init__(self, alone: Any) -> None:
        self.steps: list[float] = []
        self.convolutions: list[float] = []
        self._alone, self._left = alone, time.perf_counter()

    def __call__(self) -> bool:
        began = time.perf_counter()
        self.steps.append(began - self._left)
        self._alone()
        self._left = time.perf_counter()
        self.convolutions.append(self._left - began)
        return False


def thaw_step_seconds(folder: Path, task: Task, alone: Any) -> tuple[float, float]:
    """Seconds of one training step of thaw with mask `all`, and of its convolutions `alone`: medians, taken in turn."""
    from trainer.candidate import Candidate
    from trainer.config import ModelConfig, TrainConfig
    from trainer.network.unet import unet
    from trainer.network.weights import load_weights
    from trainer.training.fit import Trainer
    from trainer.training.ledger import Ledger

    network = unet(ModelConfig(size=task.size, filters=task.filters, dropout=task.dropout))
    load_weights(network, folder / WEIGHTS)
    starts, config, in_turn = {"pretrained": network.get_weights()}, TrainConfig(task.loss, task.batch), InTurn(alone)
    trainer = Trainer(network, starts, config, stop_asked=in_turn)
    fold = _fold(folder)
    steps = -(-len(fold.train_x) // task.batch)
    candidate = Candidate("all", -(-STEPS // steps), task.rate)
    with TemporaryDirectory() as ledger:
        list(trainer.fold_results(candidate, fold, (), Ledger(Path(ledger)).entry("0" * 64)))
    if len(in_turn.steps) < candidate.epochs * steps:
        raise SystemExit("thaw's trainer no longer asks between single steps whether to stop: its steps are not timed.")
    return median(in_turn.steps), median(in_turn.convolutions)


def _fold(folder: Path) -> FoldData:
    from trainer.training.fit import FoldData

    x, y = read_training_part(folder, 0)
    images, masks = x[..., 0], y[..., 0].astype(np.uint8)
    return FoldData(1, images, masks, len(images), images[:1], masks[:1], ("first",), ("",))


def main() -> None:
    """Measure in this process; write seconds and operations of a step by mask, and those of thaw's whole step."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("task", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    from sweeps.environment.keras_backend import prepare_backend

    prepare_backend()
    task = read_task(given.task)
    convolutions = convolutions_of(task)
    table: dict[str, Any] = {"seconds": {}, "flops": {}}
    for mask, blocks in {"all": range(1, 10), **task.masks}.items():
        table["seconds"][mask] = seconds_of(step_of(convolutions, blocks, task.batch))
        table["flops"][mask] = flops(convolutions, blocks, task.batch)
    alone = step_of(convolutions, range(1, 10), task.batch)
    alone()
    table["thaw_step"], table["all_in_turn"] = thaw_step_seconds(given.task, task, alone)
    given.out.write_text(json.dumps(table))


if __name__ == "__main__":
    main()

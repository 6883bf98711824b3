"""What the distances between boundaries cost, as a share of what is done anyway with the same images.

    .venv/bin/python tests/benchmarks/distances.py [--sizes 64 256] [--images 32]

For each size the time for an image of a phantom against its shifted truth, and against speckle (the longest boundary
that a network can predict); then its share of a fold of twelve epochs, which trains on four images for each that it
scores (five folds, nothing augmented), and of predicting the image.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

EPOCHS, OTHERS = 12, 4  # of a fold: how often it trains on how many images for each that it scores


def seconds(work: Callable[[], object], rounds: int = 3) -> float:
    """The best of some rounds."""
    timings = []
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        timings.append(time.perf_counter() - started)
    return min(timings)


def measure(size: int, images: int) -> None:
    """Print the costs at one size."""
    import keras

    from trainer.config import DataConfig, ModelConfig
    from trainer.data.cases import load_cases
    from trainer.network.unet import unet
    from trainer.training.distances import distances
    from trainer.training.losses import loss_named
    from trainer.training.steps.prediction import predict

    with TemporaryDirectory() as folder:
        cases = load_cases(DataConfig(images=images), size, Path(folder))
    truths = np.asarray(cases.masks) == 1
    speckle = np.random.default_rng(0).random(truths.shape) < 0.5
    model = unet(ModelConfig(size=size))
    model.compile(optimizer=keras.optimizers.Adam(), loss=loss_named("bce+dice"))
    x, y = np.asarray(cases.images)[..., None], truths[..., None].astype(np.float32)
    batches = [slice(first, first + 16) for first in range(0, images, 16)]

    def epoch() -> None:
        for batch in batches:
            model.train_on_batch(x[batch], y[batch])

    def each(predicted: np.ndarray) -> Callable[[], object]:
        return lambda: [distances(*pair, tolerance=1.0) for pair in zip(truths, predicted, strict=True)]

    epoch()  # traced, and warm
    predict(model, x[..., 0])
    usual, worst = (seconds(each(predicted)) for predicted in (np.roll(truths, size // 16, axis=1), speckle))
    training, scoring = seconds(epoch), seconds(lambda: predict(model, x[..., 0]))
    print(f"{size} x {size}: {1000 * usual / images:.2f} ms an image, {1000 * worst / images:.2f} ms against speckle;")
    print(f"    {usual / (EPOCHS * OTHERS * training):.4f} of a fold, {usual / scoring:.2f} of predicting the images")


def main() -> None:
    """Measure every size that is asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[64, 256])
    parser.add_argument("--images", type=int, default=32)
    given = parser.parse_args()
    for size in given.sizes:
        measure(size, given.images)


if __name__ == "__main__":
    main()

"""What one fold leaves on disk, measured on a real fold, beside the arithmetic of `sweeps.planning.disk`.

    python -m tests.benchmarks.disk                                  a small U-Net, seconds
    python -m tests.benchmarks.disk --size 256 --filters 64          the study's size: minutes and 6 GiB of memory

One epoch of two images is trained: what lies on disk does not depend on how long a network trains.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from sweeps.environment.keras_backend import prepare_backend
from sweeps.planning.disk import FoldDisk, fold_disk


def measured(size: int, filters: int, mask: str, images: int, root: Path) -> tuple[FoldDisk, int]:
    """The bytes of a real fold of `images` scored images, and the parameters that `mask` trains."""
    from trainer.candidate import Candidate
    from trainer.config import ModelConfig, TrainConfig
    from trainer.masks import parse
    from trainer.network.blocks import searchable, trainable_parameters
    from trainer.network.delta_checkpoints import Delta, packed
    from trainer.network.unet import unet
    from trainer.training.fit import FoldData, Trainer
    from trainer.training.ledger import Ledger

    network = unet(ModelConfig(size, filters))
    trainer = Trainer(network, {"pretrained": network.get_weights()}, TrainConfig(batch=1))
    rng = np.random.default_rng(0)
    x, y = rng.random((images, size, size)).astype(np.float32), np.zeros((images, size, size), np.uint8)
    y[:, size // 4 : size // 2, size // 4 : size // 2] = 1
    names = tuple(f"benign/case-{number:04d}.png" for number in range(images))
    fold = FoldData(1, x[:2], y[:2], 2, x, y, names, ("benign",) * images)
    entry = Ledger(root).entry("ab" * 32)
    (result,) = trainer.fold_results(Candidate(mask, 1, 1e-4), fold, (), entry)
    state = (entry.folder / "state.npz").stat().st_size
    whole = (entry.folder / "00001.npz").stat().st_size
    checkpoint = len(packed(Delta("0" * 64, result.weights)))
    entry.lose_weights(1)
    small = (entry.folder / "00001.npz").stat().st_size
    parameters = trainable_parameters(trainer.blocks, parse(mask, searchable(trainer.blocks)))
    print(f"result {whole:,} B, without its weights {small:,} B; state {state:,} B; checkpoint {checkpoint:,} B")
    return FoldDisk(whole - checkpoint, checkpoint, state), parameters


def beside(computed: FoldDisk, found: FoldDisk) -> Mapping[str, tuple[int, int]]:
    """What was computed and what was found, part by part."""
    names = ("scores", "weights", "state", "trained")
    return {name: (getattr(computed, name), getattr(found, name)) for name in names}


def main() -> None:
    """Print both, and what a mask of five such folds leaves."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("size", 64), ("filters", 8), ("images", 4)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--mask", default="all")
    options = parser.parse_args()
    prepare_backend()
    with tempfile.TemporaryDirectory() as folder:
        found, parameters = measured(options.size, options.filters, options.mask, options.images, Path(folder))
    computed = fold_disk(parameters, options.images, options.size)
    print(f"{options.mask} at {options.size} px and {options.filters} filters: {parameters:,} parameters")
    for name, (expected, seen) in beside(computed, found).items():
        print(f"  {name:8} computed {expected:>13,} B   found {seen:>13,} B   ({seen / max(1, expected) - 1:+.1%})")
    print(f"five folds: {5 * found.trained / 1e9:.2f} GB as trained, {5 * found.scores / 1e6:.1f} MB when lost")


if __name__ == "__main__":
    main()

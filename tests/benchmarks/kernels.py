"""What oneDNN's kernels are worth on this processor, as a ratio in one run: TensorFlow's own choice, off, and on.

    .venv/bin/python tests/benchmarks/kernels.py [--size 64] [--filters 8] [--steps 30]

Each in a process of its own, one thread, all blocks of the U-Net, batches of 16; the best of three rounds, in turn.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time

SWITCH = "TF_ENABLE_ONEDNN_OPTS"
OURS = "on, as thaw sets it"
CHOICES = {"TensorFlow's own": None, "off": "0", OURS: "1"}


def step_ms(size: int, filters: int, steps: int) -> float:
    """Milliseconds of one training step in this process."""
    import keras
    import numpy as np

    from trainer.config import ModelConfig
    from trainer.network.unet import unet
    from trainer.training.losses import loss_named

    model = unet(ModelConfig(size=size, filters=filters))
    model.compile(optimizer=keras.optimizers.Adam(), loss=loss_named("bce+dice"))
    x = np.random.default_rng(0).random((16, size, size, 1), np.float32)
    y = (x > 0.5).astype(np.float32)
    for _ in range(3):  # traced, and warm
        model.train_on_batch(x, y)
    started = time.perf_counter()
    for _ in range(steps):
        model.train_on_batch(x, y)
    return (time.perf_counter() - started) / steps * 1000


def measured(choice: str | None, arguments: list[str]) -> float:
    """The same in a fresh process under one setting of the switch."""
    surroundings = os.environ | dict.fromkeys(("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"), "1")
    surroundings.pop(SWITCH, None)
    surroundings |= {"TF_CPP_MIN_LOG_LEVEL": "3"} | ({SWITCH: choice} if choice else {})
    command = [sys.executable, __file__, *arguments, "--here"]
    done = subprocess.run(command, env=surroundings, stdout=subprocess.PIPE, text=True, check=True)
    return float(done.stdout)


def main(arguments: list[str]) -> None:
    """Print each choice and its ratio to ours."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    for name, default in (("size", 64), ("filters", 8), ("steps", 30)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.here:
        print(step_ms(given.size, given.filters, given.steps))
        return
    rounds = [{name: measured(choice, arguments) for name, choice in CHOICES.items()} for _ in range(3)]
    best = {name: min(timing[name] for timing in rounds) for name in CHOICES}
    for name, ms in best.items():
        print(f"{name:20} {ms:7.1f} ms a step, {ms / best[OURS]:.2f} times thaw's")


if __name__ == "__main__":
    main(sys.argv[1:])

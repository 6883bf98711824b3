"""How many neurons a minute activation maximisation draws at 64 px, tracing included: the target is 64 on two cores.

    .venv/bin/python tests/benchmarks/neurons.py [neurons of each block]

The laptop-size U-Net (8 filters) with fresh weights, all nine blocks, 256 steps each, on one thread.
"""

from __future__ import annotations

import sys
import time

from sweeps.environment.keras_backend import prepare_backend

TARGET = 64  # neurons a minute


def main(arguments: list[str]) -> None:
    """Print seconds and neurons a minute for every block and for all of them."""
    prepare_backend()
    from trainer.config import ModelConfig
    from trainer.network.unet import unet
    from trainer.neurons.layers import Neuron
    from trainer.neurons.maximise import maximise

    count = int(arguments[0]) if arguments else 8
    network = unet(ModelConfig())
    total = 0.0
    for block in range(1, 10):
        started = time.perf_counter()
        maximise(network, [Neuron(block, number) for number in range(count)])
        seconds = time.perf_counter() - started
        total += seconds
        print(f"block {block}: {count} neurons in {seconds:.1f} s, {60 * count / seconds:.0f} a minute", flush=True)
    rate = 60 * 9 * count / total
    print(f"all blocks: {9 * count} neurons in {total:.1f} s, {rate:.0f} a minute (target {TARGET})")
    if rate < TARGET:
        raise SystemExit(1)


if __name__ == "__main__":
    main(sys.argv[1:])

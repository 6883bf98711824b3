"""How large delta checkpoints are against the whole network, in bytes of the files as a sweep writes them.

    .venv/bin/python tests/benchmarks/checkpoints.py

At laptop size (64 x 64, 8 filters) and at the paper's (256 x 256, 64 filters); the size depends on the mask and the
network only, so nothing is trained. Takes seconds.
"""

from __future__ import annotations

from sweeps.environment.keras_backend import prepare_backend

MASKS = ("shallow-1", "contracting", "deep-1", "all")


def main() -> None:
    """Print one table per network."""
    prepare_backend()
    from trainer.config import ModelConfig
    from trainer.masks import parse
    from trainer.network.blocks import leaf_layers, partition
    from trainer.network.delta_checkpoints import Delta, packed
    from trainer.network.unet import unet
    from trainer.network.weights import weights_digest

    for config in (ModelConfig(), ModelConfig(size=256, filters=64)):
        network = unet(config)
        blocks, layers, base = partition(network), leaf_layers(network), weights_digest(network)
        print(f"{config.size} x {config.size}, {config.filters} filters, {network.count_params():,} parameters")
        sizes = {}
        for text in MASKS:
            mask = parse(text, len(blocks))
            paths = [layer.path for block in blocks if block.number in mask for layer in block.layers]
            weights = {
                f"{path}/{i}": variable.numpy() for path in paths for i, variable in enumerate(layers[path].weights)
            }
            sizes[text] = len(packed(Delta(base, weights)))
        for text, size in sizes.items():
            print(f"  {text:12} {size:>12,} bytes  {100 * size / sizes['all']:6.2f} % of the full network")


if __name__ == "__main__":
    main()

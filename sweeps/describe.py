"""What `thaw masks` prints: a network's blocks and layers, and what every named mask would train."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rich.table import Table

from trainer.blocks import ALWAYS, partition, searchable, trainable_parameters
from trainer.config import ModelConfig, PartitionConfig
from trainer.masks import named, names
from trainer.network import load_network
from trainer.unet import unet

WORDS = {"block": "block", "conv": "convolution"}


def model_tables(path: Path | None, size: int, filters: int, units: PartitionConfig) -> Iterator[Table]:
    """The table of units and the mask table of a `.keras` file, or of the built-in U-Net."""
    network = unet(ModelConfig(size, filters)) if path is None else load_network(path)
    blocks = partition(network, units)
    count, word = searchable(blocks), WORDS[units.unit]
    total = sum(block.parameters for block in blocks)
    title = f"{network.name}: {total:,} parameters in {count} {word}s"
    table = Table(word, "layer", "depth", "parameters", title=title)
    for block in blocks:
        for place in block.layers:
            table.add_row("", place.path, str(place.depth), f"{place.parameters:,}")
        name = "always" if block.number == ALWAYS else str(block.number)
        table.add_row(name, "", "", f"{block.parameters:,}", style="bold", end_section=True)
    yield table
    table = Table("mask", "names", "trainable parameters", "share", title="Named masks")
    for mask in dict.fromkeys(mask for _, mask in named(count)):
        trained = trainable_parameters(blocks, mask)
        table.add_row(str(mask), ", ".join(names(mask)), f"{trained:,}", f"{100 * trained / total:.1f} %")
    yield table

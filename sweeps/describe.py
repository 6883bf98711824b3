"""What `thaw masks` prints: a network's blocks and layers, and what every named mask would train."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rich.table import Table

from trainer.blocks import partition, trainable_parameters
from trainer.config import ModelConfig
from trainer.masks import named, names
from trainer.network import load_network
from trainer.unet import unet


def model_tables(path: Path | None, size: int, filters: int) -> Iterator[Table]:
    """The block table and the mask table of a `.keras` file, or of the built-in U-Net."""
    network = unet(ModelConfig(size, filters)) if path is None else load_network(path)
    blocks = partition(network)
    total = sum(block.parameters for block in blocks)
    table = Table(
        "block", "layer", "depth", "parameters", title=f"{network.name}: {total:,} parameters in {len(blocks)} blocks"
    )
    for block in blocks:
        for place in block.layers:
            table.add_row("", place.path, str(place.depth), f"{place.parameters:,}")
        table.add_row(f"{block.number}", "", "", f"{block.parameters:,}", style="bold", end_section=True)
    yield table
    table = Table("mask", "names", "trainable parameters", "share", title="Named masks")
    for mask in dict.fromkeys(mask for _, mask in named(len(blocks))):
        trained = trainable_parameters(blocks, mask)
        table.add_row(str(mask), ", ".join(names(mask)), f"{trained:,}", f"{100 * trained / total:.1f} %")
    yield table

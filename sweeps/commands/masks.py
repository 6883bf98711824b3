"""What `thaw masks` prints: a network's blocks and layers, what every named mask would train, what a sweep would do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.table import Table

from sweeps.spec.search_section import FEWEST_UNITS, too_few_units
from trainer.config import ModelConfig, PartitionConfig
from trainer.errors import UserError
from trainer.masks import named, names
from trainer.network.blocks import ALWAYS, partition, searchable, trainable_parameters
from trainer.network.unet import unet
from trainer.network.user_model import adapted
from trainer.network.weights import load_network

NOUNS = {"block": "block", "conv": "convolution"}


def model_tables(path: Path | None, model: ModelConfig, units: PartitionConfig) -> Iterator[Table | str]:
    """The table of units, the mask table and, of a `.keras` file, whether it can be searched."""
    network, verdict = (unet(model), "") if path is None else _adapt(load_network(path), path, model.size)
    blocks = partition(network, units, model.blocks)
    count, noun = searchable(blocks), NOUNS[units.unit]
    if count < FEWEST_UNITS:
        verdict = f"thaw run cannot search it: {too_few_units(count)}"
    total = sum(block.parameters for block in blocks)
    title = f"{network.name}: {total:,} parameters in {count} {noun}s"
    table = Table(noun, "layer", "depth", "parameters", title=title)
    for block in blocks:
        for layer in block.layers:
            table.add_row("", layer.path, str(layer.depth), f"{layer.parameters:,}")
        name = "always" if block.number == ALWAYS else str(block.number)
        table.add_row(name, "", "", f"{block.parameters:,}", style="bold", end_section=True)
    yield table
    table = Table("mask", "names", "trainable parameters", "share", title="Named masks")
    for mask in dict.fromkeys(mask for _, mask in named(count)):
        trained_parameters = trainable_parameters(blocks, mask)
        table.add_row(
            str(mask), ", ".join(names(mask)), f"{trained_parameters:,}", f"{100 * trained_parameters / total:.1f} %"
        )
    yield table
    if verdict:
        yield verdict


def _adapt(network: Any, path: Path, size: int) -> tuple[Any, str]:
    """The network as a sweep would take it and the command for that; or as it is, and what keeps it from that."""
    side = network.inputs[0].shape[1] if network.inputs and len(network.inputs[0].shape) == 4 else None
    try:
        adapted_network = adapted(network, side or size)
    except UserError as error:
        return network, f"thaw run cannot search it: {error}"
    return adapted_network, f"To search it: thaw run ultrasound --model {path} --set model.size={side or size}"

"""What `thaw masks` prints: a network's blocks and layers, what every named mask would train, what a sweep would do."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from rich.table import Table

from sweeps.spec.search_section import FEWEST_UNITS, too_few_units
from trainer.config import ModelConfig, PartitionConfig, TrainConfig
from trainer.errors import UserError
from trainer.masks import named, names
from trainer.network.blocks import ALWAYS, Partition, partition, searchable, trainable_parameters
from trainer.network.unet import unet
from trainer.network.user_model import checked_copy, found_out, opened
from trainer.training.rehearsal import rehearse

SAID = ("range", "output", "channel", "gives")
AS_IT_IS = asdict(ModelConfig())
NOUNS = {"block": "block", "conv": "convolution"}


def model_tables(model: ModelConfig, units: PartitionConfig) -> Iterator[Table | str]:
    """The table of units, the mask table and, of a network's file, what is to be known and whether it can be searched.

    Raises `UserError` for a file that holds no network.
    """
    network, remarks, refusal = (unet(model), [], None) if model.path is None else _adapt(model)
    try:
        blocks = partition(network, units, model.blocks)
    except UserError as error:
        raise refusal or error from None  # what every other command says of the network comes first
    count, noun = searchable(blocks), NOUNS[units.unit]
    if refusal is None and count < FEWEST_UNITS:
        refusal = UserError(too_few_units(count))
    if refusal is None and model.path is not None:
        refusal = _rehearsed(network, blocks)
    if refusal is not None:
        remarks = [f"thaw run cannot search it: {refusal}"]
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
    yield from remarks


def _adapt(model: ModelConfig) -> tuple[Any, list[str], UserError | None]:
    """The network as a sweep would take it, what is to be known of it and the command for that; or the network as it
    is, and what keeps it from that.
    """
    network = opened(model)
    try:
        config, notes = found_out(network, model)
        size = network.inputs[0].shape[1] or model.size
        copy = checked_copy(network, size, config)
    except UserError as error:
        return network, [], error
    options = "".join(f" --custom {module}" for module in model.custom)
    given = {"size": size} | {name: getattr(model, name) for name in SAID if getattr(model, name) != AS_IT_IS[name]}
    options += "".join(f" --set model.{name}={value}" for name, value in given.items())
    return copy, [*notes, f"To search it: thaw run ultrasound --model {shlex.quote(str(model.path))}{options}"], None


def _rehearsed(network: Any, blocks: Partition) -> UserError | None:
    """What one training step has found against a network."""
    try:
        rehearse(network, blocks, TrainConfig())
    except UserError as error:
        return error
    return None

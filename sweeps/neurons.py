"""What `thaw visualize` draws: the network that is meant, its chosen neurons, one contact sheet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainer.config import DataConfig, ModelConfig, UserError

if TYPE_CHECKING:
    from trainer.neurons import Neuron

SHOWN = 8


@dataclass(frozen=True)
class Wish:
    """What to draw. `blocks` as a mask is written, None for all; `filters` of each block, or the numbers in `only`."""

    blocks: str | None = None
    filters: int | None = None
    only: str | None = None
    size: int | None = None
    width: int = ModelConfig.filters
    seed: int = 0


def draw(path: Path, after: Path | None, data: str | None, cache: Path, wish: Wish) -> bytes:
    """The sheet (PNG) of the network in `path`, or of the same neurons in `path` and `after`.

    `path`: a `.keras` model, or weights of the study's U-Net. Raises `UserError` for what does not exist or fit.
    """
    from trainer.data import load_cases
    from trainer.neuron_sheet import before_after_sheet, sheet
    from trainer.neurons import own_size
    from trainer.pretrain import load_weights
    from trainer.visualize import Recipe, before_after, maximise

    network = open_network(path, wish)
    neurons = chosen(network, wish)
    side = wish.size or own_size(network)
    cases = load_cases(DataConfig(path=data), side, cache)
    words, recipe = ("synthetic" if cases.synthetic else "data"), Recipe(seed=wish.seed)
    if after is None:
        found = maximise(network, neurons, recipe, cases.images, side)
        return sheet(found, f"{path.name}: what excites each filter most", words)
    before = network.get_weights()
    load_weights(network, after)
    pair = before_after(network, before, network.get_weights(), neurons, recipe, cases.images, side)
    return before_after_sheet(*pair, f"before {path.name}, after {after.name}", words)


def open_network(path: Path, wish: Wish) -> Any:
    """A `.keras` model, or the study's U-Net with the weights of a `.weights.h5` file."""
    from trainer.network import load_network
    from trainer.pretrain import load_weights
    from trainer.unet import unet

    if path.suffix == ".keras":
        return load_network(path)
    if path.suffix != ".h5":
        raise UserError(f"Give a .keras model or the .weights.h5 of a U-Net, but got '{path}'.")
    network = unet(ModelConfig(wish.size or ModelConfig.size, wish.width))
    try:
        load_weights(network, path)
    except UserError as error:
        raise UserError(f"--width {wish.width} must be the filters of the U-Net's first block. {error}") from error
    return network


def chosen(network: Any, wish: Wish) -> tuple[Neuron, ...]:
    """The neurons of a wish, block by block. Raises `UserError` for a block or filter that does not exist."""
    from trainer.blocks import partition
    from trainer.masks import parse
    from trainer.neurons import Neuron, check_filters, filters_of, meant_layers

    blocks: Sequence[int] = tuple(meant_layers(network))
    if wish.blocks is not None:
        blocks = parse(wish.blocks, len(partition(network))).blocks
    if not blocks:
        raise UserError("There is nothing to draw: --blocks must name at least one block that has a convolution.")
    found = []
    for block in blocks:
        count = filters_of(network, block)
        filters = _numbers(wish.only) if wish.only is not None else range(wish.filters or min(SHOWN, count))
        check_filters(network, block, filters)
        found += [Neuron(block, number) for number in filters]
    return tuple(found)


def _numbers(text: str) -> list[int]:
    try:
        return list(dict.fromkeys(int(word) for word in text.split(",")))
    except ValueError:
        raise UserError(f"--only takes filter numbers joined by commas, such as 0,3,7, but got '{text}'.") from None

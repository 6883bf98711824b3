"""What `thaw visualize` draws: the network that is meant, its chosen neurons, one contact sheet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweeps.environment.home import Home, open_home
from sweeps.environment.terminal import Board
from trainer.config import DataConfig, ModelConfig
from trainer.errors import UserError

if TYPE_CHECKING:
    from trainer.neurons.layers import Neuron

SHOWN = 8
NETWORKS = (".keras", ".h5")


@dataclass(frozen=True)
class DrawOptions:
    """What to draw. `blocks` as a mask is written, None for all; `filters` of each block, or the numbers in `only`."""

    blocks: str | None = None
    filters: int | None = None
    only: str | None = None
    size: int | None = None
    width: int = ModelConfig.filters
    seed: int = 0
    custom: tuple[str, ...] = ()


def is_file(argument: str | None) -> bool:
    """Whether a network's file is given and not the name of a sweep, which holds no slash."""
    return argument is not None and (Path(argument).suffix in NETWORKS or "/" in argument or Path(argument).is_file())


def draw_file(
    path: Path, after: Path | None, data: str | None, home: Path, board: Board, options: DrawOptions
) -> bytes:
    """The sheet (PNG) of the network in `path`, or of the same neurons in `path` and `after`.

    `path`: a `.keras` model, or weights of the built-in U-Net; `after`: other weights, or a delta checkpoint on those
    in `path`. Raises `UserError` for what does not exist or fit.
    """
    from trainer.data.cases import load_cases
    from trainer.network.user_model import reads_colour
    from trainer.neurons.contact_sheet import before_after_sheet, sheet
    from trainer.neurons.layers import own_size
    from trainer.neurons.maximise import Recipe, before_after, maximise

    network = open_network(path, options)
    neurons = choose_neurons(network, options)
    side = options.size or own_size(network)
    recipe = Recipe(seed=options.seed)
    before = network.get_weights()
    if after is not None:
        _load_after(network, after)
    config = DataConfig(path=data, colour=data is not None and reads_colour(network))
    cases = load_cases(config, side, open_home(home).data)
    source = "synthetic" if cases.synthetic else "data"
    with board.stage("drawing blocks") as step:
        if after is None:
            maximised = maximise(network, neurons, recipe, cases.images, side, step)
            return sheet(maximised, f"{path.name}: what excites each filter most. {legend(network, neurons)}", source)
        before_and_after = before_after(
            network, before, network.get_weights(), neurons, recipe, cases.images, side, step
        )
    return before_after_sheet(
        *before_and_after, f"before {path.name}, after {after.name}. {legend(network, neurons)}", source
    )


def draw_sweep(
    sweep: str | None, mask: str | None, data: str | None, home: Home, board: Board, options: DrawOptions
) -> tuple[bytes, str]:
    """The sheet (PNG) of a sweep's network before and after one trial, and its title.

    The largest activations are over the sweep's own images, or over those in `data`; without either they are left out,
    and `board` says why. Raises `UserError` as `sweeps.commands.restore_trial.restore_trial` does.
    """
    from sweeps.commands.restore_trial import FOLD, own_images, restore_trial
    from sweeps.commands.train_again import train_again
    from tracking.store.writer import Tracker
    from trainer.data.cases import load_cases
    from trainer.neurons.contact_sheet import before_after_sheet
    from trainer.neurons.maximise import Recipe, before_after

    tracker = Tracker.connect(home.tracking_uri, home.artifact_folder)
    trial = restore_trial(tracker, sweep, mask, options.custom, again=partial(train_again, home, board))
    neurons = choose_neurons(trial.network, options)
    if data is None:
        images, reason = own_images(tracker, trial, home.data)
        source = "synthetic" if trial.info.data.get("synthetic") else "data"
    else:
        config = DataConfig(path=data, colour=trial.info.spec["data"].get("colour", False))
        cases = load_cases(config, int(trial.info.spec["model"]["size"]), home.data)
        images, reason, source = cases.images, "", "data"
    if images is None:
        board.say(f"Note: without the sweep's images the largest activation in them is left out. {reason}")
    title = f"{trial.info.name}: before and after {trial.trial}, fold {FOLD}"
    recipe = Recipe(seed=options.seed)
    with board.stage("drawing blocks") as step:
        before_and_after = before_after(
            trial.network, trial.before, trial.after, neurons, recipe, images, options.size, step
        )
    return before_after_sheet(*before_and_after, f"{title}. {legend(trial.network, neurons)}", source), title


def open_network(path: Path, options: DrawOptions) -> Any:
    """A `.keras` model, or the built-in U-Net with the weights of a `.weights.h5` file."""
    from trainer.network.live_layers import live
    from trainer.network.network_file import checked_file, holds_network, load_network
    from trainer.network.unet import unet
    from trainer.network.weights import load_weights

    if path.suffix not in NETWORKS:
        raise UserError(f"Give a .keras model, the .weights.h5 of a U-Net or the name of a sweep, but got '{path}'.")
    if path.suffix == ".keras" or holds_network(checked_file(path)):
        return live(load_network(path, options.custom))
    network = unet(ModelConfig(options.size or ModelConfig.size, options.width))
    try:
        load_weights(network, path)
    except UserError as error:
        raise UserError(f"--width {options.width} must be the filters of the U-Net's first block. {error}") from error
    return network


def choose_neurons(network: Any, options: DrawOptions) -> tuple[Neuron, ...]:
    """The neurons to draw, block by block. Raises `UserError` for a block or filter that does not exist."""
    from trainer.masks import parse
    from trainer.network.blocks import partition
    from trainer.neurons.layers import Neuron, check_filters, filters_of, meant_layers

    blocks: Sequence[int] = tuple(meant_layers(network))
    if options.blocks is not None:
        blocks = parse(options.blocks, len(partition(network))).blocks
    if not blocks:
        raise UserError("There is nothing to draw: --blocks must name at least one block that has a convolution.")
    neurons: list[Neuron] = []
    for block in blocks:
        count = filters_of(network, block)
        filters = _numbers(options.only) if options.only is not None else range(options.filters or min(SHOWN, count))
        check_filters(network, block, filters)
        neurons += [Neuron(block, number) for number in filters]
    return tuple(neurons)


def legend(network: Any, neurons: Sequence[Neuron]) -> str:
    """Which convolutions the blocks stand for, counted as the paper counts them: by the longest path, without the head.

    In its U-Net, blocks 2, 5 and 9 are convolutions 4, 10 and 18 of 18: the 4th, the bottleneck's and the deepest.
    """
    from trainer.neurons.layers import convolutions, layer_of

    blocks, all_paths = dict.fromkeys(neuron.block for neuron in neurons), convolutions(network)
    paths = [layer_of(network, block) for block in blocks]
    numbers = [all_paths.index(path) + 1 for path in paths if path in all_paths]
    return f"Convolutions {', '.join(map(str, numbers))} of {len(all_paths)}."


def _load_after(network: Any, after: Path) -> None:
    from trainer.network.delta_checkpoints import apply_delta, read_delta
    from trainer.network.weights import load_weights

    if after.suffix == ".npz":
        apply_delta(network, read_delta(after))
    else:
        load_weights(network, after)


def _numbers(text: str) -> list[int]:
    try:
        return list(dict.fromkeys(int(word) for word in text.split(",")))
    except ValueError:
        raise UserError(f"--only takes filter numbers joined by commas, such as 0,3,7, but got '{text}'.") from None

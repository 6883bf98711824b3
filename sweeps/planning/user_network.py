"""The look at a spec's network: the built-in one, or one of the user's own, kept by its content and checked."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweeps.environment.home import Home
from sweeps.planning.artifact_names import NETWORK
from sweeps.spec.load import Spec
from sweeps.spec.search_section import norm_rules, unit_rules
from sweeps.spec.space import Bare
from sweeps.spec.tuning_rules import network_rules
from sweeps.spec.validation import refuse
from trainer.config import ModelConfig
from trainer.errors import UserError
from trainer.files import given_path, write_atomically
from trainer.network.blocks import ALWAYS, Partition, head_of, leaf_layers, partition, searchable
from trainer.network.encoders import encoder_network, has_weights, is_encoder, saved
from trainer.network.low_rank import adaptable_kernels
from trainer.network.tuning import norm_layers, tuned_parameters, weights_tuned
from trainer.network.user_model import examined, network_of
from trainer.neurons.layers import meant_layers
from trainer.training.rehearsal import rehearse

if TYPE_CHECKING:  # heavy
    from tracking.store.writer import Tracker

REGISTERED = "models:/"
SUFFIXES = (".keras", ".h5")


@dataclass(frozen=True, eq=False)
class Look:
    """What a look at a network gives: the `spec` with all that only the network can tell, the Keras `network` itself,
    its `blocks`, `notes` for the user, one sentence each, and which blocks a kind of tuning finds nothing in (`bare`).
    """

    spec: Spec
    network: Any
    blocks: Partition
    notes: tuple[str, ...] = ()
    bare: Bare = ()


def look_at(spec: Spec, home: Home) -> Look:
    """Build the spec's network and see what its masks choose among.

    A file is copied into the home, so that the sweep can go on, and be refitted, when the file has moved. Raises
    `UserError` for a network that cannot be searched, and for masks and other settings that do not fit the number of
    its blocks.
    """
    settings = spec.settings
    model, about = settings.model, tuple[str, ...]()
    if model.path is not None:
        if is_encoder(model.path) and not has_weights(model.path) and settings.pretrain.path is None:
            raise UserError(
                f"{model.path} has weights drawn at random, from which there is nothing to fine-tune. Pre-train it "
                f"(--pretrain composites, or a folder), or name its weights: {model.path}@imagenet, {model.path}@FILE."
            )
        file = str(_keep_copy(model.path, home, model.size))
        model, about = examined(replace(model, file=file, colour=settings.data.colour), settings.partition)
    network = network_of(model)
    blocks = partition(network, settings.partition, model.blocks)
    if model.path is not None:
        rehearse(network, blocks, settings.train)
    if model.path is None and not model.blocks:  # the built-in network as it is: the spec was checked with it in mind
        return Look(spec, network, blocks)
    _check_spec(spec, network, blocks)
    drawable = () if model.blocks else tuple(meant_layers(network))
    drawn_blocks = tuple(block for block in spec.search.neurons if block in drawable)
    resolved_spec = replace(
        spec, settings=replace(settings, model=model), search=replace(spec.search, neurons=drawn_blocks)
    )
    bare = tuple(_bare(resolved_spec, network, blocks))
    notes = (*_notes(spec, model, network, blocks, drawn_blocks), *about, *map(_bare_note, bare))
    return Look(resolved_spec, network, blocks, notes, bare)


def _bare(spec: Spec, network: Any, blocks: Partition) -> Iterator[tuple[str, tuple[int, ...]]]:
    """The kinds of tuning that find nothing in some blocks, of those that the spec may choose."""
    train = spec.settings.train
    for tune in dict.fromkeys([train.tune, *map(str, dict(spec.search.train).get("tune", ()))]):
        kind = replace(train, tune=tune)  # type: ignore[arg-type]  # checked by the spec
        empty = (
            block.number for block in blocks if block.number != ALWAYS and not tuned_parameters(network, block, kind)
        )
        if nothing := tuple(empty):
            yield tune, nothing


def _bare_note(bare: tuple[str, tuple[int, ...]]) -> str:
    tune, blocks = bare
    listed = ", ".join(map(str, blocks))
    return f"Note: blocks {listed} have nothing that tune={tune} trains, so masks with one of them go without it."


def _check_spec(spec: Spec, network: Any, blocks: Partition) -> None:
    layers, head, train = leaf_layers(network), head_of(blocks), spec.settings.train
    has_norm, has_kernel = (any(map(of, layers.values())) for of in (norm_layers, adaptable_kernels))
    learns = bool(weights_tuned(layers[head], "all"))
    refuse(
        spec.name,
        [
            *unit_rules(spec.search, searchable(blocks)),
            *norm_rules(spec.search, train, has_norm=has_norm),
            *network_rules(spec.search, train, has_kernel=has_kernel, head=head, head_learns=learns),
        ],
    )


def _notes(
    spec: Spec, model: ModelConfig, network: Any, blocks: Partition, drawn_blocks: tuple[int, ...]
) -> Iterator[str]:
    size = f"{network.count_params():,} parameters in {searchable(blocks)} blocks"
    always = " and a head that always trains" if blocks[0].number == ALWAYS else ""
    yield f"Network: {model.name}, {size}{always}."
    if not_drawn := [block for block in spec.search.neurons if block not in drawn_blocks]:
        reason = "with model.blocks none are drawn" if model.blocks else "this network has no such block to draw"
        yield f"Note: no neurons of blocks {', '.join(map(str, not_drawn))}: {reason} (search.neurons)."


def log_network(tracker: Tracker, sweep_run: str, model: ModelConfig) -> None:
    """Keep the network's file with the sweep, so that its trials can be restored from MLflow alone."""
    if model.path is not None:
        tracker.log_once(sweep_run, f"{NETWORK}{Path(model.file).suffix}", Path(model.file).read_bytes)


def _keep_copy(address: str, home: Home, size: int) -> Path:
    """Copy a network's file, a registered model or a network on an encoder of Keras (for `size`) into the home, under
    the digest of its bytes and with the suffix that its content has; the copy's path.
    """
    from trainer.network.network_file import checked_file, suffix_of

    with tempfile.TemporaryDirectory() as folder:
        if address.startswith(REGISTERED):
            from tracking.store.registry import fetch
            from tracking.store.writer import Tracker

            source = fetch(Tracker.connect(home.tracking_uri, home.artifact_folder), address, Path(folder))
        elif is_encoder(address):
            source = Path(folder) / "network.keras"
            saved(encoder_network(address, size), source)
        else:
            source = checked_file(given_path(address))
        content, suffix = source.read_bytes(), suffix_of(source)
    path = home.networks / f"{hashlib.sha256(content).hexdigest()[:16]}{suffix}"
    if not path.exists():
        write_atomically(path, lambda file: file.write(content))
    return path.resolve()

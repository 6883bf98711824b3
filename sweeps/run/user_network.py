"""The network of your own that a spec names: found, kept by its content, checked against the rest of the spec."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sweeps.environment.home import Home
from sweeps.spec.load import Spec
from sweeps.spec.search_section import norm_rules, unit_rules
from sweeps.spec.validation import refuse
from trainer.config import ModelConfig
from trainer.files import write_atomically
from trainer.network.batch_norm import normalisations
from trainer.network.blocks import ALWAYS, leaf_layers, partition, searchable
from trainer.network.user_model import found, network_of
from trainer.neurons.layers import meant_layers

if TYPE_CHECKING:  # heavy
    from tracking.store.writer import Tracker

REGISTERED = "models:/"
ARTIFACT = "network.keras"  # of a sweep's run


def with_network(spec: Spec, home: Home) -> tuple[Spec, list[str]]:
    """The spec with all that is known only once its network was looked at, and what there is to say of it.

    The built-in U-Net's spec comes back as it is. A file is copied into the home, so that the sweep can go on, and be
    refitted, when the file has moved. Raises `UserError` for a network that cannot be searched, and for masks and
    other settings that do not fit the number of its blocks.
    """
    settings, search = spec.settings, spec.search
    if settings.model.path is None and not settings.model.blocks:
        return spec, []
    model = settings.model
    if model.path is not None:
        model = replace(model, file=str(_kept(model.path, home)))
        model = found(model, settings.partition)
    network = network_of(model)
    blocks = partition(network, settings.partition, model.blocks)
    has_norm = any(normalisations(layer) for layer in leaf_layers(network).values())
    refuse(spec.name, [*unit_rules(search, searchable(blocks)), *norm_rules(search, has_norm=has_norm)])
    drawable = () if model.blocks else tuple(meant_layers(network))
    drawn = tuple(block for block in search.neurons if block in drawable)
    held = f"{network.count_params():,} parameters in {searchable(blocks)} blocks"
    always = " and a head that always trains" if blocks[0].number == ALWAYS else ""
    said = [f"Network: {model.name}, {held}{always}."]
    if lacking := [block for block in search.neurons if block not in drawn]:
        why = "with model.blocks none are drawn" if model.blocks else "this network has no such block to draw"
        said.append(f"Note: no neurons of blocks {', '.join(map(str, lacking))}: {why} (search.neurons).")
    return replace(spec, settings=replace(settings, model=model), search=replace(search, neurons=drawn)), said


def log_network(tracker: Tracker, sweep_run: str, model: ModelConfig) -> None:
    """Keep the network's file with the sweep, so that its trials can be restored from MLflow alone."""
    if model.path is not None:
        tracker.log_once(sweep_run, ARTIFACT, Path(model.file).read_bytes)


def _kept(given: str, home: Home) -> Path:
    """Our copy of a `.keras` file or registered model, under the digest of its bytes."""
    from trainer.network.weights import checked_file

    with tempfile.TemporaryDirectory() as folder:
        if given.startswith(REGISTERED):
            from tracking.store.registry import fetch
            from tracking.store.writer import Tracker

            source = fetch(Tracker.connect(home.tracking_uri, home.artifact_folder), given, Path(folder))
        else:
            source = checked_file(Path(given).expanduser())
        content = source.read_bytes()
    path = home.networks / f"{hashlib.sha256(content).hexdigest()[:16]}.keras"
    if not path.exists():
        write_atomically(path, lambda file: file.write(content))
    return path.resolve()

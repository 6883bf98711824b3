"""The bases that a sweep's delta checkpoints rest on, logged once per sweep under their digest."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweeps.spec.space import seeds_of
from trainer.config import ModelConfig
from trainer.results import FoldResult

if TYPE_CHECKING:  # heavy
    from sweeps.spec.load import Spec
    from tracking.store.writer import Tracker
    from trainer.training.pretraining import StartingWeights


def scratch(model: ModelConfig, seed: int) -> Any:
    """The network that the baseline `from scratch` starts from: fresh weights, others than pre-training began with."""
    from trainer.network.user_model import fresh

    return fresh(model, seed + 1)


def log_bases(tracker: Tracker, sweep_run: str, spec: Spec, weights: StartingWeights) -> None:
    """Keep all starts, pre-trained and from scratch, as `bases/<digest>.weights.h5` of the sweep's run."""
    from trainer.network.user_model import network_of
    from trainer.training.pretraining import load_weights, weights_digest, write_weights

    def pretrained() -> Any:
        network = network_of(spec.settings.model)
        load_weights(network, weights.path)
        return network

    there = tracker.files(sweep_run, "bases")
    starts: list[Callable[[], Any]] = [partial(scratch, spec.settings.model, seed) for seed in seeds_of(spec)]
    for start in (pretrained, *starts):
        network = start()
        digest = weights_digest(network)
        if f"bases/{digest}.weights.h5" not in there:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / f"{digest}.weights.h5"
                write_weights(network, path)
                tracker.log_file(sweep_run, path, "bases")


def checkpoints(results: Iterable[FoldResult], base: str) -> Iterator[tuple[str, bytes]]:
    """(file name, bytes) of every fold's delta, one at a time; a fold that trained nothing has none."""
    from trainer.network.delta_checkpoints import Delta, packed

    for result in results:
        if result.weights:
            yield f"fold_{result.fold}.npz", packed(Delta(base, result.weights))

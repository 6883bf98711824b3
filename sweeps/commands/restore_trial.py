"""A sweep's network before and after one trial, out of MLflow alone: a base and the delta that rests on it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sweeps.commands.champion import choose
from sweeps.planning.artifacts import checkpoint_path
from sweeps.planning.outer_part import read_own
from sweeps.spec.load import from_table
from trainer.config import DataConfig, ModelConfig
from trainer.errors import UserError

if TYPE_CHECKING:  # heavy
    from tracking.record import SweepInfo, TrialRecord
    from tracking.store.writer import Tracker

FOLD = 1  # whose network is shown; every fold has one

# The sweep's name and one of its trials -> the weights that training changed in that fold (`FoldResult.weights`).
Again = Callable[[str, "TrialRecord"], Mapping[str, NDArray[Any]]]


@dataclass(frozen=True, eq=False)
class RestoredTrial:
    """`network` with the weights `before` the trial called `trial` and `after` it, in `get_weights()` order."""

    info: SweepInfo
    run_id: str
    trial: str
    network: Any
    before: list[NDArray[Any]]
    after: list[NDArray[Any]]


def restore_trial(
    tracker: Tracker, sweep: str | None, mask: str | None, custom: tuple[str, ...] = (), again: Again | None = None
) -> RestoredTrial:
    """Restore one trial of a sweep: the newest sweep and its best candidate by default, a mask at its best setting.

    `custom`: modules that register layers of the network's own. The record's are not imported: somebody else may have
    written it. `again` gives the weights of a trial whose own were not kept.

    Raises `UserError` for an unknown sweep, for a mask that it did not measure, for files that MLflow does not hold
    and for a base that is not the one the trial was trained from.
    """
    from sweeps.planning.artifact_names import NETWORK
    from sweeps.planning.artifacts import network_from_scratch
    from sweeps.planning.user_network import SUFFIXES
    from trainer.network.delta_checkpoints import Delta, apply_delta, read_delta
    from trainer.network.user_model import network_of
    from trainer.network.weights import load_weights, weights_digest

    record = tracker.read_sweep(sweep)
    trial, _ = choose(record, mask)
    model = recorded_model(record.info.spec["model"], custom)
    with tempfile.TemporaryDirectory() as folder:
        if model.path is not None:
            kept = [f"{NETWORK}{suffix}" for suffix in SUFFIXES]
            model = replace(model, file=str(_fetch(tracker, record.run_id, kept, Path(folder))))
        network = network_of(model)
        digest = record.info.base(trial.info.candidate)
        if digest is None:
            network.set_weights(network_from_scratch(model, trial.info.candidate.luck).get_weights())
            digest = weights_digest(network)
        else:
            load_weights(network, _fetch(tracker, record.run_id, [f"bases/{digest}.weights.h5"], Path(folder)))
        before = network.get_weights()
        if again is not None and trial.info.candidate.epochs and tracker.weights_lost(trial.run_id):
            delta = Delta(digest, again(record.info.name, trial))
        else:
            delta = read_delta(_fetch(tracker, trial.run_id, [checkpoint_path(FOLD)], Path(folder)))
        apply_delta(network, delta)
    return RestoredTrial(record.info, record.run_id, trial.info.candidate.name, network, before, network.get_weights())


def recorded_model(table: Mapping[str, Any], custom: tuple[str, ...]) -> ModelConfig:
    """The model of a sweep's record, with the modules that are named now: their code must be that of the sweep.

    Without any the code is not asked for: where a layer needs it, whoever reads the file says so.
    """
    return ModelConfig(**{**table, "custom": custom} | ({} if custom else {"custom_code": ""}))


def own_images(tracker: Tracker, trial: RestoredTrial, cache: Path) -> tuple[NDArray[np.float32] | None, str]:
    """The images (n, H, W[, 3]) in [0, 1] that a sweep measured, and ""; or None, and the reason why they are missing.

    MLflow keeps grey ones in 8 bits. Where it holds none, they are read from their folder if they have not changed
    since.
    """
    from tracking.image_archive import IMAGES, UNREADABLE, unpack_images

    info = trial.info
    config = DataConfig(**info.spec["data"])
    with tempfile.TemporaryDirectory() as folder:
        archive = None if config.colour else tracker.fetch_file(trial.run_id, IMAGES, Path(folder))
        try:
            if archive is not None:
                return np.asarray(unpack_images(archive.read_bytes()).images / 255, np.float32), ""
        except UNREADABLE as error:
            return None, f"The artifact {IMAGES} of run {trial.run_id} cannot be read: {error}"
    try:
        cases = read_own(from_table(dict(info.spec)), cache)
    except UserError as error:
        return None, str(error)
    if cases.digest != info.data["digest"]:
        return None, "The images changed since the sweep, or another version of thaw draws the synthetic ones."
    return cases.images, ""


def _fetch(tracker: Tracker, run_id: str, paths: Sequence[str], folder: Path) -> Path:
    """The first of these artifacts that is there. Raises `UserError` where none is."""
    file = next(filter(None, (tracker.fetch_file(run_id, path, folder) for path in paths)), None)
    if file is None:
        raise UserError(
            f"The networks of a sweep are restored from MLflow, but the artifact {paths[0]} of run {run_id} is not "
            "there: deleted, or the sweep was run before thaw kept checkpoints. Run it again under another --name."
        )
    return file

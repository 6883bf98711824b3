"""Networks in MLflow's registry: a champion logged, registered and named, and any registered one fetched.

Through `MlflowClient` with explicit ids like everything else here; `mlflow.keras.log_model` needs the active run.
"""

from __future__ import annotations

import json
import re
import tempfile
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import packages_distributions, version
from pathlib import Path
from typing import Any

from tracking.store.connection import explain_errors, short
from tracking.store.writer import Tracker

# isort: split
# After tracking.store.connection, which sets what MLflow reads when it is imported.
import mlflow.keras
import numpy as np
from mlflow.artifacts import download_artifacts
from mlflow.entities import LoggedModel, LoggedModelOutput
from mlflow.exceptions import MlflowException
from mlflow.models import Model, ModelSignature
from mlflow.types.schema import Schema, TensorSpec
from numpy.typing import NDArray

from trainer.candidate import Candidate
from trainer.errors import UserError

ALIAS = "champion"
KIND = "thaw.kind"
DICE = "dice_cross_validated"  # metric of a champion's run
INTENSITY = "thaw.intensity"
TAGS_OF_RUN = ("thaw.candidate", "thaw.mask", "thaw.sweep", "thaw.synthetic")  # copied from the run to the version
ABOUT = "Segmentation networks that thaw fine-tuned on this data set; `champion` is the one to use."


@dataclass(frozen=True)
class Champion:
    """What is to be logged: the refitted `candidate` of a sweep's run, in words (`description`) and numbers.

    `metrics` become the run's; `description` says whose winner this is and how it was chosen; `backend` is what Keras
    computes with here (`tensorflow`, `jax`), which the model's requirements pin. `intensity`: by which rule the values
    of its images became grey, as the sweep's record holds it; None where it was recorded before there was one.
    """

    sweep_run: str
    candidate: Candidate
    description: str
    metrics: Mapping[str, float]
    backend: str
    intensity: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Registered:
    """A version of a registered model, to be given the alias; `new` unless it was registered before."""

    name: str
    version: str
    new: bool

    @property
    def uri(self) -> str:
        """Where any MLflow finds it: `models:/name@champion`."""
        return f"models:/{self.name}@{ALIAS}"


@dataclass(frozen=True)
class Holder:
    """The version that carries the alias: of which `sweep` and with which cross-validated mean Dice, where known."""

    version: str
    sweep: str | None
    dice: float | None

    def __str__(self) -> str:
        """As in `version 1: sweep my-sweep, Dice 0.701`."""
        sweep = "not of a sweep of thaw" if self.sweep is None else f"sweep {self.sweep}"
        return f"version {self.version}: {sweep}" + ("" if self.dice is None else f", Dice {self.dice:.3f}")


@dataclass(frozen=True)
class Crowned:
    """What a `sweep` registered, the other version that had the alias `before` (None: none had), and if it `moved`."""

    made: Registered
    sweep: str
    before: Holder | None
    moved: bool


@explain_errors
def give_alias(tracker: Tracker, made: Registered, sweep: str, *, always: bool) -> Crowned:
    """Give the alias to a version that the sweep of this name registered, and say which other one had it.

    Unless `always`, the alias moves only when no version has it or one of the same sweep does: a sweep that nobody
    meant for a champion must not take a good one's place.
    """
    before = _holder(tracker, made.name)
    if before is not None and before.version == made.version:
        return Crowned(made, sweep, None, moved=True)
    moved = always or before is None or before.sweep == sweep
    if moved:
        tracker.client.set_registered_model_alias(made.name, ALIAS, made.version)
    return Crowned(made, sweep, before, moved)


@explain_errors
def known_champion(tracker: Tracker, sweep_run: str, candidate: Candidate, name: str) -> Registered | None:
    """The version under which this candidate of this sweep was registered before, or None."""
    check_name(tracker, name)
    run = _champion_run(tracker, sweep_run, candidate)
    if run is None or run.info.status != "FINISHED":
        return None
    versions = tracker.client.search_model_versions(f"name = '{name}' and run_id = '{run.info.run_id}'")
    if not versions:
        return None
    return Registered(name, str(versions[0].version), new=False)


@explain_errors
def record_champion(
    tracker: Tracker, champion: Champion, network: Any, example: NDArray[np.float32], name: str
) -> Registered:
    """Log a network that gives probabilities as an MLflow model and register it as `name`; see `give_alias`.

    `network`: a Keras model of plain layers; `example` (1, H, W, channels) float32, one image. The run is a child of
    the sweep's, of a kind of its own, so that no report takes it for a trial.
    """
    check_name(tracker, name)
    client = tracker.client
    run = _champion_run(tracker, champion.sweep_run, champion.candidate) or _create_run(tracker, champion)
    run_id = run.info.run_id
    logged = _log_model(tracker, run, champion, network, example)
    if not client.search_registered_models(f"name = '{name}'"):
        client.create_registered_model(name, tags={KIND: "model"}, description=ABOUT)
    # By where its files lie: for an id, MLflow would ask the process-global store.
    version = client.create_model_version(
        name,
        logged.artifact_location,
        run_id,
        tags={key: run.data.tags[key] for key in TAGS_OF_RUN} | _intensity_tag(champion.intensity),
        description=champion.description,
        model_id=logged.model_id,
    )
    # What MLflow's own registration sets: the UI leads from the logged model to its version by it.
    versions = json.dumps([{"name": name, "version": int(version.version)}])
    client.set_logged_model_tags(logged.model_id, {"mlflow.modelVersions": versions})
    client.set_terminated(run_id, "FINISHED")
    return Registered(name, str(version.version), new=True)


def fetch(tracker: Tracker, uri: str, folder: Path) -> Path:
    """Download the Keras file of `models:/name@alias` or `models:/name/version` into `folder`.

    Raises `UserError` for an address that leads nowhere and for a model that is not one of Keras.
    """
    try:
        name, number = _resolve(tracker, uri)
        # By where its files lie: for a model's address, MLflow would ask the process-global store.
        source = tracker.client.get_model_version_download_uri(name, number)
        folder_of_model = Path(download_artifacts(source, dst_path=str(folder), tracking_uri=tracker.uri))
    except (MlflowException, OSError) as error:
        registered = sorted(model.name for model in tracker.client.search_registered_models())
        names = (
            f"Registered: {', '.join(registered)}." if registered else "None is registered: run `thaw champion` first."
        )
        raise UserError(f"There is no model {uri}: {short(error, tracker.uri)} {names}") from error
    path = folder_of_model / "data" / "model.keras"
    if not path.is_file():
        raise UserError(f"{uri} must be a Keras model saved as .keras, but there is none in it. Give a file instead.")
    return path


@explain_errors
def is_synthetic(tracker: Tracker, uri: str) -> bool:
    """Whether a registered network that `fetch` finds was fine-tuned on synthetic images only."""
    name, version = _resolve(tracker, uri)
    return _tags(tracker, tracker.client.get_model_version(name, version)).get("thaw.synthetic") == "true"


@explain_errors
def intensity_of(tracker: Tracker, uri: str) -> Mapping[str, Any] | None:
    """The rule by which the images of a registered network became grey; None where it was registered without one."""
    name, version = _resolve(tracker, uri)
    text = tracker.client.get_model_version(name, version).tags.get(INTENSITY)
    try:
        table = None if text is None else json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _unknown_rule(uri) from error
    if table is not None and not isinstance(table, dict):
        raise _unknown_rule(uri)
    return table


def _unknown_rule(uri: str) -> UserError:
    return UserError(
        f"The rule by which the images of {uri} became grey is damaged (its tag {INTENSITY}). Register the network "
        "again with `thaw champion`."
    )


def _intensity_tag(table: Mapping[str, Any] | None) -> dict[str, str]:
    return {} if table is None else {INTENSITY: json.dumps(table)}


def check_name(tracker: Tracker, name: str) -> None:
    """Raise `UserError` for a name that MLflow does not take, and for a model of somebody else's."""
    if not name.strip() or set(name) & set("/:'\"@"):
        raise UserError(f"A registered model's name must not be empty or hold / : @ or quotes, but got {name!r}.")
    for model in tracker.client.search_registered_models(f"name = '{name}'"):
        if model.tags.get(KIND) != "model":
            raise UserError(f"A registered model {name!r} exists and was not made by thaw. Choose another --name.")


def requirements(backend: str) -> list[str]:
    """What the model needs wherever it is loaded, each at the version in use; thaw is not among it."""
    providers = packages_distributions()
    modules = ("keras", backend, "numpy", "mlflow")
    # The version of whoever provides the module (a CPU-only build, say) under the name that exists everywhere.
    return [f"{module}=={version(providers[module][0])}" for module in modules if module in providers]


def _resolve(tracker: Tracker, uri: str) -> tuple[str, str]:
    match = re.fullmatch(r"models:/([^/@]+)(?:@([^/@]+)|/(\d+))", uri)
    if match is None:
        raise MlflowException("the address must be models:/NAME@ALIAS or models:/NAME/VERSION")
    name, alias, number = match.groups()
    return name, str(number or tracker.client.get_model_version_by_alias(name, alias).version)


def _holder(tracker: Tracker, name: str) -> Holder | None:
    for model in tracker.client.search_registered_models(f"name = '{name}'"):
        if (number := model.aliases.get(ALIAS)) is not None:
            version = tracker.client.get_model_version(name, str(number))
            run = _run_of(tracker, version)
            dice = None if run is None else run.data.metrics.get(DICE)
            return Holder(str(number), _tags(tracker, version).get("thaw.sweep"), dice)
    return None


def _tags(tracker: Tracker, version: Any) -> Mapping[str, str]:
    """Of a version and its run: versions of older releases are missing what their runs say."""
    run = _run_of(tracker, version)
    return {**(run.data.tags if run is not None else {}), **version.tags}


def _run_of(tracker: Tracker, version: Any) -> Any | None:
    try:
        return tracker.client.get_run(version.run_id) if version.run_id else None
    except MlflowException:  # deleted for good, or of another store
        return None


def _champion_run(tracker: Tracker, sweep_run: str, candidate: Candidate) -> Any:
    experiment = tracker.client.get_run(sweep_run).info.experiment_id
    query = f"tags.`{KIND}` = 'champion' AND tags.`mlflow.parentRunId` = '{sweep_run}'"
    runs = tracker.client.search_runs([experiment], f"{query} AND tags.`thaw.candidate` = '{candidate.key}'")
    return runs[0] if runs else None


def _create_run(tracker: Tracker, champion: Champion) -> Any:
    """A run for the champion below its sweep's, with its tags and metrics."""
    client, candidate = tracker.client, champion.candidate
    parent = client.get_run(champion.sweep_run)
    tags = {
        "mlflow.parentRunId": champion.sweep_run,
        KIND: "champion",
        "thaw.sweep": parent.data.tags["thaw.sweep"],
        "thaw.synthetic": parent.data.tags["thaw.synthetic"],
        "thaw.candidate": candidate.key,
        "thaw.mask": candidate.mask,
        "mlflow.note.content": champion.description,
    }
    run = client.create_run(parent.info.experiment_id, run_name=f"champion · {candidate.name}", tags=tags)
    for key, value in champion.metrics.items():
        client.log_metric(run.info.run_id, key, value, step=candidate.epochs)
    return run


def _log_model(
    tracker: Tracker, run: Any, champion: Champion, network: Any, example: NDArray[np.float32]
) -> LoggedModel:
    client, run_id = tracker.client, run.info.run_id
    logged = client.create_logged_model(
        run.info.experiment_id,
        name=ALIAS,
        source_run_id=run_id,
        model_type="segmentation",
        params={"mask": champion.candidate.mask, "epochs": str(champion.candidate.epochs)},
    )
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*Any type hint", UserWarning)  # MLflow's of its own code, on first use
        mlflow.keras.save_model(
            network,
            folder,
            mlflow_model=Model(
                artifact_path=logged.artifact_location,
                model_uuid=logged.model_id,
                run_id=run_id,
                model_id=logged.model_id,
            ),
            signature=_signature(example),
            input_example=example,
            pip_requirements=requirements(champion.backend),
        )
        client.log_model_artifacts(logged.model_id, folder)
    client.log_outputs(run_id, [LoggedModelOutput(logged.model_id, step=champion.candidate.epochs)])
    client.finalize_logged_model(logged.model_id, "READY")
    return logged


def _signature(example: NDArray[np.float32]) -> ModelSignature:
    """One image of this size in [0, 1] in, one probability per pixel out; any number of them at once."""
    shapes = {"image": (-1, *example.shape[1:]), "probability": (-1, *example.shape[1:3], 1)}
    image, probability = (TensorSpec(np.dtype(np.float32), shape, name=name) for name, shape in shapes.items())
    return ModelSignature(inputs=Schema([image]), outputs=Schema([probability]))

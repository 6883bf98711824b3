"""A sweep that goes through MLflow into another home: the same plan, images and weights, or a refusal."""

from __future__ import annotations

import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from sweeps.environment.home import Home
from sweeps.environment.terminal import Board
from sweeps.planning.plan import Plan
from sweeps.planning.resolve import resolve
from sweeps.planning.shared_sweep import fetch, publish
from sweeps.run.load_cross_validation import load_cross_validation
from sweeps.spec.load import ExternalData, load_spec
from tests.small import SMALL
from trainer.candidate import Candidate
from trainer.config import DataConfig
from trainer.data.cases import Cases, load_cases
from trainer.errors import UserError
from trainer.network.unet import unet
from trainer.network.weights import weights_digest, write_weights

RESOLVED = resolve(load_spec("smoke", sets=SMALL), [1] * 9)
QUIET = Board(Console(quiet=True))


class Run:
    """One MLflow run, as far as a sweep on many machines needs it."""

    uri = "http://lab"

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.tags: dict[str, str] = {}

    def artifact_scheme(self, run: str) -> str:
        return "mlflow-artifacts"

    def tag(self, run: str, name: str) -> str | None:
        return self.tags.get(name)

    def set_tag(self, run: str, name: str, value: str) -> None:
        self.tags[name] = value

    def log_bytes(self, run: str, name: str, content: bytes, folder: str = "") -> None:
        self.files[f"{folder}/{name}".strip("/")] = content

    def read_file(self, run: str, name: str) -> bytes | None:
        return self.files.get(name)

    def sweep_run(self, name: str) -> str:
        return "run"

    def check_not_away(self) -> None:
        pass


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Plan, Cases, bytes]:
    folder, settings = tmp_path_factory.mktemp("first"), RESOLVED.settings
    network = unet(settings.model, seed=5)
    weights = folder / "start.weights.h5"
    write_weights(network, weights)
    cases = load_cases(settings.data, settings.model.size, folder / "data")
    plan = Plan("s", RESOLVED, "", (0, 1) * 4, cases.digest, str(weights), weights_digest(network), "run")
    return plan, cases, weights.read_bytes()


@pytest.fixture
def run(made: tuple[Plan, Cases, bytes]) -> Any:
    plan, cases, weights = made
    run: Any = Run()
    run.files[f"bases/{plan.weights_digest}.weights.h5"] = weights
    publish(run, replace(plan, deadline=1000.0), cases, {}, clock_ahead=600.0)
    return run


def test_another_machine_trains_on_the_same_images_from_the_same_weights_to_the_same_moment(
    made: tuple[Plan, Cases, bytes], run: Any, tmp_path: Path
) -> None:
    plan = fetch(run, Home(tmp_path), "s", QUIET, clock_ahead=-60.0)
    assert plan.deadline == 1000.0 + 600.0 + 60.0  # the same moment by three clocks
    assert replace(plan, weights="", cases="", deadline=0.0) == replace(made[0], weights="", deadline=0.0)
    fetched = load_cross_validation(Home(tmp_path), plan)
    first = load_cross_validation(Home(Path(made[0].weights).parent), made[0])
    one, other = (scored.folds(Candidate("1", 1, 1e-3)) for scored in (fetched, first))
    assert all(np.array_equal(a.train_x, b.train_x) and a.names == b.names for a, b in zip(one, other, strict=True))
    assert fetched.starts == first.starts


def test_what_is_there_is_not_sent_again(made: tuple[Plan, Cases, bytes], run: Any) -> None:
    sent: list[str] = []
    run.log_bytes = lambda run, name, content, folder="": sent.append(name)
    publish(run, replace(made[0], deadline=1000.0), made[1], {}, clock_ahead=600.0)
    assert sent == []


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("plan.json", b"{}", "its digest differs"),
        ("plan.json", None, "run run has none"),
        ("cases/about.json", b"{}", "its digest differs"),
        ("cases/images-0000", b"no zlib", "its digest differs"),
        ("cases/images-0000", zlib.compress(bytes(1 << 24)), "its digest differs"),
        ("cases/images-0000", None, "run run has none"),
    ],
)
def test_what_is_damaged_or_missing_is_refused(
    run: Any, tmp_path: Path, file: str, content: bytes | None, words: str
) -> None:
    assert file in run.files
    if content is None:
        del run.files[file]
    else:
        run.files[file] = content
    with pytest.raises(UserError, match=words):
        fetch(run, Home(tmp_path), "s", QUIET, 0.0)
    assert not Home(tmp_path).plan("s").exists()


@pytest.mark.parametrize("damage", [b"no HDF5", b""])
def test_damaged_weights_are_fetched_again(
    made: tuple[Plan, Cases, bytes], run: Any, tmp_path: Path, damage: bytes
) -> None:
    name = f"bases/{made[0].weights_digest}.weights.h5"
    run.files[name] = damage
    with pytest.raises(UserError, match="it fetches them anew"):
        load_cross_validation(Home(tmp_path), fetch(run, Home(tmp_path), "s", QUIET, 0.0))
    run.files[name] = made[2]
    load_cross_validation(Home(tmp_path), fetch(run, Home(tmp_path), "s", QUIET, 0.0))


def test_a_server_that_keeps_artifacts_to_itself_is_refused(made: tuple[Plan, Cases, bytes], run: Any) -> None:
    run.artifact_scheme = lambda run: "file"
    with pytest.raises(UserError, match="--artifacts-destination"):
        publish(run, made[0], made[1], {}, 0.0)


def test_external_test_sets_come_along(made: tuple[Plan, Cases, bytes], run: Any, tmp_path: Path) -> None:
    resolved = replace(RESOLVED, spec=replace(RESOLVED.spec, test=(ExternalData("clinic", DataConfig(path="gone")),)))
    plan = replace(made[0], resolved=resolved, external={"clinic": "e" * 64})
    clinic = replace(made[1], images=made[1].images[:3], masks=made[1].masks[:3], names=made[1].names[:3])
    clinic = replace(clinic, labels=("",) * 3, groups=made[1].groups[:3], digest="e" * 64)
    publish(run, plan, made[1], {"clinic": clinic}, 0.0)
    fetched = fetch(run, Home(tmp_path), "s", QUIET, 0.0)
    (external,) = load_cross_validation(Home(tmp_path), fetched).external
    assert (external.name, external.cases.names) == ("clinic", clinic.names)
    assert np.array_equal(external.cases.images, clinic.images)

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from mlflow.models import Model

from tests.tracking.made_up import sweep_info
from tracking.store.registry import (
    DICE,
    Champion,
    Crowned,
    Holder,
    Registered,
    fetch,
    give_alias,
    is_synthetic,
    known_champion,
    record_champion,
    requirements,
)
from tracking.store.writer import Tracker
from trainer.candidate import Candidate
from trainer.errors import UserError

CANDIDATE = Candidate("1-5", 12, 1e-3)
EXAMPLE = np.zeros((1, 8, 8, 1), np.float32)


def network(bias: float = 0.0) -> keras.Model:
    inputs = keras.Input((8, 8, 1))
    made = keras.Model(inputs, keras.layers.Conv2D(1, 1, activation="sigmoid")(inputs))
    made.set_weights([np.ones((1, 1, 1, 1), np.float32), np.full(1, bias, np.float32)])
    return made


def registered(
    tracker: Tracker, candidate: Candidate = CANDIDATE, bias: float = 0.0, name: str = "busi", sweep: str = "demo"
) -> Registered:
    run = tracker.open_sweep(sweep_info(sweep, synthetic=sweep == "demo"))
    champion = Champion(run, candidate, "the highest", {DICE: 0.6}, "tensorflow")
    return record_champion(tracker, champion, network(bias), EXAMPLE, name)


def crowned(tracker: Tracker, candidate: Candidate = CANDIDATE, bias: float = 0.0, name: str = "busi") -> Registered:
    return give_alias(tracker, registered(tracker, candidate, bias, name), "demo", always=True).made


def loaded_bias(tracker: Tracker, uri: str, folder: Path) -> float:
    return float(keras.saving.load_model(fetch(tracker, uri, folder)).get_weights()[1][0])


def test_a_champion_is_a_model_with_signature_example_and_pinned_requirements(tracker: Tracker, tmp_path: Path) -> None:
    made = crowned(tracker)
    assert made == Registered("busi", "1", new=True) and made.uri == "models:/busi@champion"
    folder = fetch(tracker, made.uri, tmp_path).parents[1]
    info = Model.load(str(folder))
    assert info.signature is not None
    for schema in (info.signature.inputs, info.signature.outputs):
        assert [tuple(spec.shape) for spec in schema.inputs] == [(-1, 8, 8, 1)]
    assert (folder / "input_example.json").exists()
    lines = (folder / "requirements.txt").read_text().split()
    assert all(re.fullmatch(r"[a-z]+==\d[\w.]+", line) for line in lines)
    assert {line.split("==")[0] for line in lines} == {"keras", "tensorflow", "numpy", "mlflow"}


def test_the_run_and_the_version_say_what_it_is(tracker: Tracker) -> None:
    made = crowned(tracker)
    version = tracker.client.get_model_version("busi", made.version)
    run = tracker.client.get_run(str(version.run_id))
    assert run.info.status == "FINISHED" and run.data.metrics == {DICE: 0.6}
    assert version.description == run.data.tags["mlflow.note.content"] == "the highest"
    assert run.outputs is not None
    logged = tracker.client.get_logged_model(run.outputs.model_outputs[0].model_id)
    assert logged.status == "READY" and '"name": "busi"' in logged.tags["mlflow.modelVersions"]
    assert tracker.read_sweep("demo").trials == ()  # no report takes it for a trial


def test_the_alias_goes_to_the_newest_and_back(tracker: Tracker, tmp_path: Path) -> None:
    sweep = tracker.open_sweep(sweep_info())
    assert known_champion(tracker, sweep, CANDIDATE, "busi") is None
    crowned(tracker, bias=1)
    other = replace(CANDIDATE, mask="6-9")
    assert crowned(tracker, other, bias=2).version == "2"
    assert loaded_bias(tracker, "models:/busi@champion", tmp_path / "a") == 2
    assert loaded_bias(tracker, "models:/busi/1", tmp_path / "b") == 1
    known = known_champion(tracker, sweep, CANDIDATE, "busi")
    assert known == Registered("busi", "1", new=False)
    assert give_alias(tracker, known, "demo", always=False).before == Holder("2", "demo", 0.6)
    assert loaded_bias(tracker, "models:/busi@champion", tmp_path / "c") == 1
    assert known_champion(tracker, sweep, CANDIDATE, "other") is None


@pytest.mark.parametrize(("sweep", "always", "moved"), [("other", False, False), ("other", True, True)])
def test_the_alias_of_another_sweep_moves_on_demand_only(
    tracker: Tracker, sweep: str, always: bool, moved: bool
) -> None:
    assert give_alias(tracker, registered(tracker), "demo", always=False).moved  # unset until then
    made = registered(tracker, sweep=sweep)
    found = give_alias(tracker, made, sweep, always=always)
    assert found == Crowned(Registered("busi", "2", new=True), sweep, Holder("1", "demo", 0.6), moved)
    assert str(found.before) == "version 1: sweep demo, Dice 0.600"
    now = tracker.client.get_model_version_by_alias("busi", "champion").version
    assert str(now) == ("2" if moved else "1")
    if moved:
        assert give_alias(tracker, made, sweep, always=False).before is None  # it replaces itself


def test_a_holder_that_thaw_knows_nothing_of(tracker: Tracker) -> None:
    tracker.client.create_registered_model("busi", tags={"thaw.kind": "model"})
    tracker.client.create_model_version("busi", "file:///nowhere")
    tracker.client.set_registered_model_alias("busi", "champion", "1")
    found = give_alias(tracker, registered(tracker), "demo", always=False)
    assert not found.moved and str(found.before) == "version 1: not of a sweep of thaw"
    assert not is_synthetic(tracker, "models:/busi/1")


def test_what_was_trained_on_synthetic_images_is_known(tracker: Tracker) -> None:
    uri = crowned(tracker).uri
    registered(tracker, sweep="other")
    assert is_synthetic(tracker, uri) and not is_synthetic(tracker, "models:/busi/2")
    tracker.client.delete_model_version_tag("busi", "1", "thaw.synthetic")  # as older releases left it
    assert is_synthetic(tracker, uri)


def test_a_champion_cut_off_before_its_end_is_made_again(tracker: Tracker, monkeypatch: pytest.MonkeyPatch) -> None:
    def cut(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(tracker.client, "create_model_version", cut)
        crowned(tracker)
    assert known_champion(tracker, tracker.open_sweep(sweep_info()), CANDIDATE, "busi") is None
    assert crowned(tracker).version == "1"


def test_a_model_of_somebody_else_is_left_alone(tracker: Tracker) -> None:
    tracker.client.create_registered_model("busi")
    with pytest.raises(UserError, match=r"'busi' exists and was not made by thaw\. Choose another --name"):
        crowned(tracker)


@pytest.mark.parametrize("name", ["", " ", "a/b", "a:b", "a@b", "it's"])
def test_names_that_mlflow_or_an_address_cannot_hold(tracker: Tracker, name: str) -> None:
    with pytest.raises(UserError, match="must not be empty or hold"):
        crowned(tracker, name=name)


@pytest.mark.parametrize(
    "uri", ["models:/bus@champion", "models:/busi@winner", "models:/busi/7", "models:/", "models:/busi"]
)
def test_addresses_that_lead_nowhere(tracker: Tracker, tmp_path: Path, uri: str) -> None:
    with pytest.raises(UserError, match=r"no model .*run `thaw champion` first"):
        fetch(tracker, uri, tmp_path)
    tracker.client.create_registered_model("busi")
    with pytest.raises(UserError, match=r"no model .*Registered: busi"):
        fetch(tracker, uri, tmp_path)


def test_a_model_that_is_not_of_keras_is_refused(tracker: Tracker, tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "MLmodel").write_text("flavors: {}\n")
    tracker.client.create_registered_model("busi")
    tracker.client.create_model_version("busi", (tmp_path / "made").as_uri())
    with pytest.raises(UserError, match="must be a Keras model"):
        fetch(tracker, "models:/busi/1", tmp_path / "to")


def test_requirements_skip_what_is_not_installed() -> None:
    assert [line.split("==")[0] for line in requirements("no_such_backend")] == ["keras", "numpy", "mlflow"]

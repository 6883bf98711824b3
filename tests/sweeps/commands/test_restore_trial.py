"""A sweep's network before and after a trial, from MLflow alone, and what `thaw visualize` says when it cannot."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sweeps.cli import main
from sweeps.commands.restore_trial import own_images, recorded_model, restore_trial
from sweeps.environment.home import Home
from tracking.store.writer import Tracker
from trainer.config import ModelConfig
from trainer.errors import UserError
from trainer.network.unet import unet
from trainer.network.user_model import opened
from trainer.network.weights import weights_digest, write_weights

CONTRACTING = 20  # blocks 1-5 hold ten convolutions, each with a kernel and a bias


@pytest.fixture
def tracker(smoke_home: Path) -> Tracker:
    home = Home(smoke_home)
    return Tracker.connect(home.tracking_uri, home.artifact_folder)


@pytest.mark.parametrize(("mask", "moved"), [("contracting", range(CONTRACTING)), ("6-9", range(CONTRACTING, 38))])
def test_a_trial_is_restored_on_its_base(tracker: Tracker, mask: str, moved: range) -> None:
    trial = restore_trial(tracker, None, mask)
    changed = [i for i, (a, b) in enumerate(zip(trial.before, trial.after, strict=True)) if not np.array_equal(a, b)]
    assert changed == list(moved)
    trial.network.set_weights(trial.before)
    assert weights_digest(trial.network) == trial.info.weights["digest"]


def test_a_base_of_another_network_is_refused(
    tracker: Tracker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial = restore_trial(tracker, None, None)
    other = unet(ModelConfig(32, 2), seed=9)
    write_weights(other, tmp_path / "other.weights.h5")
    fetch = tracker.fetch_file

    def swapped(run_id: str, path: str, folder: Path) -> Path | None:
        return tmp_path / "other.weights.h5" if path.startswith("bases/") else fetch(run_id, path, folder)

    monkeypatch.setattr(tracker, "fetch_file", swapped)
    needed, held = trial.info.weights["digest"][:12], weights_digest(other)[:12]
    with pytest.raises(UserError, match=f"needs {needed}, but the network holds {held}"):
        restore_trial(tracker, None, None)


def test_the_code_of_layers_must_be_that_of_the_sweep() -> None:
    recorded = {"path": "my.keras", "custom": ["of.somebody.else"], "custom_code": "0" * 16}
    with pytest.raises(UserError, match=r"The code of json \(model.custom\) must be that of the sweep"):
        opened(recorded_model(recorded, ("json",)))
    unasked = recorded_model(recorded, ())
    assert unasked.custom == () and unasked.custom_code == ""


@pytest.mark.parametrize("gone", ["bases", "checkpoints"])
def test_files_that_mlflow_has_lost_are_named(tracker: Tracker, gone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fetch = tracker.fetch_file
    monkeypatch.setattr(
        tracker, "fetch_file", lambda run, path, to: None if path.startswith(gone) else fetch(run, path, to)
    )
    with pytest.raises(UserError, match=rf"artifact {gone}/.* is not there.*another --name"):
        restore_trial(tracker, None, None)


def test_the_images_come_from_mlflow_or_from_where_they_were_if_they_are_the_same(
    tracker: Tracker, smoke_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial, cache = restore_trial(tracker, None, None), Home(smoke_home).data
    kept, reason = own_images(tracker, trial, tmp_path)
    assert kept is not None and kept.shape == (8, 32, 32) and reason == "" and not list(tmp_path.iterdir())
    monkeypatch.setattr(tracker, "fetch_file", lambda run, path, to: None)
    read, reason = own_images(tracker, trial, cache)
    assert read is not None and reason == ""
    np.testing.assert_allclose(kept, read, atol=0.5 / 255 + 1e-6)
    moved = {**trial.info.spec, "data": {**trial.info.spec["data"], "path": "moved-away"}}
    for wrong, words in (
        (replace(trial.info, data={**trial.info.data, "digest": "0"}), "changed since the sweep"),
        (replace(trial.info, spec=moved), "moved-away"),
    ):
        nothing, reason = own_images(tracker, replace(trial, info=wrong), cache)
        assert nothing is None and words in reason


def test_damaged_images_are_told(tracker: Tracker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trial = restore_trial(tracker, None, None)
    (tmp_path / "cut.npz").write_bytes(b"PK")
    monkeypatch.setattr(tracker, "fetch_file", lambda run, path, to: tmp_path / "cut.npz")
    nothing, reason = own_images(tracker, trial, tmp_path)
    assert nothing is None and "pictures.npz" in reason and "cannot be read" in reason


def visualize(home: Path, monkeypatch: pytest.MonkeyPatch, *words: object) -> None:
    monkeypatch.setattr("sys.argv", ["thaw", "visualize", *map(str, words), "--home", str(home)])
    main()


@pytest.mark.slow
def test_the_newest_sweep_is_drawn_before_and_after(
    smoke_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "neurons.png"
    with pytest.raises(SystemExit, match="0"):
        visualize(smoke_home, monkeypatch, "--mask", "1-5", "--blocks", "1,2", "--filters", 2, "--out", out)
    output = capfd.readouterr()
    assert "before and after 1-5 · 1 epochs" in output.out  # its best setting
    assert "Note" not in output.out and not output.err
    with Image.open(out) as sheet:
        assert sheet.width >= 4 * 128 and sheet.height > 2 * 128


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["smoke-fantoms"], r"Unknown sweep 'smoke-fantoms'; did you mean 'smoke-phantoms-"),
        (["--mask", "1-4"], r"--mask must be one of the candidates .* measured.*but got '1-4'\. Measured: 1-5"),
        (["--mask", "contractng"], r"did you mean 'contracting'"),
        (["--blocks", "2,12"], r"block 12"),
        (["--blocks", "1", "--only", "0,2"], r"Block 1 .* filters 0 to 1, but got filter 2"),
        (["--blocks", "none"], r"--blocks must name at least one block"),
        (["--after", "a.weights.h5"], r"--after goes with a file.*--mask"),
        (["a.weights.h5", "--mask", "1-5"], r"--mask chooses a trial of a sweep, but a file was given"),
        (["a.weights.h5"], r"There is no model file a\.weights\.h5"),
        (["down/here"], r"Give a \.keras model, the \.weights\.h5 .* or the name of a sweep, but got 'down/here'"),
    ],
)
def test_a_mistake_is_told_and_nothing_drawn(
    words: list[str],
    message: str,
    smoke_home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit, match="2"):
        visualize(smoke_home, monkeypatch, *words, "--out", tmp_path / "neurons.png")
    output = capfd.readouterr().err
    assert re.search(message, output), output
    assert not list(tmp_path.iterdir())

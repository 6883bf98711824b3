"""Starting weights: trained once, kept by content, refused when they are another network's."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from trainer.config import ModelConfig, PretrainConfig
from trainer.errors import UserError
from trainer.network.unet import unet
from trainer.network.weights import load_weights, weights_digest, write_weights
from trainer.training.pretraining import StartingWeights, starting_weights

TINY = ModelConfig(size=32, filters=2)


def found(config: PretrainConfig, folder: Path) -> tuple[StartingWeights, list[int]]:
    epochs: list[int] = []
    weights = starting_weights(
        config, TINY, folder / "weights", folder / "data", lambda done, total, words: epochs.append(done)
    )
    return weights, epochs


@pytest.mark.slow
def test_pre_training_happens_once_and_is_recorded(tmp_path: Path) -> None:
    config = PretrainConfig(images=24, epochs=2, batch=8)
    weights, epochs = found(config, tmp_path)
    again, silent = found(config, tmp_path)
    assert epochs == [0, 1, 2] and silent == []
    assert again == weights and "synthetic" in weights.source
    assert [row["epoch"] for row in weights.curve] == [1, 2]
    held_out = [row["held_out_dice"] for row in weights.curve]
    assert weights.best_epoch == held_out.index(max(held_out)) + 1
    network = unet(TINY)
    load_weights(network, weights.path)
    assert weights_digest(network) == weights.digest
    other, _ = found(PretrainConfig(images=24, epochs=1, batch=8, seed=1), tmp_path)
    assert other.digest != weights.digest


@pytest.mark.slow
def test_pre_training_on_a_folder(tmp_path: Path) -> None:
    for i in range(8):
        pixels = np.full((32, 32), 60 + i, np.uint8)
        pixels[8:20, 8:20] = 200
        for kind, picture in (("images", pixels), ("masks", np.where(pixels == 200, 255, 0).astype(np.uint8))):
            (tmp_path / "set" / kind).mkdir(parents=True, exist_ok=True)
            Image.fromarray(picture).save(tmp_path / "set" / kind / f"{i}.png")
    weights, epochs = found(PretrainConfig(path=str(tmp_path / "set"), epochs=1, batch=4, validation=0.25), tmp_path)
    assert epochs == [0, 1] and weights.source.startswith("8 images of")


def test_a_refusal_says_that_settings_of_the_data_do_not_reach_the_images_to_pre_train_on(tmp_path: Path) -> None:
    for kind in ("images", "masks"):
        (tmp_path / "set" / kind).mkdir(parents=True)
        for number in range(3):
            values = np.eye(32, dtype=np.float32) * (6.5 if kind == "images" else 1)
            Image.fromarray(values).save(tmp_path / "set" / kind / f"{number}.tif")
    with pytest.raises(UserError, match=r"data\.range.* images to pre-train on .*set\).*without"):
        found(PretrainConfig(path=str(tmp_path / "set")), tmp_path)


@pytest.mark.parametrize("suffix", [".weights.h5", ".keras"])
def test_a_weights_file_is_taken_as_it_is(tmp_path: Path, suffix: str) -> None:
    network, path = unet(TINY, seed=5), tmp_path / f"mine{suffix}"
    network.save(path) if suffix == ".keras" else write_weights(network, path)
    weights, epochs = found(PretrainConfig(path=str(path)), tmp_path)
    assert weights.digest == weights_digest(network) and epochs == [] and weights.curve == ()


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    inputs = keras.Input((32, 32, 1))
    keras.Model(inputs, keras.layers.Conv2D(1, 1)(inputs)).save_weights(tmp_path / "a.weights.h5")
    (tmp_path / "b.weights.h5").write_text("no weights")
    for name in "ab":
        with pytest.raises(UserError, match=r"do not fit this network.*input \(32, 32, 1\)"):
            found(PretrainConfig(path=str(tmp_path / f"{name}.weights.h5")), tmp_path)

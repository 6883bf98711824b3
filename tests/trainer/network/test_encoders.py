"""Networks on an encoder of keras.applications: one skip at every resolution, blocks that can be searched."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from trainer.errors import UserError
from trainer.network.batch_norm import normalisations
from trainer.network.blocks import partition, searchable
from trainer.network.encoders import encoder_network, saved


@pytest.mark.parametrize(
    "name",
    [
        "MobileNetV2",
        pytest.param("VGG16", marks=pytest.mark.slow),
        pytest.param("DenseNet121", marks=pytest.mark.slow),
        pytest.param("EfficientNetB0", marks=pytest.mark.slow),
    ],
)
def test_it_gives_a_logit_for_each_pixel_and_has_blocks_on_both_sides(name: str) -> None:
    network = encoder_network(f"keras:{name}", 64)
    assert network.input_shape == network.output_shape == (None, 64, 64, 1)
    assert np.isfinite(network.predict_on_batch(np.random.default_rng(0).random((1, 64, 64, 1), np.float32))).all()
    assert searchable(partition(network)) in (10, 11)


def test_normalisations_follow_the_images_within_the_steps_of_a_small_set() -> None:
    network = encoder_network("keras:MobileNetV2", 64)
    kept = {norm.momentum for layer in network.layers for norm in normalisations(layer)}
    assert kept == {0.9}


def test_the_same_address_gives_the_same_bytes(tmp_path: Path) -> None:
    for number in (1, 2):
        saved(encoder_network("keras:MobileNetV2", 64), tmp_path / f"{number}.keras")
    assert (tmp_path / "1.keras").read_bytes() == (tmp_path / "2.keras").read_bytes()
    assert keras.saving.load_model(tmp_path / "1.keras").input_shape == (None, 64, 64, 1)


def test_weights_of_the_encoder_come_from_a_file(tmp_path: Path) -> None:
    encoder = keras.applications.MobileNetV2(include_top=False, weights=None, input_shape=(64, 64, 3))
    file = tmp_path / "notop.weights.h5"
    encoder.save_weights(file)
    network = encoder_network(f"keras:MobileNetV2@{file}", 64)
    inner = next(layer for layer in network.layers if isinstance(layer, keras.Model))
    found, expected = inner.get_layer("Conv1").get_weights(), encoder.get_layer("Conv1").get_weights()
    assert np.array_equal(found[0], expected[0])


@pytest.mark.parametrize(
    ("address", "size", "said"),
    [
        ("keras:MobileNetV9", 64, "there is no 'MobileNetV9'; did you mean keras:MobileNetV"),
        ("keras:Xception", 64, "cannot be built for 64 x 64 pixels"),
        ("keras:MobileNetV2", 48, "must be half of the one before"),
        ("keras:MobileNetV2", 32, "the last at least 2, but 32 pixels become 1"),
        ("keras:MobileNetV2@gone.h5", 64, "There is no weights file"),
    ],
)
def test_what_cannot_be_built_is_refused(address: str, size: int, said: str) -> None:
    with pytest.raises(UserError, match=said):
        encoder_network(address, size)


def test_a_file_of_other_weights_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "other.weights.h5"
    keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)]).save_weights(file)
    with pytest.raises(UserError, match="must hold weights of"):
        encoder_network(f"keras:MobileNetV2@{file}", 64)

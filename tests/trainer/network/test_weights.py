"""Weights and networks from files: whole, by content, refused when they are another network's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from trainer.config import ModelConfig
from trainer.errors import UserError
from trainer.network.network_file import checked_file, load_network
from trainer.network.unet import unet
from trainer.network.weights import (
    arrays_digest,
    load_weights,
    weights_digest,
    write_weights,
)

TINY = ModelConfig(32, 2)


def test_a_saved_network_comes_back(tmp_path: Path) -> None:
    network = unet(TINY)
    network.save(tmp_path / "net.keras")
    assert weights_digest(load_network(tmp_path / "net.keras")) == weights_digest(network)


@pytest.mark.parametrize(
    ("name", "words"), [("none.keras", "no model file"), ("text.keras", "must be a Keras model saved as .keras")]
)
def test_what_is_not_a_network_is_refused(tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / "text.keras").write_text("hello")
    with pytest.raises(UserError, match=words):
        load_network(tmp_path / name)


def test_weights_go_through_a_file_and_leave_nothing_else(tmp_path: Path) -> None:
    network, other = unet(TINY, seed=1), unet(TINY, seed=2)
    write_weights(network, tmp_path / "folder" / "a.weights.h5")
    assert weights_digest(other) != weights_digest(network)
    load_weights(other, tmp_path / "folder" / "a.weights.h5")
    assert weights_digest(other) == weights_digest(network)
    assert [path.name for path in (tmp_path / "folder").iterdir()] == ["a.weights.h5"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("none.weights.h5", "do not exist. Give a .weights.h5 or .keras file"),
        ("text.weights.h5", r"do not fit this network \(30,841 parameters"),
        ("wide.weights.h5", "set model.filters and model.size as they were trained"),
    ],
)
def test_weights_that_do_not_fit_are_refused(tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / "text.weights.h5").write_text("hello")
    write_weights(unet(ModelConfig(32, 4)), tmp_path / "wide.weights.h5")
    with pytest.raises(UserError, match=words):
        load_weights(unet(TINY), tmp_path / name)


def test_a_digest_sees_values_shapes_and_types() -> None:
    one: NDArray[Any] = np.arange(4, dtype=np.float32)
    others = [one + 1, one.reshape(2, 2), one.astype(np.float64)]
    assert len({arrays_digest([array]) for array in (one, *others)}) == 4
    assert arrays_digest([one, one]) != arrays_digest([one]) == arrays_digest([one.copy()])


def test_a_file_that_is_there_is_passed_on(tmp_path: Path) -> None:
    (tmp_path / "a.keras").touch()
    assert checked_file(tmp_path / "a.keras") == tmp_path / "a.keras"

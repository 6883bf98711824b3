"""Keras set to other numbers, or another layout, than thaw's hold for is refused before a network is built."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
import pytest

from trainer.config import ModelConfig
from trainer.errors import UserError
from trainer.network.keras_settings import check_settings
from trainer.network.unet import unet

CHANGES: list[tuple[str, Any, Any, str]] = [
    ("set_floatx", "float16", "float32", "floatx is float16"),
    ("set_floatx", "float64", "float32", "floatx is float64"),
    ("set_dtype_policy", "mixed_float16", "float32", "dtype policy is mixed_float16"),
    ("set_image_data_format", "channels_first", "channels_last", "image_data_format is channels_first"),
    ("set_epsilon", 1e-3, 1e-7, "epsilon is 0.001"),
    ("set_max_epochs", 1, None, "stops after 1 epochs"),
    ("set_max_steps_per_epoch", 1, None, "stops after 1 steps"),
]


@pytest.fixture
def changed(request: pytest.FixtureRequest) -> Iterator[str]:
    setter, value, default, words = request.param
    getattr(keras.config, setter)(value)
    yield words
    getattr(keras.config, setter)(default)


@pytest.mark.parametrize("changed", CHANGES, indirect=True, ids=lambda change: change[3])
def test_other_settings_are_named(changed: str) -> None:
    with pytest.raises(UserError, match=f"needs Keras as it is by default.*{changed}"):
        unet(ModelConfig(32, 1))
    with pytest.raises(UserError, match=changed):
        check_settings()


def test_another_backend_than_the_variable_says_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "another")
    with pytest.raises(UserError, match=r"the backend is \w+ \(must be another"):
        check_settings()


def test_by_default_nothing_is_wrong() -> None:
    check_settings()

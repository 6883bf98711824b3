"""The most different networks of the zoo, tried by every command: `python -m tests.zoo` tries all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import keras
import pytest

from tests.zoo import trial
from tests.zoo.shelf import ENTRIES

IN_CI = (
    "vgg16_as_a_layer",  # a backbone of several outputs
    "wide_normalization",
    "two_channel_softmax",
    "whole_h5",
    "spectral_norm",
    "any_size_three_channels",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("zoo")


@pytest.fixture(autouse=True)
def _own_names() -> Iterator[None]:
    """What the zoo registers and names is forgotten behind each test."""
    yield
    keras.utils.clear_session()


@pytest.mark.slow
@pytest.mark.parametrize("name", IN_CI)
def test_a_network_is_read_by_every_command_as_its_author_does(name: str, folder: Path) -> None:
    assert trial.tried(ENTRIES[name], folder, again=name == "wide_normalization").wrong == ()


def test_every_network_says_what_is_special_about_it() -> None:
    assert len(ENTRIES) >= 100 and not [name for name, entry in ENTRIES.items() if not entry.special]

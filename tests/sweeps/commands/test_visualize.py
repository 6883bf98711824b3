"""Which neurons are drawn, of which network."""

from __future__ import annotations

from pathlib import Path

import pytest

from sweeps.commands.visualize import DrawOptions, choose_neurons, is_file, legend, open_network
from trainer.config import ModelConfig
from trainer.errors import UserError
from trainer.network.unet import unet

NETWORK = unet(ModelConfig(32, 2))


@pytest.mark.parametrize(
    ("given", "file"), [(None, False), ("smoke", False), ("a.keras", True), ("a.weights.h5", True), ("a/b", True)]
)
def test_a_file_has_a_suffix_or_a_folder(given: str | None, file: bool) -> None:
    assert is_file(given) == file


@pytest.mark.parametrize(
    ("options", "neurons"),
    [
        (DrawOptions(blocks="1,9", filters=1), [(1, 0), (9, 0)]),
        (DrawOptions(blocks="2", only="3,1,3"), [(2, 3), (2, 1)]),
        (DrawOptions(blocks="1"), [(1, 0), (1, 1)]),
    ],
)
def test_filters_of_blocks(options: DrawOptions, neurons: list[tuple[int, int]]) -> None:
    assert [(neuron.block, neuron.filter) for neuron in choose_neurons(NETWORK, options)] == neurons


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (DrawOptions(blocks="none"), "--blocks must name at least one block"),
        (DrawOptions(blocks="1", only="x"), "--only takes filter numbers joined by commas"),
        (DrawOptions(blocks="1", only="2"), "filters 0 to 1, but got filter 2"),
    ],
)
def test_what_does_not_exist_is_refused(options: DrawOptions, words: str) -> None:
    with pytest.raises(UserError, match=words):
        choose_neurons(NETWORK, options)


def test_blocks_stand_for_the_papers_convolutions() -> None:
    assert legend(NETWORK, choose_neurons(NETWORK, DrawOptions(blocks="2,5,9"))) == "Convolutions 4, 10, 18 of 18."


def test_weights_of_another_width(tmp_path: Path) -> None:
    NETWORK.save_weights(tmp_path / "a.weights.h5")
    assert (
        open_network(tmp_path / "a.weights.h5", DrawOptions(size=32, width=2)).count_params() == NETWORK.count_params()
    )
    with pytest.raises(UserError, match="--width 4 must be the filters"):
        open_network(tmp_path / "a.weights.h5", DrawOptions(size=32, width=4))
    with pytest.raises(UserError, match=r"but got '.*picture\.png'"):
        open_network(tmp_path / "picture.png", DrawOptions())

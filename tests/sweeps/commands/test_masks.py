"""What `thaw masks` prints of a network, and whether it can be searched."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import pytest
from rich.console import Console

from sweeps.commands.masks import model_tables
from tests.trainer.own import dense, own, saved, two_outputs
from trainer.config import ModelConfig, PartitionConfig
from trainer.errors import UserError


def printed(path: Path | None, model: ModelConfig, units: PartitionConfig | None = None) -> str:
    out = io.StringIO()
    console = Console(file=out, width=300)
    if path is not None:
        model = replace(model, path=str(path))
    for part in model_tables(model, units or PartitionConfig()):
        console.print(part)
    return out.getvalue()


def test_the_built_in_network() -> None:
    output = printed(None, ModelConfig(32, 2))
    assert "30,841 parameters in 9 blocks" in output and "contracting" in output and "To search it" not in output


def test_a_network_that_can_be_searched_comes_with_the_command(tmp_path: Path) -> None:
    path = saved(own(), tmp_path)
    assert f"To search it: thaw run ultrasound --model {path} --set model.size=32" in printed(path, ModelConfig(64))


@pytest.mark.parametrize(
    ("network", "words"),
    [
        (own(strides=1), "choose among at least two blocks, but this network has one: there is nothing to compare"),
        (two_outputs(), "must have one output, but 'own' has 2"),
        (dense(), "has convolutions, but 'own' has none"),
    ],
)
def test_a_network_that_cannot_says_why(tmp_path: Path, network: Any, words: str) -> None:
    output = printed(saved(network, tmp_path), ModelConfig(32))
    assert "thaw run cannot search it: " in output and words in output and "To search it" not in output


@keras.saving.register_keras_serializable(package="tests_of_masks")
class Whole(keras.Model):  # type: ignore[misc]
    """A network without a graph."""

    def call(self, x: Any) -> Any:
        return x


def test_a_network_without_a_graph_is_refused_in_the_words_of_every_command(tmp_path: Path) -> None:
    (network := Whole(name="own")).build((None, 32, 32, 1))
    with pytest.raises(
        UserError, match=r"must be a functional Keras model, whose layers can be walked, but .* a Whole"
    ):
        printed(saved(network, tmp_path), ModelConfig(32))


def test_a_table_of_one_block_cannot(tmp_path: Path) -> None:
    assert "at least two blocks" in printed(None, ModelConfig(32, 2, blocks=(("*",),)))

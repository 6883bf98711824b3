"""Networks from files, and the time of a step."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainer.config import ModelConfig, TrainConfig, UserError
from trainer.network import load_network, seconds_per_step
from trainer.unet import unet


def test_a_saved_network_comes_back(tmp_path: Path) -> None:
    network = unet(ModelConfig(32, 2))
    network.save(tmp_path / "net.keras")
    assert load_network(tmp_path / "net.keras").count_params() == network.count_params()


@pytest.mark.parametrize(
    ("name", "words"), [("none.keras", "no model file"), ("text.keras", "must be a Keras model saved as .keras")]
)
def test_what_is_not_a_network_is_refused(tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / "text.keras").write_text("hello")
    with pytest.raises(UserError, match=words):
        load_network(tmp_path / name)


def test_a_step_takes_time() -> None:
    assert 0 < seconds_per_step(unet(ModelConfig(32, 2)), TrainConfig(batch=2)) < 10
